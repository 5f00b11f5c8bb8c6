import { decimal, type DecimalString, roundToAmount, type RoundingMode, toPlain } from '../money.ts';
import type { Price } from './price.ts';
import { priceQuantity } from './pricing/index.ts';

/**
 * What a price charges for one whole period, rounded as a line is: once, at its end (RM1).
 *
 * @param input.quantity Units, >= 0, fractions allowed.
 * @returns `amount` in the currency's minor digits, gross where the price is inclusive; the steps in words and figures.
 */
export function previewPrice(input: {
  readonly price: Price;
  readonly quantity: DecimalString;
  readonly currency: string;
  readonly rounding: RoundingMode;
}): { amount: DecimalString; explanation: string[] } {
  const { price, currency, rounding } = input;
  const priced = priceQuantity(price, input.quantity);
  const amount = roundToAmount(priced.amount, currency, rounding);
  const isRounded = !priced.amount.eq(decimal(amount));
  const rounded = `Rounded to the minor unit of ${currency}: ${toPlain(priced.amount)} is ${amount}`;
  return { amount, explanation: [...priced.explanation, ...(isRounded ? [rounded] : [])] };
}
