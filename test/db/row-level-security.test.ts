import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { roleUrl } from '../../src/db/roles.ts';
import { tables } from '../../src/db/schema/index.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let mine: Client;
let theirs: Client;
beforeAll(async () => {
  api = await startTestApi();
  [mine, theirs] = [await api.tenant(), await api.tenant()];
  for (const client of [mine, theirs]) {
    await client.post('/customers', { name: 'Acme', externalId: 'x', contacts: [{ name: 'G', email: 'g@x.example' }] });
    await client.post('/customers', { name: 'Child', parentCustomerId: 'externalId:x' }, { 'Idempotency-Key': 'k' });
  }
});
afterAll(() => api.close());

/** As the product connects: every table, without a word about tenants. */
const asApp = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: roleUrl(api.db.ownerUrl, 'tributary_app') });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

test('every table is bound by row-level security, the owner included', async () => {
  const unbound = await api.db.query<{ relname: string }>(
    `select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
        and not (relrowsecurity and relforcerowsecurity)`,
  );
  expect(unbound.map(({ relname }) => relname).filter((name) => name !== 'mikro_orm_migrations')).toEqual([]);
});

test('the roles of the product are no superusers and bypass nothing', async () => {
  const roles = await api.db.query(
    `select rolname from pg_roles where rolname like 'tributary_%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)`,
  );
  expect(roles).toEqual([]);
});

test('without a tenant nothing is seen, in any table', async () => {
  await asApp(async (client) => {
    for (const { tableName } of tables.map(({ meta }) => meta)) {
      expect((await client.query(`select 1 from ${tableName}`)).rowCount).toBe(0);
    }
  });
});

test("raw SQL in a tenant's transaction sees that tenant's rows alone", async () => {
  for (const { tableName } of tables.map(({ meta }) => meta)) {
    const column = tableName === 'tenants' ? 'id' : 'tenant_id';
    const { rows } = await api.db.database.inTenant(mine.tenantId, ({ db }) =>
      sql<{ tenant: string }>`select distinct ${sql.ref(column)} as tenant from ${sql.table(tableName)}`.execute(db),
    );
    expect(rows.filter(({ tenant }) => tenant !== mine.tenantId)).toEqual([]);
  }
});

test('nobody writes into another tenant, takes a row there, or changes one', async () => {
  const alias = { alias: 'stolen', createdAt: '2026-01-01T00:00:00.000Z' };
  const [row] = await api.db.query('select id from customers where tenant_id = $1', [theirs.tenantId]);
  const inMine = <T>(work: Parameters<typeof api.db.database.inTenant<T>>[1]) =>
    api.db.database.inTenant(mine.tenantId, work);
  await expect(
    inMine(({ db }) =>
      db
        .insertInto('customer_aliases')
        .values({ ...alias, tenantId: theirs.tenantId, customerId: row?.['id'] })
        .execute(),
    ),
  ).rejects.toMatchObject({ code: '42501' });
  await expect(
    inMine(({ db }) => db.updateTable('customers').set({ tenantId: theirs.tenantId }).execute()),
  ).rejects.toMatchObject({ code: '42501' });
  const changed = await inMine(({ db }) =>
    db.updateTable('customers').set({ name: 'Mine now' }).where('id', '=', row?.['id']).executeTakeFirst(),
  );
  expect(changed.numUpdatedRows).toBe(0n);
  // A foreign key starts with the tenant: even the id of a row that exists elsewhere is no target.
  await expect(
    inMine(({ db }) =>
      db
        .insertInto('customer_aliases')
        .values({ ...alias, tenantId: mine.tenantId, customerId: row?.['id'] })
        .execute(),
    ),
  ).rejects.toMatchObject({ code: '23503' });
});

test('the tenant of a transaction ends with it', async () => {
  await api.db.database.inTenant(mine.tenantId, async () => {});
  await asApp(async (client) => {
    await client.query(`begin; select set_config('app.tenant_id', '${mine.tenantId}', true); commit`);
    expect((await client.query('select 1 from customers')).rowCount).toBe(0);
  });
});
