import { type CalendarDate, earlier, type Instant, later, localDate, plusElapsed } from '../calendar.ts';
import { boundariesFrom, type Boundary, boundaryAfter, boundaryAtOrAfter, type ScheduleVersion } from './schedule.ts';

/** A run that is not over. */
export interface UnfinishedRun {
  readonly runId: string;
  readonly kind: 'BOUNDARY' | 'IMMEDIATE' | 'BILL_NOW';
  readonly status: 'OPEN' | 'WAITING' | 'BLOCKED';
  readonly reason: string | null;
  readonly boundaryAt: Instant | null;
  /** Not before: when a BLOCKED run tries again by itself, or a request for later falls due. */
  readonly retryAt: Instant | null;
}

/** What a group is waiting to bill, as far as it decides when. Dates are local, in the group's zone. */
export interface GroupWork {
  /** The first day of what was never billed: starts, waiting charges, ends whose credit is due; null when there is none. */
  readonly firstStartOn: CalendarDate | null;
  /** The first instant to which a running item is billed through; null when none was billed yet. */
  readonly firstContinuesAt: Instant | null;
}

/** A billing group as its next step depends on it. */
export interface GroupState {
  readonly status: 'ACTIVE' | 'PAUSED' | 'BLOCKED' | 'CLOSED';
  readonly entityStatus: 'ACTIVE' | 'SUSPENDED' | 'ARCHIVED';
  readonly timezone: string;
  /** Empty while the group has no anchor. In order of time. */
  readonly versions: readonly ScheduleVersion[];
  readonly createdAt: Instant;
  readonly settleMinutes: number;
  readonly lastJoinedAt: Instant | null;
  /** The last boundary whose run took its cut-off, or that was skipped. */
  readonly lastBoundaryAt: Instant | null;
  readonly work: GroupWork;
  /** Oldest first. */
  readonly unfinished: readonly UnfinishedRun[];
  readonly skipped: readonly Instant[];
  /** Null in real time; else whether the clock is being moved right now. */
  readonly testClock: { readonly isAdvancing: boolean } | null;
}

/** What the group does next. */
export type NextStep =
  | { readonly kind: 'RUN'; readonly runId: string }
  | { readonly kind: 'OPEN_RUN'; readonly boundaryAt: Instant }
  | { readonly kind: 'SKIP'; readonly boundaryAt: Instant }
  | { readonly kind: 'WAIT_FOR_ENTITY'; readonly boundaryAt: Instant }
  | { readonly kind: 'SLEEP'; readonly until: Instant; readonly reason: 'BOUNDARY' | 'SETTLING' | 'REQUEST' | 'RETRY' }
  | { readonly kind: 'IDLE'; readonly reason: 'NOTHING_DUE' | 'PAUSED' | 'ENTITY_SUSPENDED' }
  | { readonly kind: 'CLOSED' };

/** The reason of a run that waits for its entity to be reactivated (E5). */
export const ENTITY_SUSPENDED = 'ENTITY_SUSPENDED';

const SETTLING_HOURS_MAX = 24;

/**
 * The next thing a group has to do at an instant: requests first, then what is unfinished, oldest first, then the next
 * boundary (RP1, RP10, RP12). A pause holds the boundaries, not what was asked for.
 */
export function planNext(group: GroupState, now: Instant): NextStep {
  const requested = group.unfinished.filter(({ kind }) => kind !== 'BOUNDARY');
  const due = requested.find((run) => canGoOn(run, group, now));
  if (due !== undefined) return { kind: 'RUN', runId: due.runId };
  const step = planBoundary(group, now);
  const instants = requested.flatMap(({ retryAt }) => retryAt ?? []);
  const [requestedAt] = instants.filter((at) => at > now).toSorted();
  return requestedAt === undefined ? step : sleepNoLater(step, requestedAt);
}

/** A wait that also ends when a request for later falls due. */
function sleepNoLater(step: NextStep, until: Instant): NextStep {
  const waits = step.kind === 'IDLE' || (step.kind === 'SLEEP' && step.until > until);
  return waits ? { kind: 'SLEEP', until, reason: 'REQUEST' } : step;
}

/** The step that the boundaries ask for: what is unfinished, oldest first, then the next one. */
function planBoundary(group: GroupState, now: Instant): NextStep {
  if (group.status === 'CLOSED') return { kind: 'CLOSED' };
  if (group.status === 'PAUSED') return { kind: 'IDLE', reason: 'PAUSED' };

  const unfinished = unfinishedStep(group, now);
  if (unfinished !== null) return unfinished;

  const boundary = nextBoundary(group);
  const waits = group.unfinished.some(isWaitingForEntity);
  if (boundary === null) return { kind: 'IDLE', reason: waits ? 'ENTITY_SUSPENDED' : 'NOTHING_DUE' };
  const dueAt = dueInstant(group, boundary.boundaryAt);
  if (dueAt === null || dueAt > now) {
    const until = dueAt ?? boundary.boundaryAt;
    return { kind: 'SLEEP', until, reason: boundary.boundaryAt <= now ? 'SETTLING' : 'BOUNDARY' };
  }
  const { boundaryAt } = boundary;
  if (group.skipped.includes(boundaryAt)) return { kind: 'SKIP', boundaryAt };
  if (group.entityStatus === 'SUSPENDED') return { kind: 'WAIT_FOR_ENTITY', boundaryAt };
  return { kind: 'OPEN_RUN', boundaryAt };
}

