import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyCoupons, type DiscountableLine, type Redemption } from '../../../src/domain/coupon/discount.ts';
import { decimal, sum, toAmount } from '../../../src/domain/money.ts';

const line = (id: string, amount: string, ownerId = 'ann', subscriptionId: string | null = 's1'): DiscountableLine => ({
  id,
  ownerId,
  subscriptionId,
  amount,
});

const base = {
  scope: { customerId: 'ann' },
  percent: null,
  amount: null,
  currency: null,
  redeemedAt: '2026-01-01T00:00:00.000Z',
  carryRemainder: false,
};
const percent = (id: string, off: string, changes: Partial<Redemption> = {}): Redemption => ({
  ...base,
  id,
  couponCode: id.toUpperCase(),
  type: 'PERCENT',
  percent: off,
  ...changes,
});
const fixed = (id: string, off: string, changes: Partial<Redemption> = {}): Redemption => ({
  ...base,
  id,
  couponCode: id.toUpperCase(),
  type: 'FIXED',
  amount: off,
  currency: 'USD',
  ...changes,
});
const onS1 = { scope: { subscriptionId: 's1' } };
const inFebruary = { redeemedAt: '2026-02-01T00:00:00.000Z' };

const apply = (lines: DiscountableLine[], redemptions: Redemption[], currency = 'USD') =>
  applyCoupons({ currency, rounding: 'HALF_UP', lines, redemptions });
/** 'a p -1.00': line a loses 1.00 to redemption p. */
const shown = (result: ReturnType<typeof apply>) =>
  result.shares.map(({ lineId, redemptionId, amount }) => `${lineId} ${redemptionId} -${amount}`);

describe('applyCoupons', () => {
  // prettier-ignore
  test.each<{ when: string; lines: DiscountableLine[]; redemptions: Redemption[]; takes: string[] }>([
    { when: 'there are none',              lines: [line('a', '10.00')],                     redemptions: [],                                takes: [] },
    { when: 'there are no lines',          lines: [],                                       redemptions: [fixed('f', '5.00')],              takes: [] },
    { when: 'a per cent is taken',         lines: [line('a', '10.00')],                     redemptions: [percent('p', '15')],              takes: ['a p -1.50'] },
    { when: 'all is taken',                lines: [line('a', '10.00')],                     redemptions: [percent('p', '100')],             takes: ['a p -10.00'] },
    { when: 'a per cent is rounded once',  lines: [line('a', '0.05'), line('b', '0.05'), line('c', '0.05')], redemptions: [percent('p', '10')], takes: ['a p -0.01', 'b p -0.01'] },
    { when: 'a fixed amount is split',     lines: [line('a', '10.00'), line('b', '20.00')], redemptions: [fixed('f', '5.00')],              takes: ['a f -1.67', 'b f -3.33'] },
    { when: 'a fixed amount is capped',    lines: [line('a', '3.00')],                      redemptions: [fixed('f', '5.00')],              takes: ['a f -3.00'] },
    { when: 'a per cent takes what is left', lines: [line('a', '10.00')],                   redemptions: [percent('p', '50'), percent('q', '50', inFebruary)], takes: ['a p -5.00', 'a q -2.50'] },
    { when: 'redeemed in another order',   lines: [line('a', '10.00')],                     redemptions: [percent('p', '50', inFebruary), fixed('f', '4.00')], takes: ['a f -4.00', 'a p -3.00'] },
    { when: 'redeemed at one instant',     lines: [line('a', '10.00')],                     redemptions: [percent('q', '50'), fixed('f', '4.00')], takes: ['a f -4.00', 'a q -3.00'] },
    { when: 'the subscription goes first', lines: [line('a', '10.00')],                     redemptions: [fixed('f', '4.00'), percent('p', '50', { ...onS1, ...inFebruary })], takes: ['a p -5.00', 'a f -4.00'] },
    { when: 'it is split by what is left', lines: [line('a', '10.00'), line('b', '10.00', 'ann', 's2')], redemptions: [fixed('f', '8.00', onS1), fixed('g', '6.00')], takes: ['a f -8.00', 'a g -1.00', 'b g -5.00'] },
    { when: 'a line is used up',           lines: [line('a', '10.00'), line('b', '10.00', 'ann', 's2')], redemptions: [percent('p', '100', onS1), fixed('g', '6.00')], takes: ['a p -10.00', 'b g -6.00'] },
    { when: 'lines are below or at 0',     lines: [line('a', '-10.00'), line('b', '0.00'), line('c', '4.00')], redemptions: [percent('p', '50')], takes: ['c p -2.00'] },
    { when: 'another customer redeemed',   lines: [line('a', '10.00', 'bob')],              redemptions: [percent('p', '50')],              takes: [] },
    { when: 'another subscription did',    lines: [line('a', '10.00', 'ann', 's2'), line('b', '8.00', 'ann', null)], redemptions: [percent('p', '50', onS1)], takes: [] },
    { when: 'it is of another currency',   lines: [line('a', '10.00')],                     redemptions: [fixed('f', '5.00', { currency: 'EUR' })], takes: [] },
    { when: 'it rounds to nothing',        lines: [line('a', '0.04')],                      redemptions: [percent('p', '10')],              takes: [] },
  ])('takes $takes when $when', ({ lines, redemptions, takes }) => {
    expect(shown(apply(lines, redemptions))).toEqual(takes);
  });

  test('yen are split into whole ones, fils into thousandths', () => {
    const three = ['a', 'b', 'c'];
    expect(
      shown(
        apply(
          three.map((id) => line(id, '100')),
          [fixed('f', '100', { currency: 'JPY' })],
          'JPY',
        ),
      ),
    ).toEqual(['a f -34', 'b f -33', 'c f -33']);
    expect(
      shown(
        apply(
          three.map((id) => line(id, '1.000')),
          [fixed('f', '1.000', { currency: 'KWD' })],
          'KWD',
        ),
      ),
    ).toEqual(['a f -0.334', 'b f -0.333', 'c f -0.333']);
  });

  test('half a cent follows the rounding mode', () => {
    const input = { currency: 'USD', lines: [line('a', '0.05')], redemptions: [percent('p', '50')] };
    expect(applyCoupons({ ...input, rounding: 'HALF_UP' }).taken[0]?.amount).toBe('0.03');
    expect(applyCoupons({ ...input, rounding: 'HALF_EVEN' }).taken[0]?.amount).toBe('0.02');
  });

  // prettier-ignore
  test.each([
    { when: 'it carries what is left',  coupon: fixed('f', '25.00', { carryRemainder: true }),  taken: '10.00', remainder: '15.00' },
    { when: 'it carries nothing more',  coupon: fixed('f', '10.00', { carryRemainder: true }),  taken: '10.00', remainder: '0.00'  },
    { when: 'the remainder is lost',    coupon: fixed('f', '25.00'),                            taken: '10.00', remainder: null    },
    { when: 'a per cent has none',      coupon: percent('p', '50', { carryRemainder: true }),   taken: '5.00',  remainder: null    },
  ])('keeps $remainder when $when', ({ coupon, taken, remainder }) => {
    expect(apply([line('a', '10.00')], [coupon]).taken).toEqual([
      { redemptionId: coupon.id, amount: taken, remainder },
    ]);
  });

  test('one that took nothing is not among those taken', () => {
    const all = percent('p', '100');
    expect(apply([line('a', '10.00')], [all, fixed('f', '5.00', inFebruary)]).taken.map((t) => t.redemptionId)).toEqual(
      ['p'],
    );
  });

  test.each([percent('p', '5', { percent: null }), fixed('f', '5', { amount: null }), fixed('f', '-5.00')])(
    'refuses a redemption without a value',
    (redemption) => {
      expect(() => apply([line('a', '10.00')], [redemption])).toThrow(
        expect.objectContaining({ code: 'coupon.invalid' }),
      );
    },
  );
});

