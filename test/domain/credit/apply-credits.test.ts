import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyCredits, DEFAULT_PRIORITY, type Grant } from '../../../src/domain/credit/apply-credits.ts';
import { decimal, sum, toAmount } from '../../../src/domain/money.ts';

const asOf = '2026-02-28T00:00:00.000Z';
const mar1 = { expiresAt: '2026-03-01T00:00:00.000Z' };
const mar2 = { expiresAt: '2026-03-02T00:00:00.000Z' };
const older = { createdAt: '2025-01-01T00:00:00.000Z' };

const grant = (id: string, remaining: string, changes: Partial<Grant> = {}): Grant => ({
  id,
  kind: 'PAID',
  currency: 'USD',
  remaining,
  priority: DEFAULT_PRIORITY,
  expiresAt: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...changes,
});
const apply = (due: string, grants: Grant[], currency = 'USD') => applyCredits({ due, currency, asOf, grants });

// prettier-ignore
test.each<{ when: string; due: string; grants: Grant[]; pays: Record<string, string>; left: string }>([
  { when: 'there are none',              due: '10.00', grants: [],                                                   pays: {},                         left: '10.00' },
  { when: 'nothing is due',              due: '0.00',  grants: [grant('a', '4.00')],                                 pays: {},                         left: '0.00'  },
  { when: 'one covers part',             due: '10.00', grants: [grant('a', '4.00')],                                 pays: { a: '4.00' },              left: '6.00'  },
  { when: 'one exceeds what is due',     due: '10.00', grants: [grant('a', '25.00'), grant('b', '5.00')],            pays: { a: '10.00' },             left: '0.00'  },
  { when: 'one is spent',                due: '10.00', grants: [grant('a', '0.00'), grant('b', '3.00')],             pays: { b: '3.00' },              left: '7.00'  },
  { when: 'a lower priority goes first', due: '10.00', grants: [grant('a', '9.00', mar1), grant('b', '9.00', { priority: 99 })], pays: { b: '9.00', a: '1.00' }, left: '0.00' },
  { when: 'a later one expires first',   due: '10.00', grants: [grant('a', '9.00', mar2), grant('b', '9.00', mar1)], pays: { b: '9.00', a: '1.00' },   left: '0.00'  },
  { when: 'one never expires',           due: '10.00', grants: [grant('a', '9.00', older), grant('b', '9.00', mar1)], pays: { b: '9.00', a: '1.00' },  left: '0.00'  },
  { when: 'a later one is older',        due: '10.00', grants: [grant('a', '9.00'), grant('b', '9.00', older)],      pays: { b: '9.00', a: '1.00' },   left: '0.00'  },
  { when: 'all else is equal',           due: '10.00', grants: [grant('b', '9.00'), grant('a', '9.00')],             pays: { a: '9.00', b: '1.00' },   left: '0.00'  },
  { when: 'one is void at that instant', due: '10.00', grants: [grant('a', '9.00', { expiresAt: asOf })],            pays: {},                         left: '10.00' },
  { when: 'one is of another currency',  due: '10.00', grants: [grant('a', '9.00', { currency: 'EUR' })],            pays: {},                         left: '10.00' },
  { when: 'floats would drift',          due: '0.30',  grants: [grant('a', '0.10'), grant('b', '0.20')],             pays: { a: '0.10', b: '0.20' },   left: '0.00'  },
  { when: 'a column adds zeros',         due: '10.00', grants: [grant('a', '4.000000')],                             pays: { a: '4.00' },              left: '6.00'  },
])('pays $pays of $due when $when', ({ due, grants, pays, left }) => {
  const result = apply(due, grants);
  expect(Object.entries(pays)).toEqual(result.applied.map(({ grantId, amount }) => [grantId, amount]));
  expect(result.due).toBe(left);
});

test('says what kind of credit paid, in the minor units of the currency', () => {
  const grants = [grant('a', '400', { kind: 'GIFT_CARD', currency: 'JPY' })];
  expect(apply('1000', grants, 'JPY')).toEqual({
    applied: [{ grantId: 'a', kind: 'GIFT_CARD', amount: '400' }],
    due: '600',
  });
});

test('refuses an amount due below 0', () => {
  expect(() => apply('-0.01', [])).toThrow(expect.objectContaining({ code: 'credit.due_negative' }));
});

describe('any grants', () => {
  const grants = fc.array(
    fc.tuple(fc.nat(5000), fc.integer({ min: 98, max: 102 }), fc.constantFrom(null, asOf, mar1.expiresAt)),
    { maxLength: 10 },
  );
  const cents = (value: number) => toAmount(decimal(String(value)).div(100), 'USD');
  const toGrants = (given: [number, number, string | null][]) =>
    given.map(([value, priority, expiresAt], index) => grant(`g${index}`, cents(value), { priority, expiresAt }));

  test('pay no more than is due nor than they have; what is left is the rest', () => {
    fc.assert(
      fc.property(grants, fc.nat(20_000), (given, due) => {
        const all = toGrants(given);
        const result = apply(cents(due), all);
        expect(sum([...result.applied.map(({ amount }) => amount), result.due]).eq(cents(due))).toBe(true);
        expect(decimal(result.due).gte(0)).toBe(true);
        for (const { grantId, amount } of result.applied) {
          expect(decimal(amount).gt(0)).toBe(true);
          expect(decimal(amount).lte(all.find(({ id }) => id === grantId)?.remaining ?? '0')).toBe(true);
        }
      }),
    );
  });

  test('leave nothing due while a usable one has something', () => {
    fc.assert(
      fc.property(grants, fc.nat(20_000), (given, due) => {
        const all = toGrants(given);
        const usable = sum(all.filter(({ expiresAt }) => expiresAt !== asOf).map(({ remaining }) => remaining));
        const expected = usable.gte(cents(due)) ? decimal('0') : decimal(cents(due)).minus(usable);
        expect(decimal(apply(cents(due), all).due).eq(expected)).toBe(true);
      }),
    );
  });

  test('are spent in the same order, however they are given', () => {
    fc.assert(
      fc.property(grants, fc.nat(20_000), (given, due) => {
        const all = toGrants(given);
        expect(apply(cents(due), all.toReversed())).toEqual(apply(cents(due), all));
      }),
    );
  });
});
