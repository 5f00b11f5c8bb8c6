import { ENTITY_SUSPENDED, type NextStep, nextBillingBoundary, planNext } from '../../domain/billing-group/plan.ts';
import { type Instant, readable } from '../../domain/calendar.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { type LoadedGroup, loadGroups } from './group-state.ts';

/** What a group's workflow does next; ids and instants only. */
export type PlannedStep =
  | { readonly kind: 'RUN'; readonly runId: string; readonly isLarge: boolean }
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
}

/** From this many members on a run's steps are ordinary activities at once: they take long enough to be worth seeing. */
const LARGE_GROUP_MEMBERS = 200;

/**
 * Decides what a group does next and writes what needs no run to be carried out: skipped boundaries, boundaries that wait
 * for a suspended entity, the row of the run that is due. Done again it changes nothing.
 */
export async function planStep(tx: Tx, groupId: string): Promise<Plan> {
  for (;;) {
    const [group] = await loadGroups(tx, [groupId], { lock: 'update' });
    if (group === undefined) return unknownGroup();
    const next = planNext(group.state, group.now);
    const settled = await carryOut(tx, group, next);
    if (settled !== null)
      return { ...settled, ...(await shown(tx, group)), summary: summaryOf(settled.step, group.state.timezone) };
  }
}

/** Returns the step for the workflow, or null when something was written and the question must be asked again. */
async function carryOut(tx: Tx, group: LoadedGroup, next: NextStep): Promise<{ step: PlannedStep } | null> {
  switch (next.kind) {
    case 'SKIP':
      await openRun(tx, group, next.boundaryAt, { status: 'SKIPPED', reason: 'SKIPPED_BY_OPERATOR' });
      await tx.db
        .updateTable('billing_groups')
        .set({ lastBoundaryAt: next.boundaryAt })
        .where('id', '=', group.groupId)
        .execute();
      return null;
    case 'WAIT_FOR_ENTITY':
      await openRun(tx, group, next.boundaryAt, { status: 'WAITING', reason: ENTITY_SUSPENDED });
      return null;
    case 'OPEN_RUN': {
      const runId = await openRun(tx, group, next.boundaryAt, { status: 'OPEN', reason: null });
      return runId === null ? null : runStep(tx, group, runId);
    }
    case 'RUN':
      return runStep(tx, group, next.runId);
    case 'SLEEP':
      await noteDue(tx, group.groupId, next.until);
      return { step: { ...next, waitMs: Math.max(0, Date.parse(next.until) - Date.parse(group.now)) } };
    case 'IDLE':
    case 'CLOSED':
      await noteDue(tx, group.groupId, null);
      return { step: next };
  }
}

async function runStep(tx: Tx, group: LoadedGroup, runId: string): Promise<{ step: PlannedStep }> {
  await noteDue(tx, group.groupId, group.now);
  const isLarge = (await memberCount(tx, group.groupId)) > LARGE_GROUP_MEMBERS;
  return { step: { kind: 'RUN', runId, isLarge } };
}

/**
 * The row of a boundary's run; there is one for each boundary, whoever asks.
 *
 * @returns its id, or null when there was one.
 */
export async function openRun(
  tx: Tx,
  group: LoadedGroup,
  boundaryAt: Instant,
  as: { status: 'OPEN' | 'WAITING' | 'SKIPPED'; reason: string | null },
): Promise<string | null> {
  const opened = await tx.db
    .insertInto('billing_runs')
    .values({
      tenantId: tx.tenantId,
      id: newId('run'),
      kind: 'BOUNDARY',
      billingGroupId: group.groupId,
      payerCustomerId: group.payerCustomerId,
      billingEntityId: group.billingEntityId,
      currency: group.currency,
      timezone: group.state.timezone,
      boundaryAt,
      requestId: null,
      scope: null,
      status: as.status,
      step: as.status === 'SKIPPED' ? 'ISSUED' : 'OPENED',
      reason: as.reason,
      cutOffAt: null,
      retryAt: null,
      failures: 0,
      testClockId: group.testClockId,
      createdAt: group.now,
      finishedAt: as.status === 'SKIPPED' ? group.now : null,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenantId', 'billingGroupId', 'boundaryAt']).where('kind', '=', 'BOUNDARY').doNothing(),
    )
    .returning('id')
    .executeTakeFirst();
  return opened?.id ?? null;
}

/** For the sweep, which looks for groups that should have woken and did not. */
const noteDue = (tx: Tx, groupId: string, nextDueAt: Instant | null) =>
  tx.db.updateTable('billing_groups').set({ nextDueAt }).where('id', '=', groupId).execute();

const memberCount = async (tx: Tx, groupId: string): Promise<number> => {
  const { count } = await tx.db
    .selectFrom('group_memberships')
    .where('billingGroupId', '=', groupId)
    .where('validTo', 'is', null)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
};

async function shown(tx: Tx, group: LoadedGroup): Promise<Omit<Plan, 'step' | 'summary'>> {
  const { entityCode } = await tx.db
    .selectFrom('billing_entities')
    .where('id', '=', group.billingEntityId)
    .select('entityCode')
    .executeTakeFirstOrThrow();
  return {
    status: group.state.status,
    nextBillingAt: nextBillingBoundary(group.state)?.boundaryAt ?? null,
    entityCode,
    payerCustomerId: group.payerCustomerId,
    testClockId: group.testClockId,
    isClockAdvancing: group.state.testClock?.isAdvancing ?? false,
  };
}

/** One line for the timer's summary and the workflow's details. */
function summaryOf(step: PlannedStep, timezone: string): string {
  switch (step.kind) {
    case 'RUN':
      return `running ${step.runId}`;
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
const unknownGroup = (): Plan => ({
  step: { kind: 'CLOSED' },
  status: 'CLOSED',
  nextBillingAt: null,
  entityCode: '',
  payerCustomerId: '',
  testClockId: null,
  isClockAdvancing: false,
  summary: 'closed',
});
