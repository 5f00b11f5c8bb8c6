import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { richScene } from '../activities/scene.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => '2026-06-01T12:00:00.000Z' } });
  await richScene(api);
});
afterAll(() => api.close());

/** Dated facts, of which one holds at a time, and what they are facts of. */
const FACTS = [
  ['customer_parents', 'customer_id'],
  ['item_terms', 'item_id'],
  ['subscription_payers', 'subscription_id'],
  ['group_memberships', 'subscription_id'],
  ['group_schedules', 'billing_group_id'],
] as const;

/** exclusion_violation */
const OVERLAPS = { code: '23P01' };

describe.each(FACTS)('%s of one %s', (table, key) => {
  /** Replaces the facts of one subject by spans of February 2030; in the end all of it is taken back. */
  async function spans(...days: readonly (readonly [from: number, to: number | null])[]): Promise<void> {
    const columns = await api.db.query<{ name: string }>(
      `select column_name as name from information_schema.columns
        where table_name = $1 and is_generated = 'NEVER' order by ordinal_position`,
      [table],
    );
    const names = columns.map(({ name }) => name);
    const day = (of: number | null) =>
      of === null ? 'null' : `'2030-02-${String(of).padStart(2, '0')}T00:00:00Z'::timestamptz`;
    const values = (index: number, [from, to]: readonly [number, number | null]) =>
      names
        .map(
          (name) =>
            ({ valid_from: day(from), valid_to: day(to), version: `f.version + ${index} + 100` })[name] ?? `f.${name}`,
        )
        .join(', ');
    const inserts = days.map(
      (span, index) => `insert into ${table} (${names.join(', ')}) select ${values(index, span)} from fact f;`,
    );
    await api.db.query(`do $$ begin
      create temporary table fact on commit drop as select * from ${table} limit 1;
      delete from ${table} t using fact f where t.tenant_id = f.tenant_id and t.${key} = f.${key};
      ${inserts.join('\n')}
      raise exception 'all of it stands' using errcode = 'ZZ000';
    end $$`);
  }

  /** Refused by us alone, once every span was written. */
  const STANDS = { code: 'ZZ000' };

  test('follow one another without a gap, or with one', async () => {
    await expect(spans([1, 10], [10, 20], [20, null])).rejects.toMatchObject(STANDS);
    await expect(spans([10, 20], [1, 5])).rejects.toMatchObject(STANDS);
  });

  // prettier-ignore
  test.each<[why: string, a: readonly [number, number | null], b: readonly [number, number | null]]>([
    ['begin at the same instant', [1, 10], [1, 5]],
    ['overlap by a day',          [1, 10], [9, 20]],
    ['lie within one another',    [1, 20], [5, 6]],
    ['are both open-ended',       [1, null], [20, null]],
    ['begin while an open-ended one holds', [5, null], [6, 7]],
  ])('are refused when they %s', async (_, a, b) => {
    await expect(spans(a, b)).rejects.toMatchObject({ code: expect.stringMatching(/^(23P01|23505)$/) });
    if (a[0] !== b[0]) await expect(spans(b, a)).rejects.toMatchObject(OVERLAPS);
  });

  test('are refused when they hold for no time at all, or end before they begin', async () => {
    await expect(spans([5, 5])).rejects.toMatchObject({ code: expect.stringMatching(/^(23P01|23514)$/) });
    await expect(spans([6, 5])).rejects.toMatchObject({ code: '22000' });
  });
});

test('two requests at once that would make two facts at a time: one is refused by the key', async () => {
  const insert = `insert into subscription_payers (tenant_id, subscription_id, valid_from, valid_to, payer_customer_id)
    select tenant_id, subscription_id, $1::timestamptz, null, payer_customer_id
      from subscription_payers where valid_to is null order by subscription_id limit 1`;
  await api.db.query(`update subscription_payers set valid_to = '2031-01-01' where valid_to is null`);
  await api.db.query(
    `update subscription_payers set valid_to = null where subscription_id = (select max(subscription_id) from subscription_payers)`,
  );
  await expect(api.db.query(insert, ['2032-01-01T00:00:00Z'])).rejects.toMatchObject(OVERLAPS);
});
