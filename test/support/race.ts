import { expect } from 'vitest';
import type { Tx } from '../../src/db/database.ts';
import type { TestDatabase } from './database.ts';

const WAITING = 'select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))';

/** The session of PostgreSQL that a transaction is in. */
export async function sessionOf(tx: Tx): Promise<number> {
  const [row] = await tx.em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
  return row?.pid ?? 0;
}

/**
 * Two things at once, in the worst order: the first has done its work and not committed when the second comes; it commits
 * when the second waits for it, or has finished without waiting.
 *
 * @returns what became of the second.
 */
export async function whileOpen<T>(
  db: TestDatabase,
  tenantId: string,
  first: (tx: Tx) => Promise<unknown>,
  second: () => Promise<T>,
): Promise<T> {
  const { promise: done, resolve: arrive } = Promise.withResolvers<number>();
  const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
  const open = db.database.inTenant(tenantId, async (tx) => {
    await first(tx);
    arrive(await sessionOf(tx));
    await mayCommit;
  });
  const holder = await Promise.race([done, open]);
  let finished = false;
  const other = second().finally(() => (finished = true));
  await expect
    .poll(async () => finished || (await db.query(WAITING, [holder])).length > 0, { timeout: 15_000 })
    .toBe(true);
  commit();
  await open;
  return other;
}
