import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tx } from '../../src/db/database.ts';
import { newId } from '../../src/db/ids.ts';
import { richScene } from '../activities/scene.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let tenantId: string;
let entityId: string;
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => '2026-06-01T12:00:00.000Z' } });
  ({ tenantId } = await richScene(api));
  const [entry] = await api.db.query<{ id: string }>(
    'select billing_entity_id as id from ledger_entries where tenant_id = $1',
    [tenantId],
  );
  entityId = entry?.id ?? '';
});
afterAll(() => api.close());

const inTenant = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => api.db.database.inTenant(tenantId, work);

type Posting = readonly [direction: 'DEBIT' | 'CREDIT', amount: string, currency?: string];

/** Writes an entry as it stands: nothing but the database judges it. */
async function post(tx: Tx, postings: readonly Posting[], entryId = newId('led')): Promise<string> {
  await tx.db
    .insertInto('ledger_entries')
    .values({
      tenantId,
      id: entryId,
      billingEntityId: entityId,
      event: 'PAYMENT_RECEIVED',
      subjectId: entryId,
      postedAt: tx.now(),
    })
    .execute();
  await add(tx, entryId, postings);
  return entryId;
}

async function add(tx: Tx, entryId: string, postings: readonly Posting[], from = 1): Promise<void> {
  for (const [index, [direction, amount, currency = 'EUR']] of postings.entries()) {
    await tx.db
      .insertInto('ledger_postings')
      .values({
        tenantId,
        entryId,
        position: from + index,
        account: direction === 'DEBIT' ? 'CASH' : 'RECEIVABLE',
        direction,
        currency,
        amount,
        baseAmount: null,
        baseRate: null,
      })
      .execute();
  }
}

const countEntries = async (): Promise<number> =>
  (await api.db.query('select 1 from ledger_entries where tenant_id = $1', [tenantId])).length;

describe('an entry', () => {
  // prettier-ignore
  test.each<{ of: string; postings: Posting[] }>([
    { of: 'one side alone',                        postings: [['DEBIT', '10']] },
    { of: 'two debits',                            postings: [['DEBIT', '10'], ['DEBIT', '10']] },
    { of: 'sides that differ in the last decimal', postings: [['DEBIT', '10.000000000001'], ['CREDIT', '10']] },
    { of: 'equal amounts of two currencies',       postings: [['DEBIT', '10', 'EUR'], ['CREDIT', '10', 'USD']] },
    { of: 'one currency that balances and one not', postings: [['DEBIT', '1'], ['CREDIT', '1'], ['DEBIT', '1', 'USD']] },
  ])('of $of is refused at commit, and nothing of it is left', async ({ postings }) => {
    const before = await countEntries();
    let written = false;
    await expect(
      inTenant(async (tx) => {
        await post(tx, postings);
        written = true;
      }),
    ).rejects.toMatchObject({ code: '23514', message: expect.stringContaining('does not balance in') });
    expect(written, 'it is the commit that refuses').toBe(true);
    expect(await countEntries()).toBe(before);
  });

  test('of several currencies stands when each balances', async () => {
    const before = await countEntries();
    await inTenant((tx) =>
      post(tx, [
        ['DEBIT', '7'],
        ['DEBIT', '3'],
        ['CREDIT', '10'],
        ['DEBIT', '1', 'JPY'],
        ['CREDIT', '1', 'JPY'],
      ]),
    );
    expect(await countEntries()).toBe(before + 1);
  });

  test('has no posting of nothing or less', async () => {
    for (const amount of ['0', '-5']) {
      await expect(
        inTenant((tx) =>
          post(tx, [
            ['DEBIT', amount],
            ['CREDIT', amount],
          ]),
        ),
      ).rejects.toMatchObject({ code: '23514' });
    }
  });

  test('cannot be put out of balance by a later posting', async () => {
    const id = await inTenant((tx) =>
      post(tx, [
        ['DEBIT', '5'],
        ['CREDIT', '5'],
      ]),
    );
    await expect(inTenant((tx) => add(tx, id, [['DEBIT', '1']], 3))).rejects.toMatchObject({ code: '23514' });
  });

  test.each(['ledger_entries', 'ledger_postings', 'audit_events'])('is never changed or deleted: %s', async (table) => {
    const column = table === 'ledger_postings' ? 'account' : table === 'ledger_entries' ? 'subject_id' : 'actor';
    await expect(
      inTenant(({ db }) => sql`update ${sql.table(table)} set ${sql.ref(column)} = 'x'`.execute(db)),
    ).rejects.toMatchObject({ code: '23001' });
    await expect(inTenant(({ db }) => sql`delete from ${sql.table(table)}`.execute(db))).rejects.toMatchObject({
      code: '23001',
    });
  });

  test('is written once for an event', async () => {
    const id = newId('led');
    await inTenant((tx) =>
      post(
        tx,
        [
          ['DEBIT', '5'],
          ['CREDIT', '5'],
        ],
        id,
      ),
    );
    await expect(
      inTenant(({ db, now }) =>
        db
          .insertInto('ledger_entries')
          .values({
            tenantId,
            id: newId('led'),
            billingEntityId: entityId,
            event: 'PAYMENT_RECEIVED',
            subjectId: id,
            postedAt: now(),
          })
          .execute(),
      ),
    ).rejects.toMatchObject({ code: '23505' });
  });
});

test('what was issued balances, entry by entry, and its receivables are what is due', async () => {
  const off = await api.db.query(
    `select entry_id, currency from ledger_postings group by entry_id, currency
     having sum(case direction when 'DEBIT' then amount else -amount end) <> 0`,
  );
  expect(off).toEqual([]);
  const rows = await api.db.query<{ due: string; receivable: string }>(
    `select v.amount_due as due,
            coalesce(sum(case p.direction when 'DEBIT' then p.amount else -p.amount end), 0) as receivable
       from invoices v
       join ledger_entries e on e.tenant_id = v.tenant_id and e.subject_id = v.id and e.event = 'INVOICE_ISSUED'
       left join ledger_postings p on p.tenant_id = e.tenant_id and p.entry_id = e.id and p.account like '%RECEIVABLE%'
      where v.tenant_id = $1 and v.status <> 'DRAFT' group by v.id, v.amount_due`,
    [tenantId],
  );
  expect(rows.length).toBeGreaterThan(0);
  for (const { due, receivable } of rows) expect(Number(receivable)).toBe(Number(due));
});
