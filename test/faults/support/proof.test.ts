import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { richScene, type Scene } from '../../activities/scene.ts';
import { startTestApi, type TestApi } from '../../support/api.ts';
import { billUntil } from '../../support/billing.ts';
import type { TestDatabase } from '../../support/database.ts';
import { booksOf } from './books.ts';
import { flawsOf, RULES } from './proof.ts';

let api: TestApi;
let scene: Scene;
let client: pg.Client;
/** The same database through one connection, so that what is planted can be rolled back. */
let db: TestDatabase;

beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => '2026-06-01T12:00:00.000Z' } });
  scene = await richScene(api);
  await billUntil(api.db.database, scene.tenantId, scene.testClockId, scene.boundaryAt);
  client = new pg.Client({ connectionString: api.db.ownerUrl });
  await client.connect();
  db = { ...api.db, query: async (text, values) => (await client.query(text, values)).rows };
});
afterAll(async () => {
  await client.end();
  await api.close();
});

/** Breaks something that nothing would hold back, looks, and takes it back. */
async function withPlanted<T>(statement: string, look: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    // No trigger seals, balances or refuses, and no index keeps a boundary to one run.
    await client.query('drop index billing_runs_boundary_unique');
    await client.query(`set local session_replication_role = 'replica'`);
    const { rowCount } = await client.query(statement);
    expect(rowCount, 'something was planted').toBeGreaterThan(0);
    return await look();
  } finally {
    await client.query('rollback');
  }
}

const one = (table: string, where = 'true'): string =>
  `ctid = (select ctid from ${table} where ${where} order by created_at desc, id desc limit 1)`;
const issued = one('invoices', 'number is not null');

/** For each rule of the books, a statement that breaks it. */
const PLANTED: Readonly<Record<keyof typeof RULES, string>> = {
  'a run that is not over': `update billing_runs set status = 'OPEN' where ${one('billing_runs')}`,
  'a boundary with two runs': `insert into billing_runs select (jsonb_populate_record(r, '{"id": "run_2"}')).*
      from billing_runs r where ${one('billing_runs', `kind = 'BOUNDARY'`)}`,
  'a group whose last boundary did not run last': `update billing_groups set last_boundary_at = last_boundary_at - interval '1 day'`,
  'a run that ISSUED no invoice, or another that has one': `update billing_runs set status = 'EMPTY' where ${one('billing_runs', `status = 'ISSUED'`)}`,
  'an invoice twice': `insert into invoices select (jsonb_populate_record(v, '{"id": "inv_2", "number": null, "boundary_at": null}')).*
      from invoices v where ${one('invoices')}`,
  'a draft that nobody finished': `update invoices set status = 'DRAFT' where ${issued}`,
  'a stream of numbers that is not 1 to N': `update number_streams set next_number = next_number + 1`,
  'an earlier number with a later instant': `update invoices set issued_at = issued_at - interval '1 year' where ${issued}`,
  'an entry that does not balance': `update ledger_postings set amount = amount + 1 where direction = 'DEBIT'`,
  'an invoice that is not in the ledger once': `delete from ledger_entries where event = 'INVOICE_ISSUED'`,
  'a claim without its line': `update claims set line_id = null where ${one('claims')}`,
  'a line without its one claim': `update claims set released_at = now() where ${one('claims')}`,
  'time billed twice': `update claims set period_start = period_start - interval '1 day'
      where ${one('claims', `kind = 'PERIOD' and item_id in (select item_id from claims group by 1 having count(*) > 1)`)}`,
  'time left out': `update subscription_items set billed_through_at = billed_through_at + interval '1 day'`,
  'a reservation that was never settled': `update credit_reservations set status = 'RESERVED'`,
  'a credit that does not add up': `update credit_grants set amount = amount + 1 where ${one('credit_grants')}`,
  'an invoice that does not add up': `update invoices set total = total + 1, amount_due = amount_due + 1 where ${issued}`,
};

describe('the proof of the books', () => {
  test('finds nothing in books that are sound, and has looked at something', async () => {
    expect(await flawsOf(db, scene.tenantId)).toEqual({});
    const books = await booksOf(db, scene.tenantId);
    for (const name of ['billing_runs', 'invoices', 'claims', 'coupon_reservations', 'credit_reservations', 'numbers'])
      expect(books[name]?.length, name).toBeGreaterThan(0);
  });

  test.each(Object.keys(RULES))('finds %s', async (rule) => {
    const flaws = await withPlanted(PLANTED[rule] ?? '', () => flawsOf(db, scene.tenantId));
    expect(Object.keys(flaws)).toContain(rule);
  });

  test('is of one tenant: what is wrong in another is not found', async () => {
    const { tenantId } = await api.tenant();
    const flaws = await withPlanted(PLANTED['a draft that nobody finished'] ?? '', () => flawsOf(db, tenantId));
    expect(flaws).toEqual({});
  });
});

describe('books to be compared', () => {
  test.each([
    ['an amount of a line', `update invoice_lines set amount = amount + 0.01 where position = 1`],
    [
      'how far an item is billed',
      `update subscription_items set billed_through_at = billed_through_at - interval '1 day'`,
    ],
    ['a number', `update invoices set number = number || '0' where ${issued}`],
    ['an invoice less', `delete from invoices where ${issued}`],
    ['a claim that was released', `update claims set released_at = now() where ${one('claims')}`],
    ['what a coupon took', `update coupon_reservations set amount = amount + 1`],
  ])('differ by %s', async (_, statement) => {
    const sound = await booksOf(db, scene.tenantId);
    expect(await withPlanted(statement, () => booksOf(db, scene.tenantId))).not.toEqual(sound);
  });

  // Last: what is planted before it is planted in the one tenant that there is.
  test('are the same for two tenants to whom the same happened', async () => {
    const again = await richScene(api);
    await billUntil(api.db.database, again.tenantId, again.testClockId, again.boundaryAt);
    expect(await booksOf(db, again.tenantId)).toEqual(await booksOf(db, scene.tenantId));
  });
});
