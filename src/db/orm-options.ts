import type { Options } from '@mikro-orm/postgresql';
import { fileURLToPath } from 'node:url';
import type { Pool, TypeOverrides } from 'pg';
import { tables } from './schema/index.ts';

const TIMESTAMPTZ = 1184;
const INT8 = 20;
/** A database that does not answer is told of after this long, instead of never. */
const CONNECT_MS = 10_000;

/** PostgreSQL writes `2026-08-01 00:00:00+00` in a UTC session; the product speaks `2026-08-01T00:00:00.000Z`. */
const toInstant = (text: string): string => new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z')).toISOString();

/**
 * Options that every connection shares. Dates stay text, instants become ISO text, decimals stay text.
 *
 * @param options.url       connection string, the role included.
 * @param options.poolSize  the most connections held at once.
 */
export const ormOptions = (options: { url: string; poolSize: number }) =>
  ({
    clientUrl: options.url,
    entities: [...tables],
    pool: { min: 0, max: options.poolSize, idleTimeoutMillis: 10_000 },
    forceUtcTimezone: true,
    allowGlobalContext: false,
    driverOptions: {
      options: '-c timezone=UTC',
      connectionTimeoutMillis: CONNECT_MS,
      onPoolCreated: (pool: Pool) => {
        const types = pool.options.types as unknown as TypeOverrides;
        types.setTypeParser(TIMESTAMPTZ, toInstant);
        types.setTypeParser(INT8, Number);
      },
    },
    migrations: {
      path: fileURLToPath(new URL('./migrations', import.meta.url)),
      glob: '!(*.d).{js,ts}',
      snapshot: false,
      silent: true,
      transactional: true,
      disableForeignKeys: false,
    },
    schemaGenerator: { createForeignKeyConstraints: false, ignoreTriggers: true, ignoreRoutines: true },
  }) satisfies Options;
