import { BillingError } from '../../errors.ts';
import { decimal, type Decimal, type DecimalString } from '../../money.ts';
import type { Price } from '../price.ts';
import { priceFlat } from './flat.ts';
import { pricePerUnit } from './per-unit.ts';
import { explainSetup } from './setup.ts';

/** What a quantity costs, before proration and rounding. */
export interface PricedQuantity {
  /** Major units, unrounded, >= 0. */
  readonly amount: Decimal;
  /** The price of one unit, without trailing zeros; null where the model has none. */
  readonly unitAmount: DecimalString | null;
  /** The steps, in words and figures, for a person (I4). */
  readonly explanation: string[];
}

/**
 * The unrounded charge for a whole period, or for the one time that a SETUP price is charged (RC1, RC7, RP11).
 *
 * @param quantity Units, >= 0, fractions allowed.
 * @throws         `price.invalid` when the quantity is below 0.
 */
export function priceQuantity(price: Price, quantity: DecimalString): PricedQuantity {
  if (decimal(quantity).lt(0)) throw new BillingError('price.invalid', `A quantity of ${quantity} cannot be charged.`);
  const priced = priceByModel(price, quantity);
  return { ...priced, explanation: [...priced.explanation, ...explainSetup(price)] };
}

function priceByModel(price: Price, quantity: DecimalString): PricedQuantity {
  switch (price.model) {
    case 'FLAT':
      return priceFlat(price);
    case 'PER_UNIT':
      return pricePerUnit(price, quantity);
    default:
      return unknownModel(price);
  }
}

/** The compiler proves that this is never reached; a row that came past it is refused all the same. */
function unknownModel(price: never): never {
  throw new BillingError('price.invalid', `No such price model: ${JSON.stringify(price)}`);
}
