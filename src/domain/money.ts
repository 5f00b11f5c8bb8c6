import { Decimal as DecimalJs } from 'decimal.js';
import { minorDigits } from './currency.ts';
import { BillingError } from './errors.ts';

/** A number in plain notation, `-?digits[.digits]`: an amount in major units, a unit price, a quantity or a per cent. */
export type DecimalString = string;

/** At the half: away from zero, or to the even neighbour (RM2). */
export type RoundingMode = 'HALF_UP' | 'HALF_EVEN';

/** Exact to 40 significant digits, and never written with an exponent below 10^40. */
export const Decimal = DecimalJs.clone({ precision: 40, toExpNeg: -40, toExpPos: 40 });
export type Decimal = DecimalJs;

/** Decimals that a unit price or a quantity may have (RM1). */
export const UNIT_DECIMALS_MAX = 12;

/** Decimals that a per cent may have (RM1). */
export const PERCENT_DECIMALS_MAX = 6;

/** Digits before the point that an amount may have: beyond, price × quantity would no longer be exact. */
export const INTEGER_DIGITS_MAX = 15;

const PLAIN = /^-?(0|[1-9]\d*)(\.\d+)?$/;
const ZERO = new Decimal(0);
const ROUNDING = { HALF_UP: Decimal.ROUND_HALF_UP, HALF_EVEN: Decimal.ROUND_HALF_EVEN } as const;

/** Whether a text is a decimal as the API takes it: plain notation, no exponent, no sign but a minus. */
export function isDecimalString(text: string): boolean {
  return PLAIN.test(text);
}

/** Decimals never change, and thousands of lines are written with the same few: each is parsed once. */
const read = new Map<DecimalString, Decimal>();
const READ_MAX = 10_000;

/**
 * Reads a decimal; one that was read already passes through. Zero has no sign.
 *
 * @throws `money.invalid` for anything but plain notation: '', '1e3', '1,5', 'NaN'.
 */
export function decimal(value: Decimal | DecimalString): Decimal {
  if (typeof value !== 'string') return value;
  const known = read.get(value);
  if (known !== undefined) return known;
  if (!isDecimalString(value)) {
    throw new BillingError('money.invalid', `"${value}" is not a decimal number such as "19.00".`);
  }
  const exact = new Decimal(value);
  const parsed = exact.isZero() ? ZERO : exact;
  if (read.size >= READ_MAX) read.clear();
  read.set(value, parsed);
  return parsed;
}

/** Adds up, exactly; nothing gives 0. */
export function sum(values: Iterable<DecimalString | Decimal>): Decimal {
  let total: Decimal | null = null;
  for (const value of values) total = total === null ? decimal(value) : total.plus(decimal(value));
  return total ?? ZERO;
}

/**
 * Rounds to a number of decimals: the one place where money is rounded (RM2). Zero has no sign.
 *
 * The value is first settled at 24 decimals (a unit price times a quantity has no more), so that a half which a division
 * turned into 0.00499… or 0.00500…1 is still a half.
 */
export function roundTo(value: Decimal | DecimalString, digits: number, mode: RoundingMode): Decimal {
  const rounded = settled(value).toDecimalPlaces(digits, ROUNDING[mode]);
  return rounded.isZero() ? ZERO : rounded;
}

/** Rounds to the minor unit of a currency, and writes it out: how a line ends (RM1). */
export function roundToAmount(value: Decimal | DecimalString, currency: string, mode: RoundingMode): DecimalString {
  return toAmount(roundTo(value, minorDigits(currency), mode), currency);
}

/**
 * Writes an amount with exactly its currency's minor digits: '19.00' USD, '1500' JPY, '0.250' KWD. It never rounds.
 *
 * @throws `money.scale` when the value is no whole number of minor units.
 */
export function toAmount(value: Decimal | DecimalString, currency: string): DecimalString {
  const digits = minorDigits(currency);
  const amount = decimal(value);
  if (amount.decimalPlaces() > digits) {
    throw new BillingError('money.scale', `${amount} has more than the ${digits} decimals of ${currency}.`);
  }
  return amount.toFixed(digits);
}

/** Writes without trailing zeros, as unit prices and quantities are: '0.5', '10', '0'. */
export function toPlain(value: Decimal | DecimalString): DecimalString {
  return decimal(value).toFixed();
}

/** Writes a per cent with at least two decimals: '19.00', '8.875'. */
export function toPercent(value: Decimal | DecimalString): DecimalString {
  const percent = decimal(value);
  return percent.toFixed(Math.max(2, percent.decimalPlaces()));
}

/**
 * Splits a total in proportion to weights, by largest remainder (RM3): shares are floored toward −∞ in minor units, the
 * units left over go to the largest fractions, ties by order. The parts add up to the total exactly, also with mixed signs;
 * a weight of zero gets nothing.
 *
 * @param total  Whole minor units, in major notation; may be negative.
 * @param digits Decimals of the minor unit.
 * @throws       `allocation.invalid` when the weights add up to 0 and the total does not.
 */
export function allocate(
  total: DecimalString,
  weights: readonly (Decimal | DecimalString)[],
  digits: number,
): DecimalString[] {
  const whole = decimal(total);
  const weightSum = sum(weights);
  if (weightSum.isZero() && !whole.isZero()) {
    throw new BillingError('allocation.invalid', `${total} cannot be split: the weights add up to 0.`);
  }
  const shares = weights.map((weight) => (whole.isZero() ? ZERO : whole.times(decimal(weight)).div(weightSum)));
  return allocateShares(total, shares, digits);
}

/**
 * RM3 when the exact shares are known, as for a tax: each share is floored toward −∞, the units left over go to the largest
 * fractions, ties by order. The parts add up to the total exactly, and each is less than one minor unit from its share.
 *
 * @param total  The rounded sum of the shares: whole minor units, less than one of them away from that sum.
 * @param shares Unrounded, in major units, any sign.
 * @param digits Decimals of the minor unit.
 * @throws       `allocation.invalid` when total and shares do not belong together.
 */
export function allocateShares(total: DecimalString, shares: readonly Decimal[], digits: number): DecimalString[] {
  const unitsPerMajor = new Decimal(10).pow(digits);
  const units = shares.map((share) => settled(share).times(unitsPerMajor));
  const totalUnits = decimal(total).times(unitsPerMajor);
  if (!totalUnits.isInteger() || totalUnits.minus(sum(units)).abs().gte(1)) {
    throw new BillingError('allocation.invalid', `${total} is not the rounded sum of its shares, ${sum(shares)}.`);
  }

  const floors = units.map((share) => share.floor());
  const fractions = units.map((share, index) => share.minus(floors[index] ?? ZERO));
  const leftOver = totalUnits.minus(sum(floors)).toNumber();
  const raised = new Set(largestFirst(fractions).slice(0, leftOver));
  return floors.map((floor, index) => (raised.has(index) ? floor.plus(1) : floor).div(unitsPerMajor).toFixed(digits));
}

/** Positions, the largest value first; equal ones stay in order. */
const largestFirst = (values: readonly Decimal[]): number[] =>
  values
    .map((value, index) => ({ value, index }))
    .toSorted((a, b) => b.value.comparedTo(a.value))
    .map(({ index }) => index);

/** Without the noise that a division leaves in the last of 40 digits. */
const settled = (value: Decimal | DecimalString): Decimal =>
  decimal(value).toDecimalPlaces(24, Decimal.ROUND_HALF_EVEN);
