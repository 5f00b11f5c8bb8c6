import { type RawBuilder, sql } from 'kysely';
import type { Instant } from '../domain/calendar.ts';
import { redemptionRefusal } from '../domain/coupon/eligibility.ts';
import { BillingError } from '../domain/errors.ts';
import { audit } from './audit.ts';
import { readCustomerForBinding, resolveCustomerId } from './customers.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { listPage, type Page } from './listing.ts';
import { nowOf } from './time.ts';

/** A coupon put on a customer or a subscription. */
export interface RedemptionView {
  readonly id: string;
  readonly couponId: string;
  readonly couponCode: string;
  readonly customerId: string | null;
  readonly subscriptionId: string | null;
  /** Issued invoices from which it took something; one that carried a remainder on does not count (RO2). */
  readonly cyclesUsed: number;
  readonly redeemedAt: Instant;
  readonly endedAt: Instant | null;
}

/** What to put a coupon on: exactly one of the two. */
export type RedemptionTarget =
  | { readonly customerId: string; readonly subscriptionId?: undefined }
  | { readonly subscriptionId: string; readonly customerId?: undefined };

export interface RedemptionFilter {
  readonly couponCode?: string | undefined;
  readonly couponId?: string | undefined;
  readonly customerId?: string | undefined;
  readonly subscriptionId?: string | undefined;
  readonly ended?: boolean | undefined;
}

/** What the drafts of a run hold of it is no cycle until they are issued. */
const cyclesUsed: RawBuilder<number> = sql<number>`(
  select count(distinct v.run_id)::int from coupon_reservations v
   where v.tenant_id = r.tenant_id and v.redemption_id = r.id and v.status = 'CAPTURED'
     and (v.remainder is null or v.remainder = 0))`;

const selectRedemptions = (tx: Tx) =>
  tx.db
    .selectFrom('coupon_redemptions as r')
    .innerJoin('coupons as c', (join) => join.onRef('c.tenantId', '=', 'r.tenantId').onRef('c.id', '=', 'r.couponId'))
    .select(['r.id', 'r.couponId', 'c.code as couponCode', 'r.customerId', 'r.subscriptionId'])
    .select(['r.redeemedAt', 'r.endedAt', cyclesUsed.as('cyclesUsed')]);

/**
 * Redeems a coupon (A1). Its row is locked, so that of two who want the last redemption one gets it. Expiry is judged by the
 * clock of the customer, or of the subscription's owner. One that was ended counts against `maxRedemptions`.
 *
 * @param request.path the field that names the coupon, for the error.
 * @throws `coupon.expired`, `coupon.exhausted`; `conflict` when it is archived; `customer.archived`; `not_found`.
 */
export async function redeemCoupon(
  tx: Tx,
  request: RedemptionTarget & { readonly couponCode: string; readonly path?: string },
  actor: string,
): Promise<RedemptionView> {
  const { couponCode, path = 'couponCode' } = request;
  const target = await resolveTarget(tx, request);
  const coupon = await lockCoupon(tx, couponCode, path);
  if (coupon.archivedAt !== null) {
    throw told('conflict', path, `The coupon ${couponCode} is archived and can no longer be redeemed.`);
  }
  const redemptions = await countRedemptions(tx, coupon.id);
  const refusal = redemptionRefusal(coupon, { asOf: target.now, redemptions });
  if (refusal === 'coupon.expired') {
    throw told(refusal, path, `The coupon ${couponCode} could be redeemed until ${coupon.expiresAt}.`);
  }
  if (refusal === 'coupon.exhausted') {
    throw told(refusal, path, `All ${redemptions} redemptions of the coupon ${couponCode} are taken.`);
  }
  const { customerId, subscriptionId, now } = target;
  const id = newId('red');
  const row = { tenantId: tx.tenantId, id, couponId: coupon.id, customerId, subscriptionId };
  await tx.db
    .insertInto('coupon_redemptions')
    .values({ ...row, redeemedAt: now, endedAt: null })
    .execute();
  await record(tx, actor, 'coupon_redemption.created', id, now, { couponCode, customerId, subscriptionId });
  return readRedemption(tx, id);
}

