import { planNext } from '../../domain/billing-group/plan.ts';
import type { Instant } from '../../domain/calendar.ts';
import type { Tx } from '../database.ts';
import { type LoadedGroup, loadGroups } from './group-state.ts';

/** Something on a test clock that has work to do at the clock's instant. */
export interface DueOnClock {
  readonly kind: 'GROUP' | 'RUN';
  readonly id: string;
}

export interface ClockMove {
  /** Empty when the clock has arrived, or has failed. */
  readonly due: readonly DueOnClock[];
  readonly status: 'READY' | 'ADVANCING' | 'FAILED';
  readonly now: Instant;
}

/**
 * Moves a test clock one step: to its next due instant, or to its target when nothing is due before it (O1). While anything
 * is still to be done at the present instant, the clock stands and that is returned again.
 */
export async function moveClock(tx: Tx, testClockId: string): Promise<ClockMove> {
  const clock = await tx.db
    .selectFrom('test_clocks')
    .where('id', '=', testClockId)
    .select(['nowAt', 'targetAt', 'status'])
    .forUpdate()
    .executeTakeFirst();
  if (clock === undefined || clock.status !== 'ADVANCING') {
    return { due: [], status: clock?.status ?? 'FAILED', now: clock?.nowAt ?? tx.now() };
  }
  const groups = await groupsOn(tx, testClockId);
  const blocked = blockedRun(groups);
  if (blocked !== null) return fail(tx, testClockId, clock.nowAt, blocked);

  const runs = await requestedRuns(tx, testClockId);
  const dueNow = [...runs, ...dueGroups(groups, clock.nowAt)];
  if (dueNow.length > 0) return { due: dueNow, status: 'ADVANCING', now: clock.nowAt };

  const next = nextInstant(groups, clock.nowAt);
  if (next === null || next > clock.targetAt) {
    await tx.db
      .updateTable('test_clocks')
      .set({ nowAt: clock.targetAt, status: 'READY' })
      .where('id', '=', testClockId)
      .execute();
    return { due: [], status: 'READY', now: clock.targetAt };
  }
  await tx.db.updateTable('test_clocks').set({ nowAt: next }).where('id', '=', testClockId).execute();
  return { due: dueGroups(groups, next), status: 'ADVANCING', now: next };
}

async function groupsOn(tx: Tx, testClockId: string): Promise<LoadedGroup[]> {
  const rows = await tx.db
    .selectFrom('billing_groups')
    .where('testClockId', '=', testClockId)
    .where('status', '<>', 'CLOSED')
    .select('id')
    .execute();
  return loadGroups(
    tx,
    rows.map(({ id }) => id),
  );
}

/** Charges billed at once, outside any group. */
async function requestedRuns(tx: Tx, testClockId: string): Promise<DueOnClock[]> {
  const rows = await tx.db
    .selectFrom('billing_runs')
    .where('testClockId', '=', testClockId)
    .where('billingGroupId', 'is', null)
    .where('status', '=', 'OPEN')
    .select('id')
    .execute();
  return rows.map(({ id }) => ({ kind: 'RUN' as const, id }));
}

const dueGroups = (groups: readonly LoadedGroup[], now: Instant): DueOnClock[] =>
  groups
    .filter(({ state }) => isBusy(planNext(state, now).kind))
    .map(({ groupId }) => ({ kind: 'GROUP', id: groupId }));

const isBusy = (kind: ReturnType<typeof planNext>['kind']): boolean =>
  kind === 'RUN' || kind === 'OPEN_RUN' || kind === 'SKIP' || kind === 'WAIT_FOR_ENTITY';

function nextInstant(groups: readonly LoadedGroup[], now: Instant): Instant | null {
  const instants = groups.flatMap(({ state }) => {
    const step = planNext(state, now);
    return step.kind === 'SLEEP' && (step.reason === 'BOUNDARY' || step.reason === 'REQUEST') ? [step.until] : [];
  });
  return instants.toSorted()[0] ?? null;
}

/** A run that has failed and only waits to be tried again: an operator must look before the clock goes on. */
function blockedRun(groups: readonly LoadedGroup[]): string | null {
  for (const { groupId, state } of groups) {
    const run = state.unfinished.find(({ status, retryAt }) => status === 'BLOCKED' && retryAt !== null);
    if (run !== undefined) return `Run ${run.runId} of group ${groupId} is BLOCKED: ${run.reason ?? 'no reason given'}`;
  }
  return null;
}

async function fail(tx: Tx, testClockId: string, now: Instant, error: string): Promise<ClockMove> {
  await tx.db.updateTable('test_clocks').set({ status: 'FAILED', error }).where('id', '=', testClockId).execute();
  return { due: [], status: 'FAILED', now };
}
