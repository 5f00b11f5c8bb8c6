import { expect, test } from 'vitest';
import { previewPrice } from '../../../src/domain/catalog/preview.ts';
import { asPrice } from '../../../src/domain/catalog/price.ts';
import type { RoundingMode } from '../../../src/domain/money.ts';
import { priceFields } from './price-fields.ts';

const unit = (amount: string, freeUnits: string | null = null) =>
  asPrice(priceFields({ model: 'PER_UNIT', amount, freeUnits }));
const preview = (
  price: ReturnType<typeof unit>,
  quantity: string,
  currency = 'USD',
  rounding: RoundingMode = 'HALF_UP',
) => previewPrice({ price, quantity, currency, rounding });

// prettier-ignore
test.each([
  { price: asPrice(priceFields()),   quantity: '7',    currency: 'USD', amount: '10.00'  },
  { price: unit('0.015'),            quantity: '1000', currency: 'USD', amount: '15.00'  },
  { price: unit('0.015'),            quantity: '1000', currency: 'JPY', amount: '15'     },
  { price: unit('0.015'),            quantity: '1000', currency: 'KWD', amount: '15.000' },
  { price: unit('2', '10'),          quantity: '12.5', currency: 'EUR', amount: '5.00'   },
  { price: unit('2', '10'),          quantity: '9',    currency: 'EUR', amount: '0.00'   },
])('$quantity of $price.amount $price.model come to $amount $currency', ({ price, quantity, currency, amount }) => {
  expect(preview(price, quantity, currency).amount).toBe(amount);
});

test('it is rounded once, at the end, and says so', () => {
  expect(preview(unit('0.005'), '3')).toEqual({
    amount: '0.02',
    explanation: ['3 × 0.005 = 0.015', 'Rounded to the minor unit of USD: 0.015 is 0.02'],
  });
  expect(preview(unit('0.005'), '2').explanation).toEqual(['2 × 0.005 = 0.01']);
});

test('a half goes where the rounding mode says', () => {
  expect(preview(unit('0.125'), '1', 'USD', 'HALF_UP').amount).toBe('0.13');
  expect(preview(unit('0.125'), '1', 'USD', 'HALF_EVEN').amount).toBe('0.12');
});
