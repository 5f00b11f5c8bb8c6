import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asPrice, type PriceFields } from '../../../../src/domain/catalog/price.ts';
import { priceQuantity } from '../../../../src/domain/catalog/pricing/index.ts';
import { isChargedOnce } from '../../../../src/domain/catalog/pricing/setup.ts';
import { toPlain } from '../../../../src/domain/money.ts';
import { priceFields } from '../price-fields.ts';

const price = (changes: Partial<PriceFields>) => asPrice(priceFields(changes));
const flat = (amount: string) => price({ model: 'FLAT', amount });
const perUnit = (amount: string, freeUnits: string | null = null) => price({ model: 'PER_UNIT', amount, freeUnits });

describe('priceQuantity', () => {
  // prettier-ignore
  test.each([
    { when: 'it is flat',                     of: flat('49'),               quantity: '1',    amount: '49',     unit: null    },
    { when: 'it is flat, whatever the units', of: flat('49.50'),            quantity: '12',   amount: '49.5',   unit: null    },
    { when: 'it is flat without any unit',    of: flat('49'),               quantity: '0',    amount: '49',     unit: null    },
    { when: 'each unit is charged',           of: perUnit('7.50'),          quantity: '3',    amount: '22.5',   unit: '7.5'   },
    { when: 'there are no units',             of: perUnit('7.50'),          quantity: '0',    amount: '0',      unit: '7.5'   },
    { when: 'some units are free',            of: perUnit('7.50', '2'),     quantity: '3',    amount: '7.5',    unit: '7.5'   },
    { when: 'just all units are free',        of: perUnit('7.50', '3'),     quantity: '3',    amount: '0',      unit: '7.5'   },
    { when: 'more units are free than used',  of: perUnit('7.50', '5'),     quantity: '3',    amount: '0',      unit: '7.5'   },
    { when: 'units are fractions',            of: perUnit('0.10'),          quantity: '2.5',  amount: '0.25',   unit: '0.1'   },
    { when: 'nothing is rounded yet',         of: perUnit('0.0000125'),     quantity: '1001', amount: '0.0125125', unit: '0.0000125' },
    { when: 'it is exact to 24 decimals',     of: perUnit('0.000000000001'), quantity: '0.000000000001', amount: '0.000000000000000000000001', unit: '0.000000000001' },
  ])('$quantity cost $amount when $when', ({ of, quantity, amount, unit }) => {
    const priced = priceQuantity(of, quantity);
    expect(toPlain(priced.amount)).toBe(amount);
    expect(priced.unitAmount).toBe(unit);
  });

  test('explains each step', () => {
    expect(priceQuantity(flat('49.00'), '3').explanation).toEqual(['Flat amount: 49']);
    expect(priceQuantity(perUnit('7.50'), '3').explanation).toEqual(['3 × 7.5 = 22.5']);
    expect(priceQuantity(perUnit('7.50', '2'), '3').explanation).toEqual([
      '3 units, 2 of them free: 1',
      '1 × 7.5 = 7.5',
    ]);
    expect(priceQuantity(price({ type: 'SETUP' }), '1').explanation).toEqual([
      'Flat amount: 10',
      'Setup: charged once, never prorated',
    ]);
  });

  test('a setup fee is priced like any other, but once', () => {
    expect(toPlain(priceQuantity(price({ type: 'SETUP', model: 'PER_UNIT' }), '3').amount)).toBe('30');
    expect([isChargedOnce(price({ type: 'SETUP' })), isChargedOnce(price({}))]).toEqual([true, false]);
  });

  test.each(['-1', '-0.5'])('refuses a quantity of %s', (quantity) => {
    expect(() => priceQuantity(perUnit('7'), quantity)).toThrow(expect.objectContaining({ code: 'price.invalid' }));
  });

  test('refuses a model that slipped past validation', () => {
    const slipped = JSON.parse(JSON.stringify({ ...flat('1'), model: 'BARTER' }));
    expect(() => priceQuantity(slipped, '1')).toThrow(expect.objectContaining({ code: 'price.invalid' }));
  });

  test('per unit never costs less for more units, and never less than nothing', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.nat(), (amount, free, quantity, more) => {
        const of = perUnit(String(amount), String(free));
        const less = priceQuantity(of, String(quantity)).amount;
        expect(less.gte(0)).toBe(true);
        expect(priceQuantity(of, String(quantity + more)).amount.gte(less)).toBe(true);
      }),
    );
  });
});
