import { sql } from 'kysely';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { plusElapsed } from '../domain/calendar.ts';
import type { Database, SystemTx } from '../db/database.ts';
import { forgetExpiredKeys } from '../db/idempotency.ts';
import { wakeClock, wakeGroup, wakeRun } from './wake.ts';

/** Groups that should have woken this long ago and did not are woken. */
const LATE_MINUTES = 1;
const SWEEP_MS = 30_000;
const BATCH = 500;

interface SweepDeps {
  readonly database: Database;
  readonly client: Client;
  readonly taskQueue: string;
  readonly log: Logger;
  /** Makes sure that the server knows our search attributes: one that lost its data does not, and fails all who write them. */
  readonly register: () => Promise<void>;
}

export interface Sweep {
  stop(): Promise<void>;
}

/**
 * Finds what no signal woke: groups whose instant has passed, that were never planned or were asked to bill at once, runs
 * outside any group that did not finish, clocks that stand while they should move; and forgets idempotency keys that are
 * over. At start-up and on a schedule; nothing depends on a signal arriving.
 */
export function startSweep(deps: SweepDeps): Sweep {
  let isStopping = false;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const tick = async (): Promise<void> => {
    try {
      await sweepOnce(deps);
    } catch (error) {
      deps.log.warn({ reason: (error as Error).message }, 'sweep: cannot look now; trying again');
    }
    if (!isStopping) timer = setTimeout(start, SWEEP_MS);
  };
  const start = (): void => {
    running = tick();
  };
  start();
  return {
    stop: async () => {
      isStopping = true;
      if (timer !== null) clearTimeout(timer);
      await running;
    },
  };
}

/** One look at everything that is late. */
async function sweepOnce({ database, client, taskQueue, log, register }: SweepDeps): Promise<void> {
  await database.acrossTenants(forgetExpiredKeys);
  await register();
  const late = await database.acrossTenants(findLate);
  const woken = await Promise.allSettled([
    ...late.groups.map(({ tenantId, id }) => wakeGroup(client, taskQueue, { tenantId, groupId: id })),
    ...late.runs.map(({ tenantId, id, testClockId }) =>
      wakeRun(client, taskQueue, { tenantId, runId: id, testClockId }),
    ),
    ...late.clocks.map(({ tenantId, id }) => wakeClock(client, taskQueue, { tenantId, testClockId: id })),
  ]);
  const failed = woken.filter(({ status }) => status === 'rejected');
  if (failed.length > 0) log.warn({ failed: failed.length }, 'sweep: could not wake all that was late; trying again');
  const found = late.groups.length + late.runs.length + late.clocks.length;
  if (found > 0)
    log.info(
      { groups: late.groups.length, runs: late.runs.length, clocks: late.clocks.length },
      'sweep: woke what was late',
    );
}

interface Late {
  readonly tenantId: string;
  readonly id: string;
}

async function findLate(
  tx: SystemTx,
): Promise<{ groups: Late[]; runs: (Late & { testClockId: string | null })[]; clocks: Late[] }> {
  const before = plusElapsed(tx.now(), { minutes: -LATE_MINUTES });
  const groups = await sql<Late>`
    select tenant_id, id from (
      select g.tenant_id, g.id, g.next_due_at as due_at from billing_groups g
       where g.status <> 'CLOSED' and g.test_clock_id is null and g.next_due_at < ${before}::timestamptz
      union all
      select r.tenant_id, r.billing_group_id, greatest(r.created_at, r.retry_at) from billing_runs r
       where r.status = 'OPEN' and r.kind <> 'BOUNDARY' and r.billing_group_id is not null and r.test_clock_id is null
         and greatest(r.created_at, r.retry_at) < ${before}::timestamptz) late
     group by tenant_id, id order by min(due_at) limit ${BATCH}`.execute(tx.db);
  const runs = await sql<Late & { testClockId: string | null }>`
    select r.tenant_id, r.id, r.test_clock_id from billing_runs r
      join billing_entities e on e.tenant_id = r.tenant_id and e.id = r.billing_entity_id
     where r.billing_group_id is null and e.status <> 'SUSPENDED' and r.created_at < ${before}::timestamptz
       and (r.retry_at is null or r.retry_at < ${before}::timestamptz)
       and (r.status in ('OPEN', 'BLOCKED') or r.status = 'WAITING' and r.reason = 'ENTITY_SUSPENDED')
     order by r.created_at limit ${BATCH}`.execute(tx.db);
  const clocks = await sql<Late>`
    select c.tenant_id, c.id from test_clocks c where c.status = 'ADVANCING' limit ${BATCH}`.execute(tx.db);
  return { groups: groups.rows, runs: runs.rows, clocks: clocks.rows };
}
