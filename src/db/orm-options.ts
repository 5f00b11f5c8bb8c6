import type { Options } from '@mikro-orm/postgresql';
import { fileURLToPath } from 'node:url';
import type { Client, Pool, PoolClient, TypeOverrides } from 'pg';
import { tables } from './schema/index.ts';
import { watchSilence } from './watch-silence.ts';

const TIMESTAMPTZ = 1184;
const INT8 = 20;
/** A database that does not answer is told of after this long, instead of never. */
export const CONNECT_MS = 10_000;
/** The network is asked whether the other end is still there when a connection has been silent for this long. */
const KEEP_ALIVE_MS = 10_000;
/** No statement, no wait for a lock and no forgotten transaction goes on for ever; what is cut off may be tried again. */
const PATIENCE = '-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s';
/** Longer than any statement may take, so that the server's own word comes first where there is one. */
const SILENCE_MS = 35_000;

/** PostgreSQL writes `2026-08-01 00:00:00+00` in a UTC session; the product speaks `2026-08-01T00:00:00.000Z`. */
const toInstant = (text: string): string =>
  // Nearly all instants are whole seconds, and a large run reads thousands.
  text.length === WHOLE_SECOND.length && text.endsWith('+00')
    ? `${text.slice(0, 10)}T${text.slice(11, 19)}.000Z`
    : new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z')).toISOString();

const WHOLE_SECOND = '2026-08-01 00:00:00+00';

/**
 * Options that every connection shares. Dates stay text, instants become ISO text, decimals stay text.
 *
 * @param options.url        connection string, the role included.
 * @param options.poolSize   the most connections held at once.
 * @param options.unlimited  for migrations: a statement may take as long as it needs.
 */
export const ormOptions = (options: { url: string; poolSize: number; unlimited?: boolean }) =>
  ({
    clientUrl: options.url,
    entities: [...tables],
    pool: { min: 0, max: options.poolSize, idleTimeoutMillis: 10_000 },
    forceUtcTimezone: true,
    allowGlobalContext: false,
    driverOptions: {
      options: `-c timezone=UTC${options.unlimited === true ? '' : ` ${PATIENCE}`}`,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      onPoolCreated: (pool: Pool) => {
        const types = pool.options.types as unknown as TypeOverrides;
        types.setTypeParser(TIMESTAMPTZ, toInstant);
        types.setTypeParser(INT8, Number);
        pool.on('connect', giveBackAlways);
        watchSilence(pool, options.unlimited === true ? 0 : SILENCE_MS);
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

/**
 * Sees to it that a connection that is gone is given back: else the pool would have one place less for ever. A transaction that
 * could not begin leaves its connection with nobody, so it is released here; a rollback that fails would keep Kysely from
 * releasing, so it counts as done: the server has rolled back by itself.
 */
function giveBackAlways(client: PoolClient): void {
  // Looked up at each call: who counts statements replaces the driver's own.
  const send = (...args: unknown[]): unknown =>
    Reflect.apply((Object.getPrototypeOf(client) as { query(...given: unknown[]): unknown }).query, client, args);
  const isRolledBack = (): unknown => {
    void (client as unknown as Client).end().catch(() => undefined);
    return { command: 'ROLLBACK', rowCount: 0, rows: [] };
  };
  const neverBegun = (error: Error): never => {
    client.release(error);
    throw error;
  };
  const givingBack = (...args: unknown[]): unknown => {
    const [text] = args;
    if (text === 'rollback') return (send(...args) as Promise<unknown>).catch(isRolledBack);
    if (typeof text === 'string' && BEGINS.test(text)) return (send(...args) as Promise<unknown>).catch(neverBegun);
    return send(...args);
  };
  Object.assign(client, { query: givingBack });
}

/** As Kysely begins a transaction. */
const BEGINS = /^(begin|start transaction)\b/;
