import { type Insertable, type RawBuilder, sql } from 'kysely';
import type { Schema, Sql } from './kysely.ts';

type Table = keyof Schema & string;
type Row<T extends Table> = Partial<Insertable<Schema[T]>>;

/**
 * Inserts any number of rows with one statement and one parameter: PostgreSQL reads them as rows of the table from JSON,
 * where decimals and instants travel as text and stay exact.
 *
 * @param rows  all with the same columns; none does nothing.
 */
export async function insertRows<T extends Table>(db: Sql, table: T, rows: readonly Row<T>[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = columnList(Object.keys(first));
  await sql`insert into ${sql.raw(table)} (${columns}) select ${columns} from ${recordset(table, rows)} as r`.execute(
    db,
  );
}

/**
 * Updates any number of rows with one statement: each is found by its `id` and gets the columns of `set`. The new values
 * are looked up by id and not joined: for rows that the planner has no statistics of it would join each with each.
 *
 * @returns how many rows were changed.
 */
export async function updateRows<T extends Table>(
  db: Sql,
  table: T,
  set: readonly (keyof Row<T> & string)[],
  rows: readonly (Row<T> & { readonly id: string })[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const columns = columnList(set);
  const ids = rows.map(({ id }) => id);
  const byId = JSON.stringify(Object.fromEntries(rows.map((row) => [row.id, toColumns(row)])));
  const { numAffectedRows } = await sql`
    update ${sql.raw(table)} as t
       set (${columns}) = (select ${columns} from jsonb_populate_record(null::${sql.raw(table)}, ${byId}::jsonb -> t.id))
     where t.id = any(${ids}::text[])`.execute(db);
  return Number(numAffectedRows ?? 0);
}

function recordset(table: Table, rows: readonly object[]): RawBuilder<unknown> {
  const json = JSON.stringify(rows.map(toColumns));
  return sql`jsonb_populate_recordset(null::${sql.raw(table)}, ${json}::jsonb)`;
}

const toColumns = (row: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).map(([key, value]) => [snake(key), value]));

const columnList = (keys: readonly string[]): RawBuilder<unknown> => sql.raw(keys.map(snake).join(', '));

const snake = (camel: string): string => camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
