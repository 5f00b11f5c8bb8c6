import { describe, expect, test } from 'vitest';
import {
  hasCyclesLeft,
  isRedeemable,
  redemptionRefusal,
  validateCoupon,
  type Coupon,
} from '../../../src/domain/coupon/eligibility.ts';

const asOf = '2026-02-28T00:00:00.000Z';
const justAfter = '2026-02-28T00:00:00.001Z';

const percentCoupon: Coupon = {
  code: 'SPRING',
  type: 'PERCENT',
  percent: '15',
  amount: null,
  currency: null,
  duration: 'ONCE',
  cycles: null,
  maxRedemptions: null,
  expiresAt: null,
  carryRemainder: false,
};
const fixedCoupon: Coupon = { ...percentCoupon, type: 'FIXED', percent: null, amount: '10.00', currency: 'USD' };

// prettier-ignore
test.each([
  { when: 'it has neither limit nor expiry', expiresAt: null,      maxRedemptions: null, redemptions: 99, refusal: null               },
  { when: 'it expires a moment later',       expiresAt: justAfter, maxRedemptions: null, redemptions: 0,  refusal: null               },
  { when: 'it expires at this instant',      expiresAt: asOf,      maxRedemptions: null, redemptions: 0,  refusal: 'coupon.expired'   },
  { when: 'one redemption is left',          expiresAt: null,      maxRedemptions: 2,    redemptions: 1,  refusal: null               },
  { when: 'the last one was made',           expiresAt: null,      maxRedemptions: 2,    redemptions: 2,  refusal: 'coupon.exhausted' },
])('the refusal is $refusal when $when', ({ refusal, redemptions, ...coupon }) => {
  expect(redemptionRefusal(coupon, { asOf, redemptions })).toBe(refusal);
  expect(isRedeemable(coupon, { asOf, redemptions })).toBe(refusal === null);
});

// prettier-ignore
test.each([
  { duration: 'ONCE',      cycles: null, used: 0,    left: true  },
  { duration: 'ONCE',      cycles: null, used: 1,    left: false },
  { duration: 'REPEATING', cycles: 3,    used: 2,    left: true  },
  { duration: 'REPEATING', cycles: 3,    used: 3,    left: false },
  { duration: 'FOREVER',   cycles: null, used: 1000, left: true  },
] as const)('$duration ($cycles) after $used cycles has some left: $left', ({ duration, cycles, used, left }) => {
  expect(hasCyclesLeft({ duration, cycles }, used)).toBe(left);
});

describe('validateCoupon', () => {
  // prettier-ignore
  test.each<{ when: string; coupon: Coupon; at: string[] }>([
    { when: 'a per cent',                  coupon: percentCoupon,                                        at: []                  },
    { when: 'all of it',                   coupon: { ...percentCoupon, percent: '100' },                 at: []                  },
    { when: 'a fixed amount',              coupon: fixedCoupon,                                          at: []                  },
    { when: 'three cycles',                coupon: { ...fixedCoupon, duration: 'REPEATING', cycles: 3 }, at: []                  },
    { when: 'nothing',                     coupon: { ...percentCoupon, percent: '0' },                   at: ['percent']         },
    { when: 'more than all',               coupon: { ...percentCoupon, percent: '100.01' },              at: ['percent']         },
    { when: 'no per cent',                 coupon: { ...percentCoupon, percent: null },                  at: ['percent']         },
    { when: '7 decimals',                  coupon: { ...percentCoupon, percent: '1.0000001' },           at: ['percent']         },
    { when: 'a per cent and an amount',    coupon: { ...percentCoupon, amount: '1', currency: 'USD' },   at: ['amount', 'currency'] },
    { when: 'a carried per cent',          coupon: { ...percentCoupon, carryRemainder: true },           at: ['carryRemainder']  },
    { when: 'an amount and a per cent',    coupon: { ...fixedCoupon, percent: '5' },                     at: ['percent']         },
    { when: 'no amount',                   coupon: { ...fixedCoupon, amount: null },                     at: ['amount']          },
    { when: 'an amount of 0',              coupon: { ...fixedCoupon, amount: '0.00' },                   at: ['amount']          },
    { when: 'half a cent',                 coupon: { ...fixedCoupon, amount: '0.005' },                  at: ['amount']          },
    { when: 'no currency',                 coupon: { ...fixedCoupon, currency: null },                   at: ['currency']        },
    { when: 'no number of cycles',         coupon: { ...fixedCoupon, duration: 'REPEATING' },            at: ['cycles']          },
    { when: 'cycles of one that has none', coupon: { ...fixedCoupon, cycles: 3 },                        at: ['cycles']          },
    { when: 'no redemption at all',        coupon: { ...fixedCoupon, maxRedemptions: 0 },                at: ['maxRedemptions']  },
  ])('finds fault at $at with $when', ({ coupon, at }) => {
    expect(validateCoupon(coupon).map((fault) => fault.path)).toEqual(at);
  });
});
