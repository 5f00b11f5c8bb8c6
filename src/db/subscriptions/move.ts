import { assertFits } from '../../domain/billing-group/membership.ts';
import { boundaryAfter } from '../../domain/billing-group/schedule.ts';
import { type Instant, later } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import { type Effective, effectiveInstant } from '../../domain/subscription/effective.ts';
import { subscriptionStatus } from '../../domain/subscription/status.ts';
import { audit } from '../audit.ts';
import { scheduledGroup } from '../billing/group-state.ts';
import { lockGroupShared, refreshGroup } from '../billing-groups.ts';
import type { Tx } from '../database.ts';
import { cadencesOf, lockSubscription } from './read.ts';

/**
 * Moves a running subscription to another group of the same payer, currency, entity and zone, from an instant on (D3, G10).
 * What was billed stays; its items go on from their billed-through dates (RP13).
 *
 * @param move.effective  the next boundary of its present group unless given.
 * @param move.path       the field that names it, for the error.
 * @throws `group.mismatch`; `subscription.status` when it is canceled; `not_found`.
 */
export async function moveToGroup(
  tx: Tx,
  move: { subscriptionId: string; groupId: string; effective?: Effective | undefined; actor: string; path: string },
): Promise<void> {
  const subscription = await lockSubscription(tx, move.subscriptionId, move.path);
  const present = await scheduledGroup(tx, subscription.billingGroupId, { lock: 'share' });
  const target = await lockGroupShared(tx, move.groupId, move.path);
  if (subscriptionStatus(subscription, present.now) === 'CANCELED') {
    const message = `Subscription ${move.subscriptionId} is canceled and cannot be moved.`;
    throw new BillingError('subscription.status', message, [{ path: move.path, message }]);
  }
  if (present.groupId === target.id) return;
  assertFits(target, subscription, await cadencesOf(tx, subscription.id));

  const { versions, timezone } = present.state;
  const periodEnd = versions.length === 0 ? present.now : boundaryAfter(versions, present.now).boundaryAt;
  const wanted = effectiveInstant(move.effective ?? { kind: 'PERIOD_END' }, { now: present.now, periodEnd, timezone });
  const effective = later(wanted, subscription.startAt);
  await endMembership(tx, subscription.id, effective);
  await tx.db
    .insertInto('group_memberships')
    .values({
      tenantId: tx.tenantId,
      subscriptionId: subscription.id,
      validFrom: effective,
      validTo: null,
      billingGroupId: target.id,
      joinedAt: present.now,
    })
    .execute();
  await audit(tx, {
    actor: move.actor,
    action: 'subscription.moved',
    subjectType: 'subscription',
    subjectId: subscription.id,
    detail: { from: present.groupId, to: target.id, effective },
    happenedAt: present.now,
  });
  await refreshGroup(tx, present.groupId);
  await refreshGroup(tx, target.id);
}

/** A membership that would begin at the same instant or later never comes to be. */
async function endMembership(tx: Tx, subscriptionId: string, at: Instant): Promise<void> {
  await tx.db
    .deleteFrom('group_memberships')
    .where('subscriptionId', '=', subscriptionId)
    .where('validFrom', '>=', at)
    .execute();
  await tx.db
    .updateTable('group_memberships')
    .set({ validTo: at })
    .where('subscriptionId', '=', subscriptionId)
    .where((where) => where.or([where('validTo', 'is', null), where('validTo', '>', at)]))
    .execute();
}
