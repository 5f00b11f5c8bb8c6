import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { roleUrl } from '../../src/db/roles.ts';
import { tables } from '../../src/db/schema/index.ts';
import { fingerprintOf, rowsOf } from '../activities/dump.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { type FullTenant, makeFullTenant } from '../support/full-tenant.ts';

// Raw SQL, as whoever gets at the product's connection could send it: the policies alone stand between two tenants.

let api: TestApi;
let mine: FullTenant;
let theirs: FullTenant;
let theirsBefore: string;
beforeAll(async () => {
  api = await startTestApi();
  [mine, theirs] = [await makeFullTenant(api, 'Mine'), await makeFullTenant(api, 'Theirs')];
  theirsBefore = await fingerprintOf(api.db, theirs.tenantId);
});
afterAll(() => api.close());

/** Triggers that refuse any change of a row run before its policy is asked; what matters is that it is refused. */
const REFUSED_BY_TRIGGER = ['audit_events', 'invoices', 'ledger_entries', 'ledger_postings', 'payments'];

const names = tables.map(({ meta }) => meta.tableName);
const tenantColumn = (table: string): string => (table === 'tenants' ? 'id' : 'tenant_id');

/** One transaction as the product's role, undone in the end; for a tenant, or for none. */
async function asApp<T>(tenantId: string | null, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: roleUrl(api.db.ownerUrl, 'tributary_app') });
  await client.connect();
  try {
    await client.query('begin');
    if (tenantId !== null) await client.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    return await work(client);
  } finally {
    await client.end();
  }
}

const codeOf = (statement: Promise<unknown>): Promise<string> =>
  statement.then(
    () => 'it was done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

/** A row that the other tenant has, written again by us under its name. */
async function forge(client: pg.Client, table: string): Promise<unknown> {
  const [row] = (await rowsOf(api.db, theirs.tenantId))[table] ?? [];
  const { rows } = await client.query<{ columns: string }>(
    `select string_agg(quote_ident(attname), ', ') as columns from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [table],
  );
  const columns = rows[0]?.columns;
  return client.query(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1::jsonb)`,
    [JSON.stringify(row)],
  );
}

describe.each(names)('%s', (table) => {
  const column = tenantColumn(table);

  test('shows a tenant its own rows, and no other', async () => {
    const [of] = [await rowsOf(api.db, mine.tenantId)];
    const { rows } = await asApp(mine.tenantId, (client) => client.query(`select ${column} as tenant from ${table}`));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual(of[table]?.map(() => ({ tenant: mine.tenantId })));
  });

  test.each(['tenant that is none', ''])("shows nothing to '%s'", async (nobody) => {
    await asApp(nobody, async (client) => {
      expect((await client.query(`select 1 from ${table}`)).rows).toEqual([]);
    });
  });

  test('without a tenant is empty and takes nothing', async () => {
    await asApp(null, async (client) => {
      expect((await client.query(`select 1 from ${table}`)).rowCount).toBe(0);
      expect((await client.query(`update ${table} set ${column} = ${column}`)).rowCount).toBe(0);
      expect((await client.query(`delete from ${table}`)).rowCount).toBe(0);
      expect(await codeOf(forge(client, table))).toBe('42501');
    });
  });

  test("another tenant's rows are neither changed nor deleted", async () => {
    await asApp(mine.tenantId, async (client) => {
      const theirRows = `${column} = '${theirs.tenantId}'`;
      expect((await client.query(`update ${table} set ${column} = ${column} where ${theirRows}`)).rowCount).toBe(0);
      expect((await client.query(`delete from ${table} where ${theirRows}`)).rowCount).toBe(0);
      expect((await client.query(`select 1 from ${table} where ${theirRows}`)).rowCount).toBe(0);
    });
  });

  test('takes no row for another tenant', async () => {
    await asApp(mine.tenantId, async (client) => expect(await codeOf(forge(client, table))).toBe('42501'));
  });

  test('gives no row away to another tenant', async () => {
    const code = await asApp(mine.tenantId, (client) =>
      codeOf(client.query(`update ${table} set ${column} = $1`, [theirs.tenantId])),
    );
    expect(code).toBe(REFUSED_BY_TRIGGER.includes(table) ? '23001' : '42501');
  });

  test('is not emptied', async () => {
    const code = await asApp(mine.tenantId, (client) => codeOf(client.query(`truncate ${table} cascade`)));
    expect(code).toBe('42501');
  });
});

test('after all of it the other tenant has every row as it was', async () => {
  expect(await fingerprintOf(api.db, theirs.tenantId)).toBe(theirsBefore);
});

test('the id of a row that another tenant has is no target of a reference', async () => {
  const alias = (customerId: string) => (client: pg.Client) =>
    client.query(
      `insert into customer_aliases (tenant_id, alias, customer_id, created_at) values ($1, 'a', $2, now())`,
      [mine.tenantId, customerId],
    );
  expect(await codeOf(asApp(mine.tenantId, alias(theirs.names.customerId)))).toBe('23503');
  expect(await codeOf(asApp(mine.tenantId, alias(mine.names.customerId)))).toBe('it was done');
});

test('the tenant of a transaction ends with it, on the same connection', async () => {
  await asApp(mine.tenantId, async (client) => {
    expect((await client.query('select 1 from customers')).rowCount).toBeGreaterThan(0);
    await client.query('commit');
    expect((await client.query('select 1 from customers')).rowCount).toBe(0);
  });
});

describe('a function that tells what it is shown', () => {
  test('is shown no row that the policy hides, however cheap it says it is', async () => {
    const told: string[] = [];
    await asApp(mine.tenantId, async (client) => {
      client.on('notice', ({ message }) => told.push(message ?? ''));
      await client.query(`create function pg_temp.tell(name text) returns boolean language plpgsql cost 0.0001 as
        $$ begin raise notice '%', name; return true; end $$`);
      await client.query('select 1 from customers where pg_temp.tell(name)');
    });
    expect(told).toContain('Mine Payer');
    expect(told.filter((name) => name.includes('Theirs'))).toEqual([]);
  });

  test("is not needed to read the planner's samples: they are hidden", async () => {
    await api.db.query('analyze customers');
    const samples = `select most_common_vals::text, histogram_bounds::text from pg_stats where tablename = 'customers'`;
    expect(JSON.stringify(await api.db.query(samples))).toContain('Theirs');
    await asApp(mine.tenantId, async (client) => expect((await client.query(samples)).rows).toEqual([]));
  });
});
