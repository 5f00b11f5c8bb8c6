import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allocate,
  allocateShares,
  Decimal,
  decimal,
  isDecimalString,
  roundTo,
  roundToAmount,
  sum,
  toAmount,
  toPercent,
  toPlain,
} from '../../src/domain/money.ts';

/** A whole number of minor units, written in major ones. */
const major = (units: bigint | number, digits: number) => new Decimal(String(units)).div(new Decimal(10).pow(digits));
const minorDigits = fc.constantFrom(0, 2, 3);
const units = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
const weights = fc.array(fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), { minLength: 1, maxLength: 40 });

describe('decimal', () => {
  test.each(['0', '-0', '19.00', '-0.5', '123456789012345678.123456'])('reads %s', (text) => {
    expect(decimal(text).eq(text)).toBe(true);
  });

  test.each(['', ' 1', '1e3', '1,5', '.5', '5.', '+1', '007', '0x1F', 'NaN', 'Infinity'])('refuses %j', (text) => {
    expect(isDecimalString(text)).toBe(false);
    expect(() => decimal(text)).toThrow(expect.objectContaining({ code: 'money.invalid' }));
  });

  test.each(['-0', '-0.00', '0.00'])('%s is 0, without a sign', (zero) => {
    expect(toPlain(zero)).toBe('0');
    expect(toPlain(sum([zero]))).toBe('0');
    expect(toAmount(zero, 'USD')).toBe('0.00');
  });

  test('keeps more digits than decimal.js does by default', () => {
    expect(toPlain(sum(['123456789012345678.123456', '0.000001']))).toBe('123456789012345678.123457');
  });
});

describe('roundTo', () => {
  // prettier-ignore
  test.each([
    { value: '0.005',   digits: 2, up: '0.01',  even: '0'     },
    { value: '0.015',   digits: 2, up: '0.02',  even: '0.02'  },
    { value: '0.0049',  digits: 2, up: '0',     even: '0'     },
    { value: '-0.005',  digits: 2, up: '-0.01', even: '0'     },
    { value: '-0.004',  digits: 2, up: '0',     even: '0'     },
    { value: '1.5',     digits: 0, up: '2',     even: '2'     },
    { value: '2.5',     digits: 0, up: '3',     even: '2'     },
    { value: '1.0005',  digits: 3, up: '1.001', even: '1'     },
  ])('$value to $digits decimals is $up, or $even at an even half', ({ value, digits, up, even }) => {
    expect(toPlain(roundTo(value, digits, 'HALF_UP'))).toBe(up);
    expect(toPlain(roundTo(value, digits, 'HALF_EVEN'))).toBe(even);
  });

  test('a half that a division has blurred is still a half', () => {
    const ninth = new Decimal(1).div(9);
    const blurred = sum(Array.from({ length: 9 }, () => ninth)).minus('0.995');
    expect(blurred.lt('0.005')).toBe(true);
    expect(toPlain(roundTo(blurred, 2, 'HALF_UP'))).toBe('0.01');
    expect(toPlain(roundTo(blurred, 2, 'HALF_EVEN'))).toBe('0');
  });

  test('zero never has a sign', () => {
    expect(Object.is(roundTo('-0.001', 2, 'HALF_UP').toNumber(), 0)).toBe(true);
  });
});

