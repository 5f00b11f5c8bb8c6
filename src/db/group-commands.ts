import { nextBoundary } from '../domain/billing-group/plan.ts';
import { boundariesFrom, boundaryAfter } from '../domain/billing-group/schedule.ts';
import type { Cadence, CadenceInterval } from '../domain/billing-group/cadence.ts';
import {
  type CalendarDate,
  type Instant,
  isCalendarDate,
  localDate,
  localMidnight,
  parseInstant,
} from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import type { GroupCommand } from '../workflows/contract.ts';
import { audit } from './audit.ts';
import { type LoadedGroup, loadGroups } from './billing/group-state.ts';
import { openRun } from './billing/plan-step.ts';
import { refreshGroup } from './billing-groups.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { requestRun } from './subscriptions/request-run.ts';

/**
 * Carries out what an operator tells a group (G10, RP12): one way for the API's verbs and the workflow's updates.
 *
 * @throws `not_found`; `group.closed`, `group.status` with what to do; `request.refused` naming the field.
 */
export async function commandGroup(tx: Tx, groupId: string, command: GroupCommand, actor: string): Promise<void> {
  const [group] = await loadGroups(tx, [groupId], { lock: 'update' });
  if (group === undefined) throw new BillingError('not_found', `There is no billing group ${groupId}.`);
  if (group.state.status === 'CLOSED') {
    throw new BillingError('group.closed', `Billing group ${groupId} is closed. Open a new one.`);
  }
  const detail = await carryOut(tx, group, command);
  await audit(tx, {
    actor,
    action: `billing_group.${command.verb}`,
    subjectType: 'billing_group',
    subjectId: groupId,
    detail,
    happenedAt: group.now,
  });
  await refreshGroup(tx, groupId);
}

function carryOut(tx: Tx, group: LoadedGroup, command: GroupCommand): Promise<Record<string, unknown>> {
  switch (command.verb) {
    case 'pause':
      return setStatus(tx, group, 'PAUSED');
    case 'resume':
      return resume(tx, group);
    case 'close':
      return close(tx, group);
    case 'billNow':
      return billNow(tx, group);
    case 'skip':
      return skip(tx, group, command.boundaryAt);
    case 'realign':
      return realign(tx, group, command);
  }
}

async function setStatus(
  tx: Tx,
  group: LoadedGroup,
  status: 'ACTIVE' | 'PAUSED' | 'CLOSED',
): Promise<Record<string, unknown>> {
  await tx.db
    .updateTable('billing_groups')
    .set({ status, statusReason: null })
    .where('id', '=', group.groupId)
    .execute();
  return { from: group.state.status, to: status };
}

/** A paused group goes on with the boundaries that it missed; a BLOCKED one tries its run again at once. */
async function resume(tx: Tx, group: LoadedGroup): Promise<Record<string, unknown>> {
  if (group.state.status === 'ACTIVE') {
    throw new BillingError('group.status', `Billing group ${group.groupId} is ACTIVE: there is nothing to resume.`);
  }
  await tx.db
    .updateTable('billing_runs')
    .set({ retryAt: null })
    .where('billingGroupId', '=', group.groupId)
    .where('status', '=', 'BLOCKED')
    .execute();
  return setStatus(tx, group, 'ACTIVE');
}

async function close(tx: Tx, group: LoadedGroup): Promise<Record<string, unknown>> {
  const { work, unfinished } = group.state;
  if (work.firstStartOn !== null || work.firstContinuesAt !== null || unfinished.length > 0) {
    throw new BillingError(
      'group.status',
      `Billing group ${group.groupId} still has something to bill. Cancel or move its subscriptions and bill what waits, then close it.`,
    );
  }
  return setStatus(tx, group, 'CLOSED');
}

/**
 * RP12: bills what waits. The first event of a group that only waits for its members to settle runs now (RP1); anything
 * else gets an invoice of its own.
 */
async function billNow(tx: Tx, group: LoadedGroup): Promise<Record<string, unknown>> {
  const boundary = nextBoundary(group.state);
  const isSettling = boundary !== null && boundary.boundaryAt <= group.now && group.state.status !== 'PAUSED';
  if (isSettling && group.state.entityStatus !== 'SUSPENDED') {
    await openRun(tx, group, boundary.boundaryAt);
    return { boundaryAt: boundary.boundaryAt };
  }
  const runId = await requestRun(tx, group, {
    requestId: newId('req'),
    kind: 'BILL_NOW',
    scope: null,
    notBefore: null,
  });
  return { runId };
}

