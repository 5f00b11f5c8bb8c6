import { afterAll, beforeAll, expect, test } from 'vitest';
import { tables } from '../../src/db/schema/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

// What PostgreSQL's catalog says about every table there is, whoever made it: none can be forgotten.

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());

/** Tables that do not lead with a tenant, and why that is right. */
const WITHOUT_TENANT: Readonly<Record<string, string>> = {
  tenants: 'its id is the tenant',
  mikro_orm_migrations: "the migrator's own, which the product's roles cannot touch",
};

/** Unique keys that do not lead with the tenant, and why that is right. */
const GLOBAL_KEYS: Readonly<Record<string, string>> = {
  tenants_pkey: 'its id is the tenant',
  mikro_orm_migrations_pkey: "the migrator's own",
  api_keys_secret_hash_unique:
    'a secret finds its tenant; it is 256 random bits, and nobody meets another one by chance',
};

/** What the relay, the sweep and sign-in look at across tenants (O7). */
const ACROSS_TENANTS = [
  'api_keys',
  'billing_entities',
  'billing_groups',
  'billing_runs',
  'idempotency_keys',
  'outbox_messages',
  'tenants',
  'test_clocks',
];

const column = async (sql: string): Promise<string[]> =>
  (await db.query<{ name: string }>(sql)).map(({ name }) => name).toSorted();

const IN_PUBLIC = `relnamespace = 'public'::regnamespace`;

test('the tables are those that the schema lists, and nothing else holds or shows rows', async () => {
  const found = await column(`select relname as name from pg_class where relkind in ('r', 'p') and ${IN_PUBLIC}`);
  expect(found).toEqual([...tables.map(({ meta }) => meta.tableName), 'mikro_orm_migrations'].toSorted());
  expect(
    await column(`select relname as name from pg_class where relkind in ('v', 'm', 'f') and ${IN_PUBLIC}`),
  ).toEqual([]);
  expect(
    await column(
      `select nspname as name from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'`,
    ),
  ).toEqual(['public']);
});

test('every table carries its tenant and is bound by row-level security, its owner included', async () => {
  const unnamed = await column(
    `select relname as name from pg_class c where relkind in ('r', 'p') and ${IN_PUBLIC} and not exists (
       select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull)`,
  );
  expect(unnamed).toEqual(Object.keys(WITHOUT_TENANT).toSorted());
  const unbound = await column(
    `select relname as name from pg_class where relkind in ('r', 'p') and ${IN_PUBLIC}
        and not (relrowsecurity and relforcerowsecurity)`,
  );
  expect(unbound).toEqual(['mikro_orm_migrations']);
});

test('the policies are the two that there are to be, and no third one opens a table', async () => {
  const policies = await db.query<Record<string, string>>(
    `select tablename, policyname, permissive, roles::text as roles, cmd, qual, with_check from pg_policies order by 1, 2`,
  );
  const own = (table: string) => {
    const condition = `(${table === 'tenants' ? 'id' : 'tenant_id'} = current_setting('app.tenant_id'::text, true))`;
    return { policyname: 'own_tenant', qual: condition, with_check: condition };
  };
  const across = { policyname: 'across_tenants', roles: '{tributary_system}', qual: 'true', with_check: 'true' };
  const expected = tables
    .map(({ meta }) => meta.tableName)
    .toSorted()
    .flatMap((tablename) => [
      ...(ACROSS_TENANTS.includes(tablename) ? [{ tablename, ...across }] : []),
      { tablename, ...own(tablename) },
    ]);
  expect(policies).toMatchObject(expected);
  expect(policies).toHaveLength(expected.length);
});

test('every key begins with the tenant', async () => {
  const keys = await column(
    `select i.relname as name from pg_index x
       join pg_class t on t.oid = x.indrelid and t.relnamespace = 'public'::regnamespace
       join pg_class i on i.oid = x.indexrelid
       left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
      where (x.indisunique or x.indisexclusion) and a.attname is distinct from 'tenant_id'`,
  );
  expect(keys).toEqual(Object.keys(GLOBAL_KEYS).toSorted());
});

test('every foreign key ties the tenant of its row to the tenant of its target', async () => {
  const keys = await db.query<{ name: string; own: string; target: string; table: string; checked: boolean }>(
    `select c.conname as name, c.confrelid::regclass::text as table, c.convalidated and c.conenforced as checked,
            (select attname from pg_attribute where attrelid = c.conrelid and attnum = c.conkey[1]) as own,
            (select attname from pg_attribute where attrelid = c.confrelid and attnum = c.confkey[1]) as target
       from pg_constraint c where c.contype = 'f'`,
  );
  expect(keys.length).toBeGreaterThan(50);
  const loose = keys.filter(({ name, own, target, table, checked }) => {
    const isOwnTenant = name.startsWith('tenants_') ? own === 'id' : own === 'tenant_id';
    return !(checked && isOwnTenant && target === (table === 'tenants' ? 'id' : 'tenant_id'));
  });
  expect(loose).toEqual([]);
});

test('no function runs with the rights of its maker, and no trigger can be switched off', async () => {
  const definers = `select proname as name from pg_proc where prosecdef
      and pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`;
  expect(await column(definers)).toEqual([]);
  expect(await column(`select tgname as name from pg_trigger where tgenabled <> 'O'`)).toEqual([]);
});
