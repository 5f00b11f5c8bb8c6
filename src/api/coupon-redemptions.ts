import { z } from 'zod';
import { endRedemption, listRedemptions, readRedemption, redeemCoupon } from '../db/coupon-redemptions.ts';
import { code } from './code-schema.ts';
import { listOf, listQuery, queryFlag } from './listing.ts';
import { noContent, route } from './route.ts';
import { reference, shown, text } from './schemas.ts';

const ONE_OF_TWO = 'Send customerId or subscriptionId: exactly one of them.';

const sentWith = (field: string) => ({ required: [field], properties: { [field]: { type: 'string' as const } } });

const createBody = z
  .strictObject({ couponCode: code(), customerId: reference().nullish(), subscriptionId: reference().nullish() })
  .transform(({ couponCode, customerId, subscriptionId }, context) => {
    if (customerId != null && subscriptionId == null) return { couponCode, customerId };
    if (customerId == null && subscriptionId != null) return { couponCode, subscriptionId };
    for (const path of ['customerId', 'subscriptionId']) {
      context.addIssue({ code: 'custom', path: [path], message: ONE_OF_TWO });
    }
    return z.NEVER;
  })
  .meta({ id: 'NewCouponRedemption', oneOf: [sentWith('customerId'), sentWith('subscriptionId')] });

const redemption = z
  .object({
    id: shown.id(),
    couponId: shown.id(),
    couponCode: z.string(),
    customerId: shown.id().nullable(),
    subscriptionId: shown.id().nullable(),
    cyclesUsed: z.int().meta({ description: 'Issued invoices from which it took something.' }),
    redeemedAt: shown.instant(),
    endedAt: shown.instant().nullable(),
  })
  .meta({ id: 'CouponRedemption' });

const tag = 'Coupons';

export const couponRedemptionRoutes = [
  route({
    method: 'GET',
    path: '/coupon-redemptions',
    tag,
    summary: 'List coupon redemptions',
    scope: 'read',
    query: listQuery(['redeemedAt', 'createdAt'], {
      couponCode: text(100).optional(),
      couponId: reference().optional(),
      customerId: reference().optional(),
      subscriptionId: reference().optional(),
      ended: queryFlag().optional(),
    }),
    response: listOf(redemption),
    handler: ({ tx, query }) => listRedemptions(tx, query),
  }),
  route({
    method: 'POST',
    path: '/coupon-redemptions',
    tag,
    summary: 'Redeem a coupon for a customer or a subscription',
    description:
      "It touches the lines of that customer, or of that subscription, alone. Expiry is judged by the customer's clock. " +
      'A FIXED one is not applied to invoices in another currency.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: redemption,
    handler: ({ tx, body, actor }) => redeemCoupon(tx, body, actor),
  }),
  route({
    method: 'GET',
    path: '/coupon-redemptions/:redemptionId',
    tag,
    summary: 'Read a coupon redemption',
    scope: 'read',
    response: redemption,
    handler: ({ tx, params }) => readRedemption(tx, params.redemptionId),
  }),
  route({
    method: 'DELETE',
    path: '/coupon-redemptions/:redemptionId',
    tag,
    summary: 'End a coupon redemption',
    description: 'From now on it takes nothing; issued invoices keep what it took. It stays readable, with `endedAt`.',
    scope: 'write',
    status: 204,
    response: noContent,
    handler: ({ tx, params, actor }) => endRedemption(tx, params.redemptionId, actor),
  }),
];