/** RP12: marks one boundary SKIPPED; what it would have billed moves to the next. */
async function skip(tx: Tx, group: LoadedGroup, requested: string | undefined): Promise<Record<string, unknown>> {
  const boundaryAt = requested === undefined ? nextBoundary(group.state)?.boundaryAt : parseInstant(requested);
  if (boundaryAt === undefined) {
    throw new BillingError('group.status', 'No boundary is to come: nothing is to be billed in this group.');
  }
  assertIsBoundary(group, boundaryAt);
  await tx.db
    .insertInto('skipped_boundaries')
    .values({ tenantId: tx.tenantId, billingGroupId: group.groupId, boundaryAt, requestedAt: group.now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return { boundaryAt };
}

function assertIsBoundary(group: LoadedGroup, boundaryAt: Instant): void {
  const { versions, timezone, lastBoundaryAt, unfinished } = group.state;
  const [found] = versions.length === 0 ? [] : boundariesFrom(versions, localDate(boundaryAt, timezone));
  if (found?.boundaryAt !== boundaryAt) {
    throw invalid('boundaryAt', `${boundaryAt} is no boundary of this group. GET its schedule for those to come.`);
  }
  const isTaken =
    (lastBoundaryAt !== null && boundaryAt <= lastBoundaryAt) ||
    unfinished.some((run) => run.boundaryAt === boundaryAt);
  if (isTaken)
    throw new BillingError('group.status', `Boundary ${boundaryAt} has run or is under way and cannot be skipped.`);
}

/** RP12: from `effective` on boundaries count from the new anchor; what was billed stays, items go on from there (RP13). */
async function realign(
  tx: Tx,
  group: LoadedGroup,
  change: Extract<GroupCommand, { verb: 'realign' }>,
): Promise<Record<string, unknown>> {
  const current = await tx.db
    .selectFrom('group_schedules')
    .where('billingGroupId', '=', group.groupId)
    .where('validTo', 'is', null)
    .selectAll()
    .executeTakeFirstOrThrow();
  if (change.anchorDate === undefined && change.cadence === undefined) {
    throw invalid('anchorDate', 'Send a new anchorDate, a new cadence, or both.');
  }
  const anchorDate = change.anchorDate ?? current.anchorDate;
  if (anchorDate === null) throw invalid('anchorDate', 'This group has no anchor yet. Send one.');
  const cadence: Cadence =
    change.cadence === undefined
      ? { interval: current.cadenceInterval, count: current.cadenceCount }
      : { interval: change.cadence.interval as CadenceInterval, count: change.cadence.count };
  const effective = effectiveAt(group, change.effective ?? 'NOW');
  assertAfterWhatRan(group, effective, current.validFrom);
  if (current.anchorDate === null) {
    await tx.db.deleteFrom('group_schedules').where('billingGroupId', '=', group.groupId).execute();
  } else {
    await tx.db
      .updateTable('group_schedules')
      .set({ validTo: effective })
      .where('billingGroupId', '=', group.groupId)
      .where('validTo', 'is', null)
      .execute();
  }
  await tx.db
    .insertInto('group_schedules')
    .values({
      tenantId: tx.tenantId,
      billingGroupId: group.groupId,
      validFrom: current.anchorDate === null ? current.validFrom : effective,
      validTo: null,
      anchorDate,
      cadenceInterval: cadence.interval,
      cadenceCount: cadence.count,
    })
    .execute();
  return { anchorDate, cadence, effective };
}

function effectiveAt(group: LoadedGroup, effective: string): Instant {
  const { versions, timezone } = group.state;
  if (effective === 'NOW') return group.now;
  if (effective === 'PERIOD_END')
    return versions.length === 0 ? group.now : boundaryAfter(versions, group.now).boundaryAt;
  return isCalendarDate(effective)
    ? localMidnight(effective satisfies CalendarDate, timezone)
    : parseInstant(effective);
}

function assertAfterWhatRan(group: LoadedGroup, effective: Instant, currentFrom: Instant): void {
  const { lastBoundaryAt } = group.state;
  if (effective <= currentFrom || (lastBoundaryAt !== null && effective <= lastBoundaryAt)) {
    throw invalid('effective', 'The schedule up to then has run or was set already. Send a later date.');
  }
}

const invalid = (path: string, message: string): BillingError =>
  new BillingError('request.refused', message, [{ path, message }]);
