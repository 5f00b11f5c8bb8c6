import { decimal, toPlain } from '../../money.ts';
import type { FlatPrice } from '../price.ts';
import type { PricedQuantity } from './index.ts';

/** RC1: the amount, whatever the quantity; there is no unit to show. */
export function priceFlat(price: FlatPrice): PricedQuantity {
  const amount = decimal(price.amount);
  return { amount, unitAmount: null, explanation: [`Flat amount: ${toPlain(amount)}`] };
}