describe('writing', () => {
  // prettier-ignore
  test.each([
    { value: '19',     currency: 'USD', written: '19.00' },
    { value: '1500',   currency: 'JPY', written: '1500'  },
    { value: '0.25',   currency: 'KWD', written: '0.250' },
    { value: '-0',     currency: 'USD', written: '0.00'  },
    { value: '4.000000', currency: 'JPY', written: '4'   },
    { value: '-1.1',   currency: 'EUR', written: '-1.10' },
  ])('$value $currency is written $written', ({ value, currency, written }) => {
    expect(toAmount(value, currency)).toBe(written);
  });

  test.each([
    { value: '0.005', currency: 'USD' },
    { value: '0.5', currency: 'JPY' },
  ])('$value $currency is not rounded silently', ({ value, currency }) => {
    expect(() => toAmount(value, currency)).toThrow(expect.objectContaining({ code: 'money.scale' }));
    expect(roundToAmount(value, currency, 'HALF_UP')).toBe(currency === 'USD' ? '0.01' : '1');
  });

  test('unit prices lose trailing zeros, per cents keep two', () => {
    expect(['0.500000', '10.00', '0', '-0.0', '0.000000000001'].map(toPlain)).toEqual([
      '0.5',
      '10',
      '0',
      '0',
      '0.000000000001',
    ]);
    expect(['19', '19.000000', '8.875', '0'].map(toPercent)).toEqual(['19.00', '19.00', '8.875', '0.00']);
  });
});

describe('allocate', () => {
  // prettier-ignore
  test.each([
    { when: 'it divides evenly',           total: '10.00',  weights: ['1', '1'],            digits: 2, parts: ['5.00', '5.00']            },
    { when: 'ties go by order',            total: '10.00',  weights: ['1', '1', '1'],       digits: 2, parts: ['3.34', '3.33', '3.33']    },
    { when: 'the largest fraction wins',   total: '0.03',   weights: ['1', '1', '3'],       digits: 2, parts: ['0.01', '0.00', '0.02']    },
    { when: 'a later fraction is larger',  total: '1.00',   weights: ['1', '2'],            digits: 2, parts: ['0.33', '0.67']            },
    { when: 'the total is negative',       total: '-10.00', weights: ['1', '1', '1'],       digits: 2, parts: ['-3.33', '-3.33', '-3.34'] },
    { when: 'signs are mixed',             total: '10.00',  weights: ['3', '-1'],           digits: 2, parts: ['15.00', '-5.00']          },
    { when: 'mixed signs leave a unit',    total: '1.00',   weights: ['5', '-2'],           digits: 2, parts: ['1.67', '-0.67']           },
    { when: 'a weight is zero',            total: '0.01',   weights: ['0', '1', '1'],       digits: 2, parts: ['0.00', '0.01', '0.00']    },
    { when: 'there are no minor units',    total: '100',    weights: ['1', '1', '1'],       digits: 0, parts: ['34', '33', '33']          },
    { when: 'there are thousandths',       total: '1.000',  weights: ['1', '1', '1'],       digits: 3, parts: ['0.334', '0.333', '0.333'] },
    { when: 'nothing is split over zeros', total: '0.00',   weights: ['0', '0'],            digits: 2, parts: ['0.00', '0.00']            },
    { when: 'nothing is split over signs', total: '0.00',   weights: ['1', '-1'],           digits: 2, parts: ['0.00', '0.00']            },
    { when: 'nothing is split over none',  total: '0.00',   weights: [],                    digits: 2, parts: []                          },
  ])('$total over $weights is $parts when $when', ({ total, weights: given, digits, parts }) => {
    expect(allocate(total, given, digits)).toEqual(parts);
  });

  test.each([
    { total: '1.00', weights: [] },
    { total: '1.00', weights: ['0', '0'] },
    { total: '1.00', weights: ['1', '-1'] },
    { total: '0.005', weights: ['1', '1'] },
  ])('refuses $total over $weights', ({ total, weights: given }) => {
    expect(() => allocate(total, given, 2)).toThrow(expect.objectContaining({ code: 'allocation.invalid' }));
  });

  test('the parts add up to the whole, whatever the signs', () => {
    fc.assert(
      fc.property(units, weights, minorDigits, (total, given, digits) => {
        fc.pre(given.reduce((a, b) => a + b, 0n) !== 0n);
        const whole = toPlain(major(total, digits));
        const parts = allocate(whole, given.map(String), digits);
        expect(toPlain(sum(parts))).toBe(whole);
      }),
    );
  });

  test('each part is less than a unit from its share, and a weight of 0 gets 0', () => {
    fc.assert(
      fc.property(units, weights, minorDigits, (total, given, digits) => {
        const weightSum = given.reduce((a, b) => a + b, 0n);
        fc.pre(weightSum !== 0n);
        const parts = allocate(toPlain(major(total, digits)), given.map(String), digits);
        for (const [index, part] of parts.entries()) {
          const share = major(total * (given[index] ?? 0n), digits).div(String(weightSum));
          expect(decimal(part).minus(share).abs().times(new Decimal(10).pow(digits)).lt(1)).toBe(true);
          if (given[index] === 0n) expect(decimal(part).isZero()).toBe(true);
        }
      }),
    );
  });

  test('a split of no more than the weights takes no more than each weight', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000), { minLength: 1 }), fc.nat(), (given, seed) => {
        const whole = given.reduce((a, b) => a + b, 0);
        fc.pre(whole > 0);
        const parts = allocate(String(seed % (whole + 1)), given.map(String), 0);
        expect(parts.every((part, index) => decimal(part).gte(0) && decimal(part).lte(given[index] ?? 0))).toBe(true);
      }),
    );
  });

  test('the scale of the weights does not matter', () => {
    fc.assert(
      fc.property(units, weights, fc.integer({ min: 1, max: 997 }), (total, given, factor) => {
        fc.pre(given.reduce((a, b) => a + b, 0n) !== 0n);
        const whole = toPlain(major(total, 2));
        const scaled = given.map((weight) => new Decimal(String(weight)).div(factor));
        expect(allocate(whole, scaled, 2)).toEqual(allocate(whole, given.map(String), 2));
      }),
    );
  });
});

