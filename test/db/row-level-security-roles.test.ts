import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DatabaseRole, roleUrl } from '../../src/db/roles.ts';
import { tables } from '../../src/db/schema/index.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { type FullTenant, makeFullTenant } from '../support/full-tenant.ts';

// What the two roles that the product connects as may do at most, and how little a stolen connection gets beyond it.

let api: TestApi;
let tenant: FullTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await makeFullTenant(api, 'Zanzibar');
});
afterAll(() => api.close());

/** What the relay (outbox), the sweep (late groups, runs and clocks; old keys) and sign-in (keys, tenants) do. */
const SYSTEM_RIGHTS: Readonly<Record<string, string>> = {
  api_keys: 'SELECT',
  billing_entities: 'SELECT',
  billing_groups: 'SELECT',
  billing_runs: 'SELECT',
  idempotency_keys: 'DELETE, SELECT',
  outbox_messages: 'DELETE, SELECT, UPDATE',
  tenants: 'SELECT',
  test_clocks: 'SELECT',
};

/** Those that may be given for single columns too. */
const COLUMN_RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'];

const names = tables.map(({ meta }) => meta.tableName);

/** Each statement in a transaction of its own, undone in the end; within one tenant unless it is null. */
async function attempt(role: DatabaseRole, tenantId: string | null, ...statements: string[]): Promise<string> {
  const client = new pg.Client({ connectionString: roleUrl(api.db.ownerUrl, role) });
  await client.connect();
  try {
    await client.query('begin');
    if (tenantId !== null) await client.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    let rows = 0;
    for (const statement of statements) rows = (await client.query(statement)).rowCount ?? 0;
    return `${rows} rows`;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.end();
  }
}

/** The rights of a role, table by table. */
async function rightsOf(role: DatabaseRole): Promise<Record<string, string>> {
  const rows = await api.db.query<{ table: string; rights: string }>(
    `select relname as table, string_agg(p.name, ', ' order by p.name) as rights
       from pg_class c, unnest($2::text[]) as p (name)
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relnamespace = 'public'::regnamespace
        and (has_table_privilege($1, c.oid, p.name)
             or p.name = any($3::text[]) and has_any_column_privilege($1, c.oid, p.name))
      group by relname`,
    [role, [...COLUMN_RIGHTS, 'DELETE', 'TRUNCATE', 'TRIGGER', 'MAINTAIN'], COLUMN_RIGHTS],
  );
  return Object.fromEntries(rows.map(({ table, rights }) => [table, rights]));
}

describe('tributary_app', () => {
  test('reads and writes the rows of every table of the schema, and nothing of any other', async () => {
    expect(await rightsOf('tributary_app')).toEqual(
      Object.fromEntries(names.map((name) => [name, 'DELETE, INSERT, SELECT, UPDATE'])),
    );
  });

  test.each([
    ['set role postgres', '42501'],
    ['set role tributary_system', '42501'],
    ['set session authorization tributary_system', '42501'],
    ['alter role tributary_app bypassrls', '42501'],
    ['grant tributary_system to tributary_app', '42501'],
    ['create role friend superuser', '42501'],
    ['alter table customers no force row level security', '42501'],
    ['alter table customers disable row level security', '42501'],
    ['alter table customers owner to tributary_app', '42501'],
    ['alter table invoices disable trigger all', '42501'],
    ['set session_replication_role = replica', '42501'],
    ['drop policy own_tenant on customers', '42501'],
    ['create policy all_tenants on customers using (true)', '42501'],
    ['create table public.mine ()', '42501'],
    ['create view public.everyone as select * from customers', '42501'],
    ['create schema mine', '42501'],
    ['select pg_read_file(current_setting($$data_directory$$) || $$/postgresql.conf$$)', '42501'],
    [`copy customers to program 'cat'`, '42501'],
    [`select lo_import('x')`, '42501'],
    ['select rolpassword from pg_authid', '42501'],
  ])('is refused: %s', async (statement, code) => {
    expect(await attempt('tributary_app', null, statement)).toBe(code);
  });

  test('gets an error, and no row, when it switches row-level security off', async () => {
    const everyone = 'select 1 from customers';
    expect(await attempt('tributary_app', tenant.tenantId, everyone)).toBe('4 rows');
    expect(await attempt('tributary_app', null, 'set row_security = off', everyone)).toBe('42501');
    expect(await attempt('tributary_app', null, 'reset role', 'reset session authorization', everyone)).toBe('0 rows');
  });
});

describe('tributary_system', () => {
  test('has the rights that relay, sweep and sign-in need, and no others', async () => {
    expect(await rightsOf('tributary_system')).toEqual(SYSTEM_RIGHTS);
  });

  test.each(Object.keys(SYSTEM_RIGHTS))('sees the rows of %s, of every tenant', async (table) => {
    const [row] = await api.db.query<{ count: string }>(`select count(*) from ${table}`);
    expect(row?.count).not.toBe('0');
    expect(await attempt('tributary_system', null, `select * from ${table}`)).toBe(`${row?.count} rows`);
  });

  test.each(names.filter((name) => !(name in SYSTEM_RIGHTS)))(
    'sees and writes nothing in %s, not even when it names a tenant',
    async (table) => {
      const tenantColumn = table === 'tenants' ? 'id' : 'tenant_id';
      for (const tenantId of [null, tenant.tenantId]) {
        expect(await attempt('tributary_system', tenantId, `select 1 from ${table}`)).toBe('42501');
        expect(await attempt('tributary_system', tenantId, `update ${table} set ${tenantColumn} = 'x'`)).toBe('42501');
        expect(await attempt('tributary_system', tenantId, `delete from ${table}`)).toBe('42501');
      }
    },
  );

  test.each(['set role postgres', 'set role tributary_app', 'set session authorization tributary_app'])(
    'is refused: %s',
    async (statement) => expect(await attempt('tributary_system', null, statement)).toBe('42501'),
  );
});

test('neither role is more than one that may connect', async () => {
  const roles = await api.db.query(
    `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
            exists (select 1 from pg_auth_members m where m.member = r.oid or m.roleid = r.oid) as has_members,
            has_schema_privilege(r.oid, 'public', 'CREATE') as creates_tables,
            has_database_privilege(r.oid, current_database(), 'CREATE') as creates_schemas
       from pg_roles r where rolname like 'tributary_%' order by 1`,
  );
  const plain = {
    rolsuper: false,
    rolbypassrls: false,
    rolcreaterole: false,
    rolcreatedb: false,
    rolreplication: false,
  };
  const bare = { ...plain, has_members: false, creates_tables: false, creates_schemas: false };
  expect(roles).toEqual([
    { rolname: 'tributary_app', ...bare },
    { rolname: 'tributary_system', ...bare },
  ]);
});
