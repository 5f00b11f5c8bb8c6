import { minorDigits } from '../currency.ts';
import { BillingError } from '../errors.ts';
import {
  decimal,
  type DecimalString,
  INTEGER_DIGITS_MAX,
  type RoundingMode,
  roundToAmount,
  toAmount,
  toPlain,
} from '../money.ts';

/** What a one-time charge comes to. Quantity and unit amount plain, the amount in whole minor units; signed. */
export interface ChargePrice {
  readonly quantity: DecimalString;
  readonly unitAmount: DecimalString;
  readonly amount: DecimalString;
}

/**
 * Prices a one-time charge: the amount as it was sent, or quantity × unit amount, rounded once (RM1).
 *
 * @param sent.amount     whole minor units; then the quantity is 1.
 * @param sent.quantity   1 unless given, with `unitAmount`.
 * @throws `money.scale` for an amount finer than its currency; `money.invalid` for a product too large to be billed;
 *         `request.invalid` unless it is one of the two ways.
 */
export function priceCharge(
  sent: {
    readonly amount?: DecimalString | undefined;
    readonly quantity?: DecimalString | undefined;
    readonly unitAmount?: DecimalString | undefined;
  },
  by: { readonly currency: string; readonly rounding: RoundingMode },
): ChargePrice {
  const { amount, quantity, unitAmount } = sent;
  if (amount !== undefined && unitAmount === undefined && quantity === undefined) {
    return { quantity: '1', unitAmount: toPlain(amount), amount: wholeUnits(amount, by.currency) };
  }
  if (amount !== undefined || unitAmount === undefined) {
    throw refused('request.invalid', 'amount', 'Send either an amount, or a unitAmount with a quantity.');
  }
  const product = decimal(quantity ?? '1').times(decimal(unitAmount));
  if (product.abs().gte(decimal(`1${'0'.repeat(INTEGER_DIGITS_MAX)}`))) {
    throw refused(
      'money.invalid',
      'unitAmount',
      `Too large: quantity × unitAmount has more than ${INTEGER_DIGITS_MAX} digits before the point.`,
    );
  }
  return {
    quantity: toPlain(quantity ?? '1'),
    unitAmount: toPlain(unitAmount),
    amount: roundToAmount(product, by.currency, by.rounding),
  };
}

function wholeUnits(amount: DecimalString, currency: string): DecimalString {
  const digits = minorDigits(currency);
  if (decimal(amount).decimalPlaces() <= digits) return toAmount(amount, currency);
  throw refused(
    'money.scale',
    'amount',
    `${currency} has ${digits} decimals: ${amount} is too fine. Send a unitAmount to have it rounded.`,
  );
}

const refused = (
  code: 'request.invalid' | 'money.invalid' | 'money.scale',
  path: string,
  message: string,
): BillingError => new BillingError(code, message, [{ path, message }]);
