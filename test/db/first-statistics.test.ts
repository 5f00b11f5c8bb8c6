import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCrowd } from '../activities/crowd.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createTenant } from '../../src/db/tenants.ts';

// Decision 21: what is looked up by a set of keys is looked up by the key, on tables that were never counted too.

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  const { id } = await db.database.inTenant('', (tx) => createTenant(tx, { name: 'New', mode: 'TEST', actor: 'test' }));
  await makeCrowd(db.database, id, { children: 1_000, items: 1 });
});
afterAll(() => db.close());

test('one tenant may have all of a table, so far as PostgreSQL knows', async () => {
  const unlike = await db.query(`
    select c.relname, s.n_distinct
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
      left join pg_stats s on s.schemaname = 'public' and s.tablename = c.relname and s.attname = 'tenant_id'
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and s.n_distinct is distinct from 1`);
  expect(unlike).toEqual([]);
});

test.each(['customers', 'subscriptions', 'subscription_items'])(
  'a thousand %s that nobody has counted',
  async (table) => {
    const [row] = await db.query<{ reltuples: number }>('select reltuples from pg_class where relname = $1', [table]);
    expect(row?.reltuples, 'not counted').toBe(-1);
    // As a trigger keeps it: a plan for any keys.
    const rows = await db.query<{ 'QUERY PLAN': string }>(
      `explain (generic_plan) select count(*) from ${table} where tenant_id = $1 and id = any($2::text[])`,
    );
    const plan = rows.map((line) => line['QUERY PLAN']).join('\n');
    expect(plan).toContain(`${table}_pkey`);
    expect(plan).toMatch(/Index Cond: .*id = ANY/);
  },
);