describe('any coupons on any lines', () => {
  const lines = fc
    .array(fc.tuple(fc.integer({ min: -500, max: 5000 }), fc.constantFrom('ann', 'bob'), fc.constantFrom('s1', 's2')))
    .map((all) =>
      all.map(([cents, owner, subscription], index) =>
        line(`l${index}`, toAmount(decimal(String(cents)).div(100), 'USD'), owner, subscription),
      ),
    );
  const redemptions = fc
    .array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 10_000 }), fc.constantFrom('ann', 'bob', 's1', 's2')), {
      maxLength: 6,
    })
    .map((all) =>
      all.map(([isPercent, value, on], index) => {
        const scope = on.startsWith('s') ? { subscriptionId: on } : { customerId: on };
        const off = toAmount(decimal(String(value)).div(100), 'USD');
        const carryRemainder = value % 2 === 0;
        return isPercent ? percent(`r${index}`, off, { scope }) : fixed(`r${index}`, off, { scope, carryRemainder });
      }),
    );

  test('no line goes below 0, and the shares add up to what was taken', () => {
    fc.assert(
      fc.property(lines, redemptions, (given, redeemed) => {
        const { shares, taken } = apply(given, redeemed);
        for (const { id, amount } of given) {
          const discount = sum(shares.filter((share) => share.lineId === id).map((share) => share.amount));
          expect(discount.isZero() || discount.lte(amount)).toBe(true);
        }
        for (const { redemptionId, amount } of taken) {
          const own = shares.filter((share) => share.redemptionId === redemptionId);
          expect(own.every((share) => decimal(share.amount).gt(0))).toBe(true);
          expect(toAmount(sum(own.map((share) => share.amount)), 'USD')).toBe(amount);
        }
        expect(shares.every((share) => taken.some((one) => one.redemptionId === share.redemptionId))).toBe(true);
      }),
    );
  });

  test('the order in which redemptions are given does not matter', () => {
    fc.assert(
      fc.property(lines, redemptions, (given, redeemed) => {
        expect(apply(given, redeemed.toReversed())).toEqual(apply(given, redeemed));
      }),
    );
  });

  test('a fixed amount is taken in full or as far as the lines go, and what is carried is the rest', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 10_000 }), (given, cents) => {
        const off = toAmount(decimal(String(cents)).div(100), 'USD');
        const { taken } = apply(given, [fixed('f', off, { carryRemainder: true })]);
        const reach = sum(given.filter((l) => l.ownerId === 'ann' && decimal(l.amount).gt(0)).map((l) => l.amount));
        const expected = decimal(off).lt(reach) ? decimal(off) : reach;
        expect(sum(taken.map((one) => one.amount)).eq(expected)).toBe(true);
        for (const { amount, remainder } of taken) expect(sum([amount, remainder ?? '0']).eq(off)).toBe(true);
      }),
    );
  });
});