describe('allocateShares', () => {
  // prettier-ignore
  test.each([
    { when: 'the sum was rounded up',            total: '0.01',  shares: ['0.004', '0.004'],            parts: ['0.01', '0.00']           },
    { when: 'the sum was rounded down',          total: '0.01',  shares: ['0.0071', '0.0072'],          parts: ['0.00', '0.01']           },
    { when: 'a negative half goes away from 0',  total: '-0.01', shares: ['-0.005'],                    parts: ['-0.01']                  },
    { when: 'signs are mixed',                   total: '0.00',  shares: ['1.905', '-1.905'],           parts: ['1.91', '-1.91']          },
    { when: 'a tie is blurred by a division',    total: '0.01',  shares: ['0.00499999999999999999999999999999', '0.005'], parts: ['0.01', '0.00'] },
    { when: 'a share is blurred by a division',  total: '1.00',  shares: ['0.99999999999999999999999999999', '0'], parts: ['1.00', '0.00'] },
  ])('$total is split into $parts when $when', ({ total, shares, parts }) => {
    expect(allocateShares(total, shares.map(decimal), 2)).toEqual(parts);
  });

  test.each(['1.01', '0.99', '1.005'])('refuses %s for shares that add up to 1.00', (total) => {
    expect(() => allocateShares(total, [new Decimal('0.4'), new Decimal('0.6')], 2)).toThrow(
      expect.objectContaining({ code: 'allocation.invalid' }),
    );
  });

  test('the parts add up to the rounded sum of any shares, in both rounding modes', () => {
    const share = fc.tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: 1, max: 10 ** 9 }));
    fc.assert(
      fc.property(
        fc.array(share, { maxLength: 40 }),
        minorDigits,
        fc.constantFrom('HALF_UP' as const, 'HALF_EVEN' as const),
        (given, digits, mode) => {
          const shares = given.map(([dividend, divisor]) => new Decimal(String(dividend)).div(divisor));
          const total = toPlain(roundTo(sum(shares), digits, mode));
          const parts = allocateShares(total, shares, digits);
          expect(toPlain(sum(parts))).toBe(total);
          expect(parts.every((part) => decimal(part).decimalPlaces() <= digits)).toBe(true);
        },
      ),
    );
  });
});
