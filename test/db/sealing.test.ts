import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { roleUrl } from '../../src/db/roles.ts';
import { richScene } from '../activities/scene.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { create } from '../support/billing-shapes.ts';
import { billUntil } from '../support/billing.ts';

/** restrict_violation: what the triggers answer. */
const SEALED = { code: '23001' };

const CHILDREN = ['invoice_lines', 'line_discounts', 'line_taxes', 'invoice_taxes', 'invoice_accounts'] as const;
/** What follows issue, and nothing else, may move on an issued invoice. */
const MOVABLE = ['status', 'amount_paid', 'amount_due', 'paid_at', 'voided_at', 'replaced_by_invoice_id'];

let api: TestApi;
/** As the product connects, in a transaction of the tenant that is always rolled back. */
let app: pg.Client;
let issued: string;
let draft: string;

beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => '2026-06-01T12:00:00.000Z' } });
  const { client, tenantId, testClockId, boundaryAt } = await richScene(api);
  const [{ id: payer }] = (await client.get('/customers?externalId=holding')).body.items;
  await client.put(`/customers/${payer}`, { invoicingFlow: 'REVIEW' });
  await create(client, '/credits', { customerId: payer, amount: '5.00', currency: 'EUR' });
  await billUntil(api.db.database, tenantId, testClockId, boundaryAt);
  const rows = await api.db.query<{ id: string; status: string }>(
    `select id, status from invoices where tenant_id = $1 and split_subscription_id is null order by boundary_at`,
    [tenantId],
  );
  [issued = '', draft = ''] = rows.map(({ id }) => id);
  expect(rows.map(({ status }) => status)).toEqual(['OPEN', 'DRAFT']);

  app = new pg.Client({ connectionString: roleUrl(api.db.ownerUrl, 'tributary_app') });
  await app.connect();
  await app.query(`select set_config('app.tenant_id', $1, false)`, [tenantId]);
});
afterAll(async () => {
  await app.end();
  await api.close();
});

/** Tries a statement and takes it back; tells how many rows it changed. */
async function trying(statement: string, values: unknown[] = []): Promise<number> {
  await app.query('begin');
  try {
    return (await app.query(statement, values)).rowCount ?? 0;
  } finally {
    await app.query('rollback');
  }
}

const columnsOf = (table: string) =>
  api.db.query<{ column_name: string; data_type: string }>(
    `select column_name, data_type from information_schema.columns
      where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER' order by ordinal_position`,
    [table],
  );

const OTHER: Record<string, (column: string) => string> = {
  text: (column) => `coalesce(${column}, '') || 'x'`,
  numeric: (column) => `coalesce(${column}, 0) + 1`,
  integer: (column) => `coalesce(${column}, 0) + 1`,
  boolean: (column) => `not ${column}`,
  date: (column) => `coalesce(${column}, '2026-01-01') + 1`,
  jsonb: () => `'{"other": true}'`,
  'timestamp with time zone': (column) => `coalesce(${column}, now()) + interval '1 day'`,
};

const otherValue = ({ column_name: column, data_type: type }: { column_name: string; data_type: string }): string =>
  column.endsWith('_invoice_id') ? `'${draft}'` : (OTHER[type]?.(column) ?? `no value of ${type}`);

