import { Decimal, decimal, toPlain, type DecimalString } from '../../money.ts';
import type { PerUnitPrice } from '../price.ts';
import type { PricedQuantity } from './index.ts';

/** RC1: (quantity − free units) × unit price, never below 0; RC7: fractions of a unit are priced as they are. */
export function pricePerUnit(price: PerUnitPrice, quantity: DecimalString): PricedQuantity {
  const unitAmount = decimal(price.amount);
  const free = decimal(price.freeUnits ?? '0');
  const charged = Decimal.max(0, decimal(quantity).minus(free));
  const amount = charged.times(unitAmount);
  const units = free.isZero() ? [] : [`${toPlain(quantity)} units, ${toPlain(free)} of them free: ${toPlain(charged)}`];
  const product = `${toPlain(charged)} × ${toPlain(unitAmount)} = ${toPlain(amount)}`;
  return { amount, unitAmount: toPlain(unitAmount), explanation: [...units, product] };
}
