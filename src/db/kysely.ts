import type { InferKyselyDB } from '@mikro-orm/postgresql';
import { CamelCasePlugin, type Kysely, sql } from 'kysely';
import type { tables } from './schema/index.ts';

/** Every table with its columns in camelCase. Table names stay as they are in SQL (`billing_groups`). */
export type Schema = InferKyselyDB<(typeof tables)[number], { columnNamingStrategy: 'property' }>;

export type Sql = Kysely<Schema>;

/** JSON columns keep the keys they were stored with. */
export const camelCase = new CamelCasePlugin({ maintainNestedObjectKeys: true });

/**
 * The offset of a lateral subquery that is to stay one: looked up by its index for each row outside. The planner takes a tenant
 * of which it has no statistics for one with a handful of rows, and would rather join all of them with everything.
 */
export const FENCE = sql<number>`0`;