describe('an issued invoice, by direct SQL as the application', () => {
  test('changes in no column but those that follow issue', async () => {
    const columns = (await columnsOf('invoices')).filter(({ column_name: name }) => name !== 'tenant_id');
    for (const column of columns) {
      const change = trying(`update invoices set ${column.column_name} = ${otherValue(column)} where id = $1`, [
        issued,
      ]);
      if (MOVABLE.includes(column.column_name)) await expect(change, column.column_name).resolves.toBe(1);
      else await expect(change, column.column_name).rejects.toMatchObject(SEALED);
    }
    expect(columns.length).toBeGreaterThan(MOVABLE.length + 20);
  });

  test('does not become a draft again, nor disappear', async () => {
    await expect(trying(`update invoices set status = 'DRAFT' where id = $1`, [issued])).rejects.toMatchObject(SEALED);
    await expect(trying('delete from invoices where id = $1', [issued])).rejects.toMatchObject(SEALED);
  });

  test.each(CHILDREN)('keeps its rows in %s: none changes, goes, comes or moves in', async (table) => {
    const columns = (await columnsOf(table)).filter(({ column_name: name }) => name !== 'tenant_id');
    expect((await api.db.query(`select 1 from ${table} where invoice_id = $1`, [issued])).length).toBeGreaterThan(0);
    for (const column of columns) {
      await expect(
        trying(`update ${table} set ${column.column_name} = ${otherValue(column)} where invoice_id = $1`, [issued]),
        column.column_name,
      ).rejects.toMatchObject({ code: expect.stringMatching(/^23/) });
    }
    // A line is held by its taxes, too: whichever speaks first.
    const refusal = table === 'invoice_lines' ? { code: expect.stringMatching(/^23/) } : SEALED;
    await expect(trying(`delete from ${table} where invoice_id = $1`, [issued])).rejects.toMatchObject(refusal);
    const names = (await columnsOf(table)).map(({ column_name: name }) => name);
    const copied = names.map((name) => COPIED[name] ?? name).join(', ');
    const from = `from ${table} where invoice_id = $1 limit 1`;
    await expect(
      trying(`insert into ${table} (${names.join(', ')}) select ${copied} ${from}`, [issued]),
    ).rejects.toMatchObject(SEALED);
    const places = names.includes('position') ? ', position = position + 1000' : '';
    const fitting =
      table === 'invoice_accounts' ? `and customer_id not in (select customer_id ${from.replace('limit 1', '')})` : '';
    await expect(
      trying(`update ${table} set invoice_id = $1 ${places} where invoice_id = $2 ${fitting}`, [issued, draft]),
      'moved in from a draft',
    ).rejects.toMatchObject(SEALED);
  });

  /** What a copy of a row must have of its own to be a row. */
  const COPIED: Record<string, string> = {
    id: `id || 'x'`,
    position: 'position + 1000',
    customer_id: `(select id from customers where id not in (select customer_id from invoice_accounts where invoice_id = $1) limit 1)`,
    redemption_id: `(select r.id from coupon_redemptions r where not exists (
      select 1 from line_discounts d where d.line_id = line_discounts.line_id and d.redemption_id = r.id) limit 1)`,
  };

  test('cannot be got at another way: no truncation, no trigger switched off, no other role', async () => {
    for (const statement of [
      'truncate invoices cascade',
      'alter table invoices disable trigger all',
      'drop trigger invoices_sealed on invoices',
      `set session_replication_role = 'replica'`,
      'set role postgres',
      'drop table line_taxes',
    ]) {
      await expect(trying(statement), statement).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('a draft', () => {
  test('changes and goes, with its rows', async () => {
    await expect(trying(`update invoices set total = total + 1 where id = $1`, [draft])).resolves.toBe(1);
    for (const table of CHILDREN) {
      const rows = await api.db.query(`select 1 from ${table} where invoice_id = $1`, [draft]);
      expect(rows.length, table).toBeGreaterThan(0);
      const column = table === 'invoice_lines' ? 'description' : table === 'invoice_accounts' ? 'name' : 'amount';
      const other = column === 'amount' ? 'amount + 1' : `'Other'`;
      await expect(trying(`update ${table} set ${column} = ${other} where invoice_id = $1`, [draft])).resolves.toBe(
        rows.length,
      );
    }
    await app.query('begin');
    for (const table of ['claims', ...CHILDREN.toReversed(), 'credit_reservations', 'coupon_reservations']) {
      await app.query(`delete from ${table} where invoice_id = $1`, [draft]);
    }
    expect((await app.query('delete from invoices where id = $1', [draft])).rowCount).toBe(1);
    await app.query('rollback');
  });
});