/** @throws `not_found` */
export const readRedemption = (tx: Tx, id: string): Promise<RedemptionView> =>
  selectRedemptions(tx)
    .where('r.id', '=', id)
    .executeTakeFirstOrThrow(() => new BillingError('not_found', `There is no coupon redemption ${id}.`));

export async function listRedemptions(
  tx: Tx,
  request: RedemptionFilter & { page: number; size: number; sort: { descending: boolean } },
): Promise<Page<RedemptionView>> {
  const { couponCode, couponId, subscriptionId, ended, sort } = request;
  const customerId =
    request.customerId === undefined ? undefined : await resolveCustomerId(tx, request.customerId, 'customerId');
  const query = selectRedemptions(tx)
    .$if(couponCode !== undefined, (found) => found.where('c.code', '=', couponCode ?? ''))
    .$if(couponId !== undefined, (found) => found.where('r.couponId', '=', couponId ?? ''))
    .$if(customerId !== undefined, (found) => found.where('r.customerId', '=', customerId ?? ''))
    .$if(subscriptionId !== undefined, (found) => found.where('r.subscriptionId', '=', subscriptionId ?? ''))
    .$if(ended !== undefined, (found) => found.where('r.endedAt', ended ? 'is not' : 'is', null));
  const order = { by: 'r.redeemedAt', id: 'r.id', descending: sort.descending };
  return listPage(query, { ...request, order });
}

/** Ends a redemption: it takes nothing from now on; what is issued stays. One that has ended stays as it is. */
export async function endRedemption(tx: Tx, id: string, actor: string): Promise<void> {
  const { customerId, subscriptionId } = await readRedemption(tx, id);
  const owner = customerId ?? (await ownerOf(tx, subscriptionId ?? ''));
  const now = await nowOf(tx, { customerId: owner });
  const { numUpdatedRows } = await tx.db
    .updateTable('coupon_redemptions')
    .set({ endedAt: now })
    .where('id', '=', id)
    .where('endedAt', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await record(tx, actor, 'coupon_redemption.ended', id, now, {});
}

async function resolveTarget(
  tx: Tx,
  target: RedemptionTarget,
): Promise<{ customerId: string | null; subscriptionId: string | null; now: Instant }> {
  if (target.subscriptionId !== undefined) {
    const owner = await ownerOf(tx, target.subscriptionId);
    return { customerId: null, subscriptionId: target.subscriptionId, now: await nowOf(tx, { customerId: owner }) };
  }
  const customer = await readCustomerForBinding(tx, target.customerId, 'owner', 'customerId');
  return { customerId: customer.id, subscriptionId: null, now: await nowOf(tx, customer) };
}

async function ownerOf(tx: Tx, subscriptionId: string): Promise<string> {
  const { customerId } = await tx.db
    .selectFrom('subscriptions')
    .select('customerId')
    .where('id', '=', subscriptionId)
    .executeTakeFirstOrThrow(() => told('not_found', 'subscriptionId', `There is no subscription ${subscriptionId}.`));
  return customerId;
}

const lockCoupon = (tx: Tx, couponCode: string, path: string) =>
  tx.db
    .selectFrom('coupons')
    .select(['id', 'maxRedemptions', 'expiresAt', 'archivedAt'])
    .where('code', '=', couponCode)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow(() => told('not_found', path, `There is no coupon with the code '${couponCode}'.`));

/** Its own statement, after the lock: it sees what the one before committed. */
async function countRedemptions(tx: Tx, couponId: string): Promise<number> {
  const { taken } = await tx.db
    .selectFrom('coupon_redemptions')
    .select(sql<number>`count(*)::int`.as('taken'))
    .where('couponId', '=', couponId)
    .executeTakeFirstOrThrow();
  return taken;
}

const told = (
  code: 'not_found' | 'conflict' | 'coupon.expired' | 'coupon.exhausted',
  path: string,
  message: string,
): BillingError => new BillingError(code, message, [{ path, message }]);

const record = (
  tx: Tx,
  actor: string,
  action: string,
  id: string,
  happenedAt: Instant,
  detail: Record<string, unknown>,
): Promise<void> => audit(tx, { actor, action, subjectType: 'coupon_redemption', subjectId: id, detail, happenedAt });
