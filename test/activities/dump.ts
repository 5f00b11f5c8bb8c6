import { tables } from '../../src/db/schema/index.ts';
import type { TestDatabase } from '../support/database.ts';

/** The rows of one tenant, table by table. */
export type Dump = Readonly<Record<string, readonly unknown[]>>;

/** What the product draws at random. Everything else must come out the same. */
const DRAWN = ['hosted_token', 'secret_hash', 'hint'];

const ID = /\b[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}\b/g;

/** Every row that a tenant has in any table. */
export async function rowsOf(db: TestDatabase, tenantId: string): Promise<Dump> {
  const dump: Record<string, unknown[]> = {};
  for (const { tableName } of tables.map(({ meta }) => meta)) {
    const tenant = tableName === 'tenants' ? 'id' : 'tenant_id';
    const rows = await db.query<{ row: unknown }>(
      `select to_jsonb(t) as row from ${tableName} t where t.${tenant} = $1 order by to_jsonb(t)::text`,
      [tenantId],
    );
    dump[tableName] = rows.map(({ row }) => row);
  }
  return dump;
}

/** Changes with every write to any row of a tenant, also of a row that is written as it was. */
export async function fingerprintOf(db: TestDatabase, tenantId: string): Promise<string> {
  const parts = tables.map(({ meta: { tableName } }) => {
    const tenant = tableName === 'tenants' ? 'id' : 'tenant_id';
    return `select '${tableName}' || count(*) || coalesce(md5(string_agg(t.xmin::text || t::text, '' order by t::text)), '') as part
              from ${tableName} t where t.${tenant} = $1`;
  });
  const [row] = await db.query<{ all: string }>(
    `select string_agg(part, ' ' order by part) as all from (${parts.join(' union all ')}) p`,
    [tenantId],
  );
  return row?.all ?? '';
}

/**
 * The same rows written so that two tenants to whom the same happened are equal: each id is its prefix and its place in the
 * order of creation, and what is drawn at random is left out.
 */
export async function comparableRowsOf(db: TestDatabase, tenantId: string): Promise<Dump> {
  const text = JSON.stringify(await rowsOf(db, tenantId), (key, value) => (DRAWN.includes(key) ? undefined : value));
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const id of [...new Set(text.match(ID) ?? [])].toSorted()) {
    const prefix = id.slice(0, 3);
    const count = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, count);
    names.set(id, `${prefix}#${String(count).padStart(3, '0')}`);
  }
  const named = JSON.parse(text.replace(ID, (id) => names.get(id) ?? id)) as Dump;
  return Object.fromEntries(
    Object.entries(named).map(([table, rows]) => [
      table,
      rows.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    ]),
  );
}
