import { ENTITY_SUSPENDED, type NextStep, nextBillingBoundary, planNext } from '../../domain/billing-group/plan.ts';
import { type Instant, readable } from '../../domain/calendar.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { insertNewRows, updateRows } from '../rows.ts';
import { type LoadedGroup, loadGroups } from './group-state.ts';

/** What a group's workflow does next; ids and instants only. AGAIN: something was done, and more is due. */
export type PlannedStep =
  | { readonly kind: 'RUN'; readonly runId: string; readonly isLarge: boolean }
  | { readonly kind: 'AGAIN' }
  | { readonly kind: 'SLEEP'; readonly until: Instant; readonly waitMs: number; readonly reason: string }
  | { readonly kind: 'IDLE'; readonly reason: string }
  | { readonly kind: 'CLOSED' };

/** The next step, and what the workflow shows of the group to an operator. */
export interface Plan {
  readonly step: PlannedStep;
  readonly status: string;
  readonly nextBillingAt: Instant | null;
  readonly entityCode: string;
  readonly payerCustomerId: string;
  /** The test clock that the group lives on; its instant, not the server's, is *now*. */
  readonly testClockId: string | null;
  readonly isClockAdvancing: boolean;
  /** What it does or waits for, in one line with the zone. */
  readonly summary: string;
  /** The run that was billed on the way here, with its steps by name for an operator to see; null when none was. */
  readonly billed: { readonly runId: string; readonly steps: readonly string[] } | null;
}

/** The steps of a run, by the names of their activities, in order. */
const RUN_STEPS = ['collectCharges', 'applyCoupons', 'applyTax', 'applyCredits', 'issueInvoice'] as const;

/** Beyond this many items and charges a run is an ordinary activity: it takes long enough to be worth seeing. */
export const LARGE_WORKLOAD = 2_000;

/**
 * Decides what a group does next and writes what needs no run to be carried out: skipped boundaries, boundaries that wait
 * for a suspended entity, the row of the run that is due. Done again it changes nothing.
 */
export async function planStep(tx: Tx, groupId: string): Promise<Plan> {
  for (;;) {
    const [group] = await loadGroups(tx, [groupId], { lock: 'update' });
    if (group === undefined) return UNKNOWN_GROUP;
    const next = planNext(group.state, group.now);
    const runId = await dueRun(tx, group, next);
    if (runId === null) continue;
    const plan = planOf(group, next, { runId });
    await noteDue(tx, [{ group, plan }]);
    return plan;
  }
}

/** The run that is due, undefined when none is; null when something was written and the question must be asked again. */
async function dueRun(tx: Tx, group: LoadedGroup, next: NextStep): Promise<string | null | undefined> {
  if (next.kind === 'RUN') return next.runId;
  if (next.kind === 'OPEN_RUN') return openRun(tx, group, next.boundaryAt);
  if (await passOver(tx, group, next)) return null;
  return undefined;
}

/** Writes a boundary at which nothing is to be carried out now; false when the step is another one. */
export async function passOver(tx: Tx, group: LoadedGroup, next: NextStep): Promise<boolean> {
  if (next.kind === 'WAIT_FOR_ENTITY') {
    await openRuns(tx, [{ group, boundaryAt: next.boundaryAt, status: 'WAITING', reason: ENTITY_SUSPENDED }]);
    return true;
  }
  if (next.kind !== 'SKIP') return false;
  await openRuns(tx, [{ group, boundaryAt: next.boundaryAt, status: 'SKIPPED', reason: 'SKIPPED_BY_OPERATOR' }]);
  await tx.db
    .updateTable('billing_groups')
    .set({ lastBoundaryAt: next.boundaryAt })
    .where('id', '=', group.groupId)
    .execute();
  return true;
}

/**
 * The row of a boundary's run; there is one for each boundary, whoever asks.
 *
 * @returns its id, or null when there was one.
 */
export async function openRun(tx: Tx, group: LoadedGroup, boundaryAt: Instant): Promise<string | null> {
  const opened = await openRuns(tx, [{ group, boundaryAt, status: 'OPEN', reason: null }]);
  return opened.get(group.groupId) ?? null;
}

