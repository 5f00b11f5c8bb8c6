import { Migrator } from '@mikro-orm/migrations';
import { type EntityManager, IsolationLevel, MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Instant } from '../domain/calendar.ts';
import { type Clock, wallClock } from './clock.ts';
import { camelCase, type Sql } from './kysely.ts';
import { CONNECT_MS, ormOptions } from './orm-options.ts';
import { ensureRoles, grants, roleUrl } from './roles.ts';

/** One transaction of one tenant: everything read and written through it is that tenant's, by row-level security. */
export interface Tx {
  readonly tenantId: string;
  /** For single rows and small lists. */
  readonly em: EntityManager;
  /** For set-based reads and writes, in the same transaction. */
  readonly db: Sql;
  /** The wall clock. For a customer's *now*, which may be a test clock's, see `nowOf`. */
  now(): Instant;
}

/** A transaction of the relay, the sweep or a platform call, which sees a few tables of every tenant (O7). */
export type SystemTx = Omit<Tx, 'tenantId'>;

export interface Database {
  readonly ownerUrl: string;
  /** Runs `work` in one transaction of a tenant; a deadlock or serialization failure is tried again, three times in all. */
  inTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>, options?: TxOptions): Promise<T>;
  /** Runs `work` as the system role. */
  acrossTenants<T>(work: (tx: SystemTx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TxOptions {
  /** One snapshot for the whole transaction and no writes: for previews and reads that must agree with themselves. */
  readonly readOnly?: boolean;
}

const ATTEMPTS = 3;
/** serialization_failure, deadlock_detected */
const RETRYABLE = new Set(['40001', '40P01']);

/**
 * Opens the database: creates the two roles, migrates as the owner, then connects as the roles that row-level security binds.
 *
 * @param options.ownerUrl  a role that may create roles and tables.
 * @param options.poolSize  connections of the app role; the system role takes four more.
 */
export async function openDatabase(options: {
  ownerUrl: string;
  log: Logger;
  clock?: Clock;
  poolSize?: number;
}): Promise<Database> {
  const { ownerUrl, log, clock = wallClock, poolSize = 20 } = options;
  await migrate(ownerUrl, log);
  const app = await MikroORM.init(ormOptions({ url: roleUrl(ownerUrl, 'tributary_app'), poolSize }));
  const system = await MikroORM.init(ormOptions({ url: roleUrl(ownerUrl, 'tributary_system'), poolSize: 4 }));
  const bind = (em: EntityManager) => ({
    em,
    db: em.getKysely().withPlugin(camelCase) as unknown as Sql,
    now: () => clock.now(),
  });
  return {
    ownerUrl,
    inTenant: (tenantId, work, txOptions = {}) =>
      retrying(() => {
        const em = app.em.fork();
        em.setSessionContext({ variables: { 'app.tenant_id': tenantId } });
        return em.transactional((tx) => work({ tenantId, ...bind(tx) }), {
          ...(txOptions.readOnly ? { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true } : {}),
        });
      }),
    acrossTenants: (work) => retrying(() => system.em.fork().transactional((tx) => work(bind(tx)))),
    close: async () => {
      await app.close(true);
      await system.close(true);
    },
  };
}

/** Processes that start together migrate one after the other. */
const MIGRATION_LOCK = 7_266_112;

async function migrate(ownerUrl: string, log: Logger): Promise<void> {
  const guard = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: CONNECT_MS });
  await guard.connect();
  try {
    await guard.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await ensureRoles(ownerUrl);
    await migrateAsOwner(ownerUrl, log);
  } finally {
    await guard.end();
  }
}

async function migrateAsOwner(ownerUrl: string, log: Logger): Promise<void> {
  const owner = await MikroORM.init({
    ...ormOptions({ url: ownerUrl, poolSize: 1, unlimited: true }),
    extensions: [Migrator],
  });
  try {
    const applied = await owner.migrator.up();
    if (applied.length > 0) log.info({ migrations: applied.map(({ name }) => name) }, 'database migrated');
    await owner.em.fork().transactional((em) => em.execute(grants()));
  } finally {
    await owner.close(true);
  }
}

async function retrying<T>(attempt: () => Promise<T>, attemptsLeft = ATTEMPTS): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (attemptsLeft <= 1 || !RETRYABLE.has((error as { code?: string }).code ?? '')) throw error;
    return retrying(attempt, attemptsLeft - 1);
  }
}
