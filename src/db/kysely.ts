import type { InferKyselyDB } from '@mikro-orm/postgresql';
import { CamelCasePlugin, type Kysely } from 'kysely';
import type { tables } from './schema/index.ts';

/** Every table with its columns in camelCase. Table names stay as they are in SQL (`billing_groups`). */
export type Schema = InferKyselyDB<(typeof tables)[number], { columnNamingStrategy: 'property' }>;

export type Sql = Kysely<Schema>;

/** JSON columns keep the keys they were stored with. */
export const camelCase = new CamelCasePlugin({ maintainNestedObjectKeys: true });
