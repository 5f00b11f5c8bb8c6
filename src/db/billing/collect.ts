import { sql } from 'kysely';
import { ENTITY_SUSPENDED } from '../../domain/billing-group/plan.ts';
import type { Instant } from '../../domain/calendar.ts';
import { collectRun, type RunFacts } from '../../domain/invoice/collect-run.ts';
import type { Tx } from '../database.ts';
import { draftsOfRun, storeCollected } from './draft-rows.ts';
import { eventOf, eventOutsideGroups, loadFacts, type PayableEvent } from './event.ts';
import { type ScheduledGroup, scheduledGroup } from './group-state.ts';
import { hasPassed, isOver, type LockedRun, lockRun, passStep, setRunStatus, unblockGroups } from './run.ts';

/** What the workflow needs to know of a collected run. */
export interface CollectOutcome {
  /** GO_ON: there are drafts to finish. DONE: nothing was due. WAIT: the entity is suspended. */
  readonly outcome: 'GO_ON' | 'DONE' | 'WAIT';
  readonly memberCount: number;
}

/**
 * The first step of a run and its cut-off (RT5): locks the group, takes what is due, writes drafts, lines and claims, moves
 * the items on, and records each member (G12). One transaction; done again it changes nothing.
 */
export async function collectCharges(tx: Tx, runId: string): Promise<CollectOutcome> {
  const peek = await tx.db
    .selectFrom('billing_runs')
    .where('id', '=', runId)
    .select('billingGroupId')
    .executeTakeFirst();
  const groupId = peek?.billingGroupId ?? null;
  const group = groupId === null ? undefined : await scheduledGroup(tx, groupId, { lock: 'update' });
  const run = await lockRun(tx, runId);
  if (isOver(run)) return { outcome: 'DONE', memberCount: 0 };
  if (run.entityStatus === 'SUSPENDED') {
    await setRunStatus(tx, run, 'WAITING', ENTITY_SUSPENDED);
    return { outcome: 'WAIT', memberCount: 0 };
  }
  if (hasPassed(run, 'COLLECTED')) {
    await setRunStatus(tx, run, 'OPEN');
    return { outcome: 'GO_ON', memberCount: 0 };
  }

  const [facts] = (await loadFacts(tx, [payableEvent(run, group)])) as [RunFacts];
  const collected = collectRun(facts);
  const memberCount = facts.members.length;
  await storeCollected(tx, [{ run, collected, drafts: draftsOfRun(run, collected) }]);
  await tx.db
    .updateTable('billing_runs')
    .set({ cutOffAt: run.now, step: 'COLLECTED', failures: 0 })
    .where('id', '=', run.id)
    .execute();
  await moveGroupsOn(tx, [run]);
  if (collected.invoices.length > 0) {
    await setRunStatus(tx, run, 'OPEN');
    return { outcome: 'GO_ON', memberCount };
  }
  await passStep(tx, run.id, 'ISSUED');
  await setRunStatus(tx, run, 'EMPTY', 'NOTHING_DUE');
  await unblockGroups(tx, [run]);
  return { outcome: 'DONE', memberCount };
}

/** The event that a run bills: its group's, or one outside any group. */
export const payableEvent = (run: LockedRun, group: ScheduledGroup | undefined): PayableEvent => ({
  event: group === undefined ? eventOutsideGroups(run.now, run.timezone) : eventOf(group, run.boundaryAt),
  scope: group === undefined ? { chargeId: '', ...run.scope } : run.scope,
  payerCustomerId: run.payerCustomerId,
  currency: run.currency,
  rounding: run.rounding,
});

/** From the cut-off on, what is dated by a run's boundary and comes later waits for the next event of its group. */
export async function moveGroupsOn(
  tx: Tx,
  runs: readonly { billingGroupId: string | null; boundaryAt: Instant | null }[],
): Promise<void> {
  const moved = runs.filter(({ billingGroupId, boundaryAt }) => billingGroupId !== null && boundaryAt !== null);
  if (moved.length === 0) return;
  await sql`
    update billing_groups g set last_boundary_at = r.boundary_at
      from unnest(${moved.map(({ billingGroupId }) => billingGroupId)}::text[],
                  ${moved.map(({ boundaryAt }) => boundaryAt)}::timestamptz[]) as r(id, boundary_at)
     where g.id = r.id and (g.last_boundary_at is null or g.last_boundary_at < r.boundary_at)`.execute(tx.db);
}
