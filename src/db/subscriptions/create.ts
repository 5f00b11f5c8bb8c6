import { assertFits, type GroupTerms } from '../../domain/billing-group/membership.ts';
import { boundaryAtOrAfter } from '../../domain/billing-group/schedule.ts';
import { type CalendarDate, type Instant, localDate, localMidnight, plusDays } from '../../domain/calendar.ts';
import type { Price } from '../../domain/catalog/price.ts';
import type { Cadence } from '../../domain/billing-group/cadence.ts';
import { cadenceForGroup } from '../../domain/billing-group/membership.ts';
import type { PostalAddress } from '../../domain/customer/address.ts';
import { BillingError } from '../../domain/errors.ts';
import { payableFrom } from '../../domain/subscription/status.ts';
import { audit } from '../audit.ts';
import {
  anchorGroup,
  findOrOpenGroup,
  type LockedGroup,
  lockGroupShared,
  openGroup,
  refreshGroup,
} from '../billing-groups.ts';
import { scheduledGroup } from '../billing/group-state.ts';
import { redeemCoupon } from '../coupons.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { bindSubscription } from './bind.ts';
import { moveToGroup } from './move.ts';
import { requestRun } from './request-run.ts';
import { storeItems } from './store-items.ts';

/** A request for a subscription, checked for its form. */
export interface SubscriptionRequest {
  readonly customerId: string;
  readonly planCode?: string | undefined;
  readonly prices?: readonly Price[] | undefined;
  readonly currency?: string | undefined;
  readonly quantity?: string | undefined;
  readonly quantities?: Readonly<Record<string, string>> | undefined;
  readonly startAt?: Instant | undefined;
  readonly startDate?: CalendarDate | undefined;
  readonly endAt?: Instant | undefined;
  readonly endDate?: CalendarDate | undefined;
  readonly trialDays?: number | undefined;
  readonly trialEndsAt?: Instant | undefined;
  readonly billingEntityId?: string | undefined;
  readonly invoicingCustomerId?: string | undefined;
  readonly billingGroupId?: string | undefined;
  readonly groupedSubscriptionIds?: readonly string[] | undefined;
  readonly shippingAddress?: PostalAddress | undefined;
  readonly align: boolean;
  readonly proration: 'DAY' | 'SECOND';
  readonly midCycleCharges?: 'NEXT_INVOICE' | 'IMMEDIATE' | undefined;
  readonly coupons: readonly string[];
}

/**
 * Creates a subscription with its items, payer and group (S1, C5, D1, D3, G1, G3, E12), one transaction.
 *
 * @returns its id.
 * @throws  `customer.archived`, `payer.inactive`, `clock.mismatch`, `entity.archived`, `group.mismatch`, `group.closed`,
 *          `request.refused` naming the field.
 */
export async function createSubscription(tx: Tx, request: SubscriptionRequest, actor: string): Promise<string> {
  const bound = await bindSubscription(tx, request);
  const dates = subscriptionDates(request, bound.timezone, bound.now);
  const cadences = bound.prices
    .filter(({ price }) => price.type !== 'SETUP')
    .flatMap(({ price }) => price.cadence ?? []);
  const group = await groupFor(tx, request, bound, cadences, localDate(payableFrom(dates), bound.timezone), actor);

  const id = newId('sub');
  const { tenantId } = tx;
  await tx.db
    .insertInto('subscriptions')
    .values({
      tenantId,
      id,
      customerId: bound.ownerId,
      planId: bound.plan?.planId ?? null,
      planVersion: bound.plan?.version ?? null,
      invoicingCustomerId: bound.namedPayerId,
      billingEntityId: bound.billingEntityId,
      currency: bound.currency,
      timezone: bound.timezone,
      minimumAmount: null,
      ...dates,
      canceledAt: null,
      proration: request.proration,
      align: request.align,
      midCycleCharges: request.midCycleCharges ?? null,
      shippingAddress: request.shippingAddress ?? null,
      createdAt: bound.now,
    })
    .execute();
  await storeItems(tx, { subscriptionId: id, request, prices: bound.prices, startAt: dates.startAt, now: bound.now });
  const since = { tenantId, subscriptionId: id, validFrom: dates.startAt, validTo: null };
  await tx.db
    .insertInto('subscription_payers')
    .values({ ...since, payerCustomerId: bound.payerCustomerId })
    .execute();
  await tx.db
    .insertInto('group_memberships')
    .values({ ...since, billingGroupId: group.id, joinedAt: bound.now })
    .execute();
  for (const couponCode of request.coupons) await redeemCoupon(tx, { couponCode, subscriptionId: id }, actor);
  for (const other of request.groupedSubscriptionIds ?? []) {
    await moveToGroup(tx, { subscriptionId: other, groupId: group.id, actor, path: 'groupedSubscriptionIds' });
  }
  await billAtOnce(tx, { id, request, group, startsAt: payableFrom(dates), now: bound.now });
  await audit(tx, {
    actor,
    action: 'subscription.created',
    subjectType: 'subscription',
    subjectId: id,
    detail: { customerId: bound.ownerId, payerCustomerId: bound.payerCustomerId, billingGroupId: group.id },
    happenedAt: bound.now,
  });
  await refreshGroup(tx, group.id);
  return id;
}

