import { z } from 'zod';
import { archiveCoupon, createCoupon, listCoupons, readCoupon } from '../db/coupons.ts';
import { code } from './code-schema.ts';
import { listOf, listQuery, queryFlag } from './listing.ts';
import { route } from './route.ts';
import { currency, instant, percent, positiveMoney, shown, text, wholeNumber } from './schemas.ts';

const couponType = z.enum(['PERCENT', 'FIXED']);
const duration = z.enum(['ONCE', 'REPEATING', 'FOREVER']);
/** As many as the column holds. */
const COUNT_MAX = 2_147_483_647;

const createBody = z
  .strictObject({
    code: code(),
    name: text(200).nullish(),
    type: couponType,
    percent: percent().nullish().meta({ description: 'Of a PERCENT coupon: above 0, up to 100.' }),
    amount: positiveMoney().nullish().meta({ description: 'Of a FIXED coupon, for each cycle.' }),
    currency: currency().nullish().meta({ description: 'Of a FIXED coupon: it is not applied in another one.' }),
    duration: duration.default('ONCE'),
    cycles: wholeNumber(1, COUNT_MAX).nullish().meta({ description: 'Of a REPEATING coupon.' }),
    maxRedemptions: wholeNumber(1, COUNT_MAX).nullish(),
    expiresAt: instant().nullish().meta({ description: 'From this instant on it can no longer be redeemed.' }),
    carryRemainder: z.boolean().default(false),
  })
  .meta({ id: 'NewCoupon' });

const coupon = z
  .object({
    id: shown.id(),
    code: z.string(),
    name: z.string().nullable(),
    type: couponType,
    percent: shown.percent().nullable(),
    amount: shown.amount().nullable(),
    currency: z.string().nullable(),
    duration,
    cycles: z.int().nullable(),
    maxRedemptions: z.int().nullable(),
    redemptionCount: z.int(),
    expiresAt: shown.instant().nullable(),
    carryRemainder: z.boolean(),
    archivedAt: shown.instant().nullable(),
    createdAt: shown.instant(),
  })
  .meta({ id: 'Coupon' });

const tag = 'Coupons';

export const couponRoutes = [
  route({
    method: 'GET',
    path: '/coupons',
    tag,
    summary: 'List coupons',
    scope: 'read',
    query: listQuery(['createdAt', 'code'], {
      code: text(100).optional(),
      type: couponType.optional(),
      archived: queryFlag().optional(),
    }),
    response: listOf(coupon),
    handler: ({ tx, query }) => listCoupons(tx, query),
  }),
  route({
    method: 'POST',
    path: '/coupons',
    tag,
    summary: 'Create a coupon',
    description:
      'A FIXED amount is given once in each cycle; what it cannot take is lost unless `carryRemainder`. Expiry and ' +
      '`maxRedemptions` concern redeeming: what was redeemed in time runs for its whole duration.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: coupon,
    handler: ({ tx, body, actor }) =>
      createCoupon(
        tx,
        {
          ...body,
          name: body.name ?? null,
          percent: body.percent ?? null,
          amount: body.amount ?? null,
          currency: body.currency ?? null,
          cycles: body.cycles ?? null,
          maxRedemptions: body.maxRedemptions ?? null,
          expiresAt: body.expiresAt ?? null,
        },
        actor,
      ),
  }),
  route({
    method: 'GET',
    path: '/coupons/:couponId',
    tag,
    summary: 'Read a coupon by its id or its code',
    scope: 'read',
    response: coupon,
    handler: ({ tx, params }) => readCoupon(tx, params.couponId),
  }),
  route({
    method: 'POST',
    path: '/coupons/:couponId/archive',
    tag,
    summary: 'Withdraw a coupon',
    description: 'It can no longer be redeemed. What was redeemed runs on.',
    scope: 'write',
    response: coupon,
    handler: ({ tx, params, actor }) => archiveCoupon(tx, params.couponId, actor),
  }),
];
