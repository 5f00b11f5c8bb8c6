import { sql } from 'kysely';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { plusElapsed } from '../domain/calendar.ts';
import type { Database, SystemTx } from '../db/database.ts';
import { tellable } from '../db/failures.ts';
import { forgetExpiredKeys } from '../db/idempotency.ts';
import { isAway, wakeClock, wakeGroup, wakeRun } from './wake.ts';

/** Groups that should have woken this long ago and did not are woken. */
const LATE_MINUTES = 1;
const SWEEP_MS = 30_000;
/** How many of a kind one look finds at most; the next one goes on after them. */
const FOUND = 1_000;
/** How many are woken at a time. */
const AT_A_TIME = 100;

interface SweepDeps {
  readonly database: Database;
  readonly client: Client;
  readonly taskQueue: string;
  readonly log: Logger;
  /** Makes sure that the server knows our search attributes: one that lost its data does not, and fails all who write them. */
  readonly register: () => Promise<void>;
  /** Pause between two looks; 30 s unless given. */
  readonly everyMs?: number;
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
  let after = FROM_THE_FIRST;
  let running: Promise<void> = Promise.resolve();
  const tick = async (): Promise<void> => {
    let pauseMs = deps.everyMs ?? SWEEP_MS;
    try {
      const look = await sweepOnce(deps, after, () => isStopping);
      ({ after } = look);
      // A tenant with thousands of late groups keeps those behind them waiting no longer than it takes to wake them.
      if (look.isMore) pauseMs = 0;
    } catch (error) {
      deps.log.warn({ reason: tellable(error) }, 'sweep: cannot look now; trying again');
    }
    if (!isStopping) timer = setTimeout(start, pauseMs);
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

/** What a look found last of each kind, where it found as many as it may; the next one goes on after them. */
interface Found {
  readonly groups: string;
  readonly runs: string;
  readonly clocks: string;
}

const FROM_THE_FIRST: Found = { groups: '', runs: '', clocks: '' };

/** Where the next look begins, and whether there was more to be found by this one. */
interface Look {
  readonly after: Found;
  readonly isMore: boolean;
}

/** One look at what is late; a stop ends it with what is being woken just then. */
async function sweepOnce(
  { database, client, taskQueue, log, register }: SweepDeps,
  after: Found,
  isStopping: () => boolean,
): Promise<Look> {
  await database.acrossTenants(forgetExpiredKeys);
  await register();
  const { groups, runs, clocks } = await database.acrossTenants((tx) => findLate(tx, after));
  const found = { groups: nextAfter(groups), runs: nextAfter(runs), clocks: nextAfter(clocks) };
  const isMore = Object.values(found).some((id) => id !== '');
  const wakes = inTurns([
    ...runs.map(({ tenantId, id: runId, testClockId }) => ({
      tenantId,
      wake: () => wakeRun(client, taskQueue, { tenantId, runId, testClockId }),
    })),
    ...clocks.map(({ tenantId, id: testClockId }) => ({
      tenantId,
      wake: () => wakeClock(client, taskQueue, { tenantId, testClockId }),
    })),
    ...groups.map(({ tenantId, id: groupId }) => ({
      tenantId,
      wake: () => wakeGroup(client, taskQueue, { tenantId, groupId }),
    })),
  ]);
  if (wakes.length === 0) return { after: found, isMore: false };
  const counts = { groups: groups.length, runs: runs.length, clocks: clocks.length };
  log.info(counts, 'sweep: waking what is late');
  let failed = 0;
  for (let from = 0; from < wakes.length && !(isStopping() && from > 0); from += AT_A_TIME) {
    const woken = await Promise.allSettled(wakes.slice(from, from + AT_A_TIME).map(({ wake }) => wake()));
    const failures = woken.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    failed += failures.length;
    // Nobody is there to be told; the next look begins where this one did.
    if (failures.length === woken.length && failures.every(isAway)) {
      log.warn({ failed }, 'sweep: nobody can be woken now; trying again');
      return { after, isMore: false };
    }
  }
  if (failed > 0) log.warn({ failed }, 'sweep: could not wake all that was late; trying again');
  return { after: found, isMore };
}

const nextAfter = (late: readonly Late[]): string => (late.length < FOUND ? '' : (late.at(-1)?.id ?? ''));

/** One of each tenant after the other: one with many does not keep one with few waiting. */
function inTurns<L extends { readonly tenantId: string }>(all: readonly L[]): L[] {
  const turns = new Map<string, number>();
  return all
    .map((one) => {
      const turn = turns.get(one.tenantId) ?? 0;
      turns.set(one.tenantId, turn + 1);
      return { one, turn };
    })
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ one }) => one);
}

interface Late {
  readonly tenantId: string;
  readonly id: string;
}

/** By their ids, so that one look goes on where the one before ended, and nothing that stays late hides what comes after it. */
async function findLate(
  tx: SystemTx,
  after: Found,
): Promise<{ groups: Late[]; runs: (Late & { testClockId: string | null })[]; clocks: Late[] }> {
  const before = plusElapsed(tx.now(), { minutes: -LATE_MINUTES });
  const groups = await sql<Late>`
    select tenant_id, id from (
      select g.tenant_id, g.id from billing_groups g
       where g.status <> 'CLOSED' and g.test_clock_id is null and g.next_due_at < ${before}::timestamptz
      union
      select r.tenant_id, r.billing_group_id from billing_runs r
       where r.status = 'OPEN' and r.kind <> 'BOUNDARY' and r.billing_group_id is not null and r.test_clock_id is null
         and greatest(r.created_at, r.retry_at) < ${before}::timestamptz) late
     where id > ${after.groups} order by id limit ${FOUND}`.execute(tx.db);
  const runs = await sql<Late & { testClockId: string | null }>`
    select r.tenant_id, r.id, r.test_clock_id from billing_runs r
      join billing_entities e on e.tenant_id = r.tenant_id and e.id = r.billing_entity_id
     where r.billing_group_id is null and e.status <> 'SUSPENDED' and r.created_at < ${before}::timestamptz
       and (r.retry_at is null or r.retry_at < ${before}::timestamptz)
       and (r.status in ('OPEN', 'BLOCKED') or r.status = 'WAITING' and r.reason = 'ENTITY_SUSPENDED')
       and r.id > ${after.runs} order by r.id limit ${FOUND}`.execute(tx.db);
  const clocks = await sql<Late>`
    select c.tenant_id, c.id from test_clocks c
     where c.status = 'ADVANCING' and c.id > ${after.clocks} order by c.id limit ${FOUND}`.execute(tx.db);
  return { groups: groups.rows, runs: runs.rows, clocks: clocks.rows };
}