/** Start, trial and end as instants; local dates are midnights of the pinned zone (RP7). */
function subscriptionDates(request: SubscriptionRequest, timezone: string, now: Instant) {
  const atDate = (date: CalendarDate | undefined) => (date === undefined ? undefined : localMidnight(date, timezone));
  const startAt = request.startAt ?? atDate(request.startDate) ?? now;
  const trialOver =
    request.trialDays === undefined
      ? request.trialEndsAt
      : localMidnight(plusDays(localDate(startAt, timezone), request.trialDays), timezone);
  const endAt = request.endAt ?? atDate(request.endDate) ?? null;
  if (trialOver !== undefined && trialOver < startAt)
    throw invalid('trialEndsAt', 'The trial ends before the start. Send a later instant.');
  if (endAt !== null && endAt <= startAt) {
    throw invalid(
      request.endDate === undefined ? 'endAt' : 'endDate',
      'It ends before it starts. Send a later end, or none.',
    );
  }
  return { startAt, trialEndsAt: trialOver === undefined || trialOver === startAt ? null : trialOver, endAt };
}

const invalid = (path: string, message: string): BillingError =>
  new BillingError('request.refused', message, [{ path, message }]);

/** The group that was named, one of its own, or the payer's default that fits; locked shared, with an anchor. */
async function groupFor(
  tx: Tx,
  request: SubscriptionRequest,
  bound: GroupTerms & { testClockId: string | null; now: Instant },
  cadences: readonly Cadence[],
  anchorDate: CalendarDate,
  actor: string,
): Promise<LockedGroup> {
  const opening = { anchorDate, testClockId: bound.testClockId, now: bound.now, actor };
  if (request.billingGroupId !== undefined) {
    const named = await lockGroupShared(tx, request.billingGroupId);
    assertFits(named, bound, cadences);
    if (named.anchorDate === null) await anchorGroup(tx, named.id, anchorDate);
    return named;
  }
  if (!request.align) {
    return lockGroupShared(tx, await openGroup(tx, bound, cadenceForGroup(cadences), { ...opening, isDefault: false }));
  }
  return findOrOpenGroup(tx, bound, cadences, opening);
}

/**
 * RP3, RP1: what begins mid-cycle gets an invoice of its own at once when it is set so; and always when it begins on the
 * day of a boundary whose run has taken its cut-off.
 */
async function billAtOnce(
  tx: Tx,
  input: { id: string; request: SubscriptionRequest; group: LockedGroup; startsAt: Instant; now: Instant },
): Promise<void> {
  const { id, request, group, startsAt, now } = input;
  const scheduled = await scheduledGroup(tx, group.id);
  if (scheduled.state.versions.length === 0) return;
  const startsOn = localDate(startsAt, group.timezone);
  const boundary = boundaryAtOrAfter(scheduled.state.versions, startsOn);
  const isBoundaryDay = boundary.localDate === startsOn;
  const boundaryHasRun = isBoundaryDay && group.lastBoundaryAt !== null && boundary.boundaryAt <= group.lastBoundaryAt;
  const isImmediate = (request.midCycleCharges ?? group.midCycleCharges) === 'IMMEDIATE';
  const startedToday = startsOn === localDate(now, group.timezone);
  if ((isBoundaryDay && boundaryHasRun && startedToday) || (!isBoundaryDay && isImmediate)) {
    await requestRun(tx, scheduled, {
      requestId: `start:${id}`,
      scope: { subscriptionId: id },
      notBefore: startsAt > now ? startsAt : null,
    });
  }
}
