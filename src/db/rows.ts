import { type Insertable, type RawBuilder, sql } from 'kysely';
import { columnType } from './column-types.ts';
import type { Schema, Sql } from './kysely.ts';

type Table = keyof Schema & string;
type Row<T extends Table> = Partial<Insertable<Schema[T]>>;

/**
 * Inserts any number of rows with one statement: PostgreSQL reads them as rows of the table from JSON, where decimals and
 * instants travel as text and stay exact. Columns that are the same in all rows, and of thousands of lines most are, travel
 * and are read once.
 *
 * @param rows  all with the same columns; none does nothing.
 */
export async function insertRows<T extends Table>(db: Sql, table: T, rows: readonly Row<T>[]): Promise<void> {
  if (rows.length > 0) await insertion(table, rows).execute(db);
}

/**
 * Inserts those rows that are not there yet, as `insertRows` does.
 *
 * @param unique  columns, and the condition if there is one, of the unique index that tells.
 * @returns the ids of the rows that were inserted.
 */
export async function insertNewRows<T extends Table>(
  db: Sql,
  table: T,
  rows: readonly (Row<T> & { readonly id: string })[],
  unique: string,
): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const { rows: inserted } = await sql<{ id: string }>`
    ${insertion(table, rows)} on conflict ${sql.raw(unique)} do nothing returning id`.execute(db);
  return new Set(inserted.map(({ id }) => id));
}

/**
 * Updates any number of rows with one statement: each is found by its `id` and gets the columns of `set`. New values that
 * differ are looked up by id and not joined: for rows that the planner has no statistics of it would join each with each.
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
  const ids = rows.map(({ id }) => id);
  const { same, different } = split(set, rows);
  const looked = columnList(different);
  const byId = JSON.stringify(
    Object.fromEntries(rows.map((row) => [(row as { id: string }).id, record(row, different)])),
  );
  const assignments = [
    ...same.map((key) => sql`${columnList([key])} = shared.${columnList([key])}`),
    ...(different.length === 0
      ? []
      : [
          sql`(${looked}) = (select * from jsonb_to_record(${byId}::jsonb -> t.id) as own(${typedList(table, different)}))`,
        ]),
  ];
  const { numAffectedRows } = await sql`
    update ${sql.raw(table)} as t
       set ${sql.join(assignments)}
      from ${one(table, rows, same)} as shared
     where t.id = any(${ids}::text[])`.execute(db);
  return Number(numAffectedRows ?? 0);
}

function insertion(table: Table, rows: readonly object[]): RawBuilder<unknown> {
  const columns = Object.keys(rows[0] ?? {});
  const { same, different } = split(columns, rows);
  const values = columns.map((key) => sql.raw(`${same.includes(key) ? 'shared' : 'own'}.${snake(key)}`));
  return sql`
    insert into ${sql.raw(table)} (${columnList(columns)})
    select ${sql.join(values)}
      from ${one(table, rows, same)} as shared
     cross join ${many(table, rows, different)}`;
}

/** Which columns have one value in all rows, and which have several. */
function split(columns: readonly string[], rows: readonly object[]): { same: string[]; different: string[] } {
  const [first, ...others] = rows as readonly Record<string, unknown>[];
  const isSame = (key: string): boolean => others.every((row) => row[key] === first?.[key]);
  const { same = [], different = [] } = Object.groupBy(columns, (key) => (isSame(key) ? 'same' : 'different'));
  return { same, different };
}

/** The columns that all rows share, as one row of the table. */
const one = (table: Table, [first]: readonly object[], columns: readonly string[]): RawBuilder<unknown> =>
  sql`json_populate_record(null::${sql.raw(table)}, ${JSON.stringify(record(first ?? {}, columns))}::json)`;

/**
 * Rows of some columns. As `json`, which is read once from left to right, where `jsonb` would first be built and then searched
 * for each column; and as records of these columns alone, a third less work than rows of the whole table.
 */
const many = (table: Table, rows: readonly object[], columns: readonly string[]): RawBuilder<unknown> =>
  columns.length === 0
    ? sql`generate_series(1, ${rows.length}::int) as own`
    : sql`json_to_recordset(${JSON.stringify(rows.map((row) => record(row, columns)))}::json) as own(${typedList(table, columns)})`;

/** Some columns of a row. One that is not there is null, and costs nothing on the way. */
function record(row: object, columns: readonly string[]): Record<string, unknown> {
  const given = row as Record<string, unknown>;
  const values: Record<string, unknown> = {};
  for (const key of columns) if (given[key] !== null) values[snake(key)] = given[key];
  return values;
}

/** Columns with their types, as a record is described. */
const typedList = (table: Table, keys: readonly string[]): RawBuilder<unknown> =>
  sql.raw(keys.map((key) => `${snake(key)} ${columnType(table, key)}`).join(', '));

const columnList = (keys: readonly string[]): RawBuilder<unknown> => sql.raw(keys.map(snake).join(', '));

const snakes = new Map<string, string>();

/** Asked for thousands of times with the same few names. */
function snake(camel: string): string {
  const known = snakes.get(camel);
  if (known !== undefined) return known;
  const name = camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  snakes.set(camel, name);
  return name;
}
