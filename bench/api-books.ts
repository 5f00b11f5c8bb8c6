import { pino } from 'pino';
import pg from 'pg';
import { openDatabase } from '../src/db/database.ts';
import { createTenant } from '../src/db/tenants.ts';
import { booksOf, type BooksOfTenant, KEY_FUNCTION } from './api-books-sql.ts';

/** A tenant with years of invoices behind it. */
export interface BookTenant extends BooksOfTenant {
  readonly apiKey: string;
}

/** The first has most: what share each tenant has of all invoices. */
const SHARES = [0.7, 0.1, 0.1, 0.1] as const;

/**
 * Fills a fresh database with what years of billing leave behind: customers in trees, subscriptions, runs, issued invoices
 * with lines and taxes, claims, ledger entries. Rows are made inside PostgreSQL, with triggers off and indexes made
 * anew afterwards, since only so a million invoices take minutes; `assertSound` looks at what the triggers would have.
 *
 * @param shape.invoices  in all; shared among four tenants, of which the first has 70 %.
 * @param shape.customers in all; half of them pay.
 */
export async function writeBooks(
  ownerUrl: string,
  shape: { invoices: number; customers: number },
  say: (line: string) => void = () => undefined,
): Promise<BookTenant[]> {
  const tenants = await makeTenants(ownerUrl, shape);
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  try {
    await owner.query(`set session_replication_role = replica; set maintenance_work_mem = '512MB'; ${KEY_FUNCTION}`);
    const restore = await dropIndexes(owner);
    for (const [index, tenant] of tenants.entries()) {
      for (const statement of booksOf(tenant)) {
        say(`tenant ${index + 1} of ${tenants.length}: ${statement.split(' ')[2]}`);
        await owner.query(statement);
      }
    }
    for (const statement of restore) {
      say(statement.replace(/ ON .*/, ''));
      await owner.query(statement);
    }
    say('vacuum analyze');
    await owner.query('vacuum (analyze)');
    await assertSound(owner);
  } finally {
    await owner.end();
  }
  return tenants;
}

async function makeTenants(ownerUrl: string, shape: { invoices: number; customers: number }): Promise<BookTenant[]> {
  const database = await openDatabase({ ownerUrl, log: pino({ level: 'silent' }) });
  try {
    const months = Math.max(1, Math.round(shape.invoices / (shape.customers / 2)));
    const tenants: BookTenant[] = [];
    for (const [index, share] of SHARES.entries()) {
      const made = await database.inTenant('', (tx) =>
        createTenant(tx, { name: `Books ${index}`, mode: 'LIVE', actor: 'bench' }),
      );
      const payers = Math.round((shape.customers / 2) * share);
      // prettier-ignore
      tenants.push({ tenantId: made.id, apiKey: made.apiKey, entityId: made.defaultEntityId, base: (index + 1) * 1e10, payers, months });
    }
    return tenants;
  } finally {
    await database.close();
  }
}

/** Drops what is no constraint, and tells how to make it again. */
async function dropIndexes(owner: pg.Client): Promise<string[]> {
  const { rows } = await owner.query<{ name: string; definition: string }>(`
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
      from pg_index i join pg_class c on c.oid = i.indrelid
     where c.relnamespace = 'public'::regnamespace and not exists (
       select 1 from pg_constraint k where k.conindid = i.indexrelid)
     order by 1`);
  for (const { name } of rows) await owner.query(`drop index ${name}`);
  return rows.map(({ definition }) => definition);
}

/** Foreign keys hold, by PostgreSQL's own check of each; entries balance; numbers have no gap but for drafts. */
async function assertSound(owner: pg.Client): Promise<void> {
  const { rows: keys } = await owner.query<{ child: string; columns: string; parent: string; target: string }>(`
    select c.conrelid::regclass::text as child, c.confrelid::regclass::text as parent,
           (select string_agg('c.' || quote_ident(a.attname), ', ' order by k.n) from unnest(c.conkey) with ordinality k (attnum, n)
              join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum) as columns,
           (select string_agg('p.' || quote_ident(a.attname), ', ' order by k.n) from unnest(c.confkey) with ordinality k (attnum, n)
              join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum) as target
      from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace`);
  for (const { child, columns, parent, target } of keys) {
    const last = columns.split(', ').at(-1) as string;
    const { rowCount } = await owner.query(`
      select 1 from ${child} c left join ${parent} p on (${target}) = (${columns})
       where ${last} is not null and p is null limit 1`);
    if (rowCount !== 0) throw new Error(`The books are wrong: ${child} (${columns}) points to no row of ${parent}.`);
  }
  const { rowCount: unbalanced } = await owner.query(`
    select 1 from ledger_postings group by tenant_id, entry_id
    having sum(case direction when 'DEBIT' then amount else -amount end) <> 0 limit 1`);
  if (unbalanced !== 0) throw new Error('The books are wrong: a ledger entry does not balance.');
}
