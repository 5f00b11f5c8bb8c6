import { afterAll, beforeAll, expect, test } from 'vitest';
import { richScene } from '../activities/scene.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { create } from '../support/billing-shapes.ts';
import { billUntil } from '../support/billing.ts';

// Decision 20: the references of what a run writes by the thousand are no foreign keys of PostgreSQL's, and hold as if they were.

/** [table, column, target] */
const REFERENCES = [
  ['claims', 'item_id', 'subscription_items'],
  ['claims', 'run_id', 'billing_runs'],
  ['invoice_accounts', 'invoice_id', 'invoices'],
  ['invoice_lines', 'invoice_id', 'invoices'],
  ['invoice_lines', 'owner_customer_id', 'customers'],
  ['ledger_postings', 'entry_id', 'ledger_entries'],
  ['line_discounts', 'line_id', 'invoice_lines'],
  ['line_taxes', 'line_id', 'invoice_lines'],
] as const;

let api: TestApi;
/** A tenant whose invoices point at everything, and the id of another that has as much. */
let tenantId: string;
let otherId: string;

beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => '2026-06-01T12:00:00.000Z' } });
  [tenantId, otherId] = [await billed(), await billed()];
});
afterAll(() => api.close());

async function billed(): Promise<string> {
  const scene = await richScene(api);
  const [{ id: payer }] = (await scene.client.get('/customers?externalId=holding')).body.items;
  await create(scene.client, '/credits', { customerId: payer, amount: '5.00', currency: 'EUR' });
  await billUntil(api.db.database, scene.tenantId, scene.testClockId, scene.boundaryAt);
  return scene.tenantId;
}

const idOf = async (target: string, tenant: string): Promise<string> =>
  (await api.db.query<{ id: string }>(`select id from ${target} where tenant_id = $1 limit 1`, [tenant]))[0]?.id ?? '';

/** A copy of some row of the tenant that points to `id`. What makes it a row of its own is left to what is refused first. */
async function copyPointingTo(table: string, column: string, id: string): Promise<void> {
  const columns = await api.db.query<{ name: string }>(
    `select column_name as name from information_schema.columns
      where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER'`,
    [table],
  );
  const names = columns.map(({ name }) => name);
  const own: Record<string, string> = {
    id: `id || 'x'`,
    released_at: 'now()',
    position: 'position + 1000',
    [column]: '$2',
  };
  const copied = names.map((name) => own[name] ?? name);
  await api.db.query(
    `insert into ${table} (${names.join(', ')}) select ${copied.join(', ')} from ${table}
      where tenant_id = $1 and ${column} is not null limit 1`,
    [tenantId, id],
  );
}

test('the list is the one that the database has', async () => {
  const found = await api.db.query<{ name: string }>(
    `select distinct tgrelid::regclass || '.' || replace(tgfoid::regproc::text, tgrelid::regclass || '_', '') as name
       from pg_trigger where tgfoid::regproc::text like '%\\_exists' order by 1`,
  );
  expect(found.map(({ name }) => name)).toEqual(REFERENCES.map(([table, column]) => `${table}.${column}_exists`));
});

test.each(REFERENCES)('%s.%s takes no id that %s has not, nor one of another tenant', async (table, column, target) => {
  const foreign = await idOf(target, otherId);
  expect(foreign).not.toBe('');
  for (const id of ['none_such', foreign]) {
    await expect(copyPointingTo(table, column, id), 'inserted').rejects.toMatchObject({
      code: '23503',
      message: `${target} ${id} of ${table}.${column} does not exist.`,
    });
    // What is append-only says that first; nothing of it moves at all.
    const refusal = table === 'ledger_postings' ? { code: '23001' } : { code: '23503' };
    const move = api.db.query(
      `update ${table} set ${column} = $2 where ctid = (select ctid from ${table} where tenant_id = $1 and ${column} is not null limit 1)`,
      [tenantId, id],
    );
    await expect(move, 'moved').rejects.toMatchObject(refusal);
  }
});

test.each(REFERENCES)('what %s.%s points to stays in %s', async (table, column, target) => {
  const removal = api.db.query(
    `delete from ${target} where tenant_id = $1 and id = (select ${column} from ${table} where tenant_id = $1 and ${column} is not null limit 1)`,
    [tenantId],
  );
  await expect(removal).rejects.toMatchObject({ code: expect.stringMatching(/^(23503|23001)$/) });
});
