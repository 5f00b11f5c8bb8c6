import { BooleanType, IntegerType, JsonType } from '@mikro-orm/core';
import type { Schema } from './kysely.ts';
import { tables } from './schema/index.ts';

/** What a column says of its type: in words, or by the class that knows it. */
interface Described {
  readonly columnType?: string;
  readonly type?: unknown;
}

const BY_CLASS = new Map<unknown, string>([
  [IntegerType, 'int'],
  [BooleanType, 'boolean'],
  [JsonType, 'jsonb'],
]);

const byTable = new Map(
  tables.map(({ meta }): [string, ReadonlyMap<string, string>] => [
    meta.tableName,
    new Map(Object.entries(meta.properties).map(([key, property]) => [key, sqlType(property as Described)])),
  ]),
);

function sqlType({ columnType, type }: Described): string {
  const known = columnType ?? BY_CLASS.get(type) ?? BY_CLASS.get(type?.constructor);
  if (known === undefined) throw new Error('A column of the schema has no SQL type.');
  return known;
}

/** The SQL type of a column, which is named in camelCase. */
export function columnType(table: keyof Schema & string, key: string): string {
  const type = byTable.get(table)?.get(key);
  if (type === undefined) throw new Error(`There is no column ${table}.${key}.`);
  return type;
}