/** The oldest unfinished run that can go on, or the wait until it may; null when nothing unfinished stands in the way. */
function unfinishedStep(group: GroupState, now: Instant): NextStep | null {
  for (const run of group.unfinished) {
    if (canGoOn(run, group, now)) return { kind: 'RUN', runId: run.runId };
    if (run.status === 'BLOCKED' && run.retryAt !== null) return { kind: 'SLEEP', until: run.retryAt, reason: 'RETRY' };
  }
  return null;
}

/** Whether a run's time has come; one that waits for its entity goes on when that is no more suspended. */
const canGoOn = (run: UnfinishedRun, { entityStatus }: GroupState, now: Instant): boolean =>
  run.status === 'WAITING'
    ? isWaitingForEntity(run) && entityStatus !== 'SUSPENDED'
    : run.retryAt === null || run.retryAt <= now;

const isWaitingForEntity = (run: UnfinishedRun): boolean => run.status === 'WAITING' && run.reason === ENTITY_SUSPENDED;

/**
 * The next boundary that has anything to bill, after all that ran or wait; null when nothing is to be billed.
 *
 * The first event of a group is the first boundary at or after its first member's start (RP1). Later ones are counted
 * from the last: boundaries at which nothing can fall due are passed over.
 */
export function nextBoundary(group: Omit<GroupState, 'lastJoinedAt'>): Boundary | null {
  const { versions, work, timezone } = group;
  if (versions.length === 0) return null;
  const after = lastTaken(group);
  const candidates: Boundary[] = [];
  if (work.firstStartOn !== null)
    candidates.push(firstFree(boundaryAtOrAfter(versions, work.firstStartOn), versions, after));
  if (work.firstContinuesAt !== null) {
    const floor =
      after === null
        ? boundaryAtOrAfter(versions, localDate(group.createdAt, timezone))
        : boundaryAfter(versions, after);
    candidates.push(lastAtOrBefore(versions, work.firstContinuesAt, floor, timezone));
  }
  return candidates.toSorted((a, b) => a.boundaryAt.localeCompare(b.boundaryAt))[0] ?? null;
}

/** The next boundary that will bill: `nextBoundary`, or the first after it that an operator did not tell to skip (RP12). */
export function nextBillingBoundary(group: Omit<GroupState, 'lastJoinedAt'>): Boundary | null {
  let boundary = nextBoundary(group);
  while (boundary !== null && group.skipped.includes(boundary.boundaryAt)) {
    boundary = boundaryAfter(group.versions, boundary.boundaryAt);
  }
  return boundary;
}

/** The latest boundary that ran, was skipped, or waits for its entity. */
function lastTaken(group: Pick<GroupState, 'lastBoundaryAt' | 'unfinished'>): Instant | null {
  const waiting = group.unfinished.filter(isWaitingForEntity).map(({ boundaryAt }) => boundaryAt);
  return (
    [group.lastBoundaryAt, ...waiting]
      .filter((at) => at !== null)
      .toSorted()
      .at(-1) ?? null
  );
}

const firstFree = (boundary: Boundary, versions: readonly ScheduleVersion[], after: Instant | null): Boundary =>
  after !== null && boundary.boundaryAt <= after ? boundaryAfter(versions, after) : boundary;

/** RP13: the last boundary at or before an instant, but never before `floor`. */
function lastAtOrBefore(
  versions: readonly ScheduleVersion[],
  instant: Instant,
  floor: Boundary,
  timezone: string,
): Boundary {
  if (floor.boundaryAt >= instant) return floor;
  let best = floor;
  for (const boundary of boundariesFrom(versions, localDate(floor.boundaryAt, timezone))) {
    if (boundary.boundaryAt > instant) break;
    best = boundary;
  }
  return best;
}

/**
 * When a boundary may run: at itself; but the first event of a group that was already past when its members joined waits
 * for them to settle (RP1). Null on a test clock that stands still: it is due at the next advance.
 */
function dueInstant(group: GroupState, boundaryAt: Instant): Instant | null {
  const joinedAt = group.lastJoinedAt;
  const settles = group.lastBoundaryAt === null && joinedAt !== null && boundaryAt <= joinedAt;
  if (!settles) return boundaryAt;
  if (group.testClock !== null) return group.testClock.isAdvancing ? boundaryAt : null;
  const settled = plusElapsed(joinedAt, { minutes: group.settleMinutes });
  const latest = plusElapsed(group.createdAt, { hours: SETTLING_HOURS_MAX });
  return later(boundaryAt, earlier(settled, later(latest, boundaryAt)));
}
