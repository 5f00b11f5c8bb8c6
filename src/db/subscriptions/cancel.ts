import type { Instant } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import { type Effective, effectiveInstant } from '../../domain/subscription/effective.ts';
import { prorationInstant } from '../../domain/subscription/own-periods.ts';
import { subscriptionStatus } from '../../domain/subscription/status.ts';
import { audit } from '../audit.ts';
import { scheduledGroup } from '../billing/group-state.ts';
import { recutDrafts } from '../billing/recut.ts';
import { refreshGroup } from '../billing-groups.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { currentPeriods } from './periods.ts';
import { lockSubscription, type LockedSubscription } from './read.ts';
import { requestRun } from './request-run.ts';

export interface Cancellation {
  readonly effective: Effective;
  /** Whether unused time is given back (RP9). */
  readonly prorate: boolean;
  /** Whether what is still to be billed or given back gets an invoice of its own, at the end. */
  readonly invoiceNow: boolean;
}

/**
 * Ends a subscription (RP9). One that has not begun never starts; a SCHEDULED end may be moved by canceling again.
 *
 * @throws `subscription.status` when it is canceled already; `request.refused` for an end in the past.
 */
export async function cancelSubscription(tx: Tx, id: string, cancellation: Cancellation, actor: string): Promise<void> {
  const subscription = await lockSubscription(tx, id);
  const group = await scheduledGroup(tx, subscription.billingGroupId, { lock: 'share' });
  const status = subscriptionStatus(subscription, group.now);
  if (status === 'CANCELED') {
    throw new BillingError(
      'subscription.status',
      `Subscription ${id} is canceled already. Create a new one to start again.`,
    );
  }
  const endAt =
    status === 'SCHEDULED' ? subscription.startAt : await endOf(tx, subscription, cancellation.effective, group.now);
  if (endAt < group.now && status !== 'SCHEDULED') {
    const message = 'It cannot end in the past. Send NOW, PERIOD_END, or a later date.';
    throw new BillingError('request.refused', message, [{ path: 'effective', message }]);
  }
  await tx.db.updateTable('subscriptions').set({ endAt, canceledAt: group.now }).where('id', '=', id).execute();
  await finishItems(tx, subscription, endAt, { neverStarts: status === 'SCHEDULED', prorate: cancellation.prorate });
  await recutDrafts(tx, {
    subscriptionId: id,
    endAt: prorationInstant(endAt, subscription.proration, subscription.timezone),
  });
  if (cancellation.invoiceNow && status !== 'SCHEDULED') {
    const notBefore = endAt > group.now ? endAt : null;
    await requestRun(tx, group, { requestId: `cancel:${newId('req')}`, scope: { subscriptionId: id }, notBefore });
  }
  await audit(tx, {
    actor,
    action: 'subscription.canceled',
    subjectType: 'subscription',
    subjectId: id,
    detail: { endAt, prorate: cancellation.prorate, invoiceNow: cancellation.invoiceNow },
    happenedAt: group.now,
  });
  await refreshGroup(tx, subscription.billingGroupId);
}

async function endOf(tx: Tx, subscription: LockedSubscription, effective: Effective, now: Instant): Promise<Instant> {
  const period = (await currentPeriods(tx, [subscription.id])).get(subscription.id);
  return effectiveInstant(effective, { now, periodEnd: period?.end ?? now, timezone: subscription.timezone });
}

/**
 * Items of which nothing more will come are finished: those that never start, those billed exactly to the end, and without
 * proration those billed beyond it.
 */
async function finishItems(
  tx: Tx,
  subscription: LockedSubscription,
  endAt: Instant,
  how: { neverStarts: boolean; prorate: boolean },
): Promise<void> {
  const end = prorationInstant(endAt, subscription.proration, subscription.timezone);
  const query = tx.db
    .updateTable('subscription_items')
    .set({ finished: true })
    .where('subscriptionId', '=', subscription.id);
  if (how.neverStarts) await query.execute();
  else await query.where('billedThroughAt', how.prorate ? '=' : '>=', end).execute();
}