/** The rows of boundaries' runs, one for each group, by one statement; those that were there are left out. */
export async function openRuns(
  tx: Tx,
  runs: readonly {
    group: LoadedGroup;
    boundaryAt: Instant;
    status: 'OPEN' | 'WAITING' | 'SKIPPED';
    reason: string | null;
  }[],
): Promise<Map<string, string>> {
  const rows = runs.map(({ group, boundaryAt, status, reason }) => ({
    tenantId: tx.tenantId,
    id: newId('run'),
    kind: 'BOUNDARY' as const,
    billingGroupId: group.groupId,
    payerCustomerId: group.payerCustomerId,
    billingEntityId: group.billingEntityId,
    currency: group.currency,
    timezone: group.state.timezone,
    boundaryAt,
    requestId: null,
    scope: null,
    status,
    step: status === 'SKIPPED' ? ('ISSUED' as const) : ('OPENED' as const),
    reason,
    cutOffAt: null,
    retryAt: null,
    failures: 0,
    testClockId: group.testClockId,
    createdAt: group.now,
    finishedAt: status === 'SKIPPED' ? group.now : null,
  }));
  const stored = await insertNewRows(tx.db, 'billing_runs', rows, RUN_OF_BOUNDARY);
  return new Map(rows.filter(({ id }) => stored.has(id)).map(({ billingGroupId, id }) => [billingGroupId, id]));
}

/** The unique index that keeps a boundary from being run twice. */
const RUN_OF_BOUNDARY = `(tenant_id, billing_group_id, boundary_at) where kind = 'BOUNDARY'`;

/** For the sweep, which looks for groups that should have woken and did not. Only what changes is written. */
export async function noteDue(tx: Tx, planned: readonly { group: LoadedGroup; plan: Plan }[]): Promise<void> {
  const rows = planned
    .map(({ group, plan }) => ({ group, id: group.groupId, nextDueAt: dueAt(group, plan.step) }))
    .filter(({ group, nextDueAt }) => nextDueAt !== group.nextDueAt)
    .map(({ id, nextDueAt }) => ({ id, nextDueAt }));
  await updateRows(tx.db, 'billing_groups', ['nextDueAt'], rows);
}

function dueAt(group: LoadedGroup, step: PlannedStep): Instant | null {
  if (step.kind === 'SLEEP') return step.until;
  return step.kind === 'RUN' || step.kind === 'AGAIN' ? group.now : null;
}

/** A plan from the next step; `runId` when there is a run to carry out, `billedRunId` when one was. */
export function planOf(
  group: LoadedGroup,
  next: NextStep,
  { runId, billedRunId }: { runId?: string | undefined; billedRunId?: string | undefined } = {},
): Plan {
  const step = stepOf(group, next, runId);
  return {
    step,
    status: group.state.status,
    nextBillingAt: nextBillingBoundary(group.state)?.boundaryAt ?? null,
    entityCode: group.entityCode,
    payerCustomerId: group.payerCustomerId,
    testClockId: group.testClockId,
    isClockAdvancing: group.state.testClock?.isAdvancing ?? false,
    summary: summaryOf(step, group.state.timezone),
    billed: billedRunId === undefined ? null : { runId: billedRunId, steps: RUN_STEPS },
  };
}

function stepOf(group: LoadedGroup, next: NextStep, runId: string | undefined): PlannedStep {
  if (runId !== undefined) return { kind: 'RUN', runId, isLarge: group.workload > LARGE_WORKLOAD };
  switch (next.kind) {
    case 'SLEEP':
      return { ...next, waitMs: Math.max(0, Date.parse(next.until) - Date.parse(group.now)) };
    case 'IDLE':
    case 'CLOSED':
      return next;
    case 'RUN':
    case 'OPEN_RUN':
    case 'SKIP':
    case 'WAIT_FOR_ENTITY':
      return { kind: 'AGAIN' };
  }
}

/** One line for the timer's summary and the workflow's details. */
function summaryOf(step: PlannedStep, timezone: string): string {
  switch (step.kind) {
    case 'RUN':
      return `running ${step.runId}`;
    case 'AGAIN':
      return 'more is due';
    case 'SLEEP':
      return step.reason === 'RETRY'
        ? `blocked; trying again at ${readable(step.until, timezone)}`
        : `sleeping until ${readable(step.until, timezone)}`;
    case 'IDLE':
      return `idle: ${step.reason}`;
    case 'CLOSED':
      return 'closed';
  }
}

/** A group whose creation was rolled back, or another tenant's id: nothing will ever be due. */
export const UNKNOWN_GROUP: Plan = {
  step: { kind: 'CLOSED' },
  status: 'CLOSED',
  nextBillingAt: null,
  entityCode: '',
  payerCustomerId: '',
  testClockId: null,
  isClockAdvancing: false,
  summary: 'closed',
  billed: null,
};
