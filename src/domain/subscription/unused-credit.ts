import { earlier, type Instant, later, type Period } from '../calendar.ts';
import { minorDigits } from '../currency.ts';
import { Decimal, type DecimalString, decimal, type RoundingMode, roundTo, toAmount } from '../money.ts';
import { type Proration, usedShare } from './own-periods.ts';

/** A line that was charged for time, on an issued invoice. Amounts in major units of the invoice's currency. */
export interface ChargedLine {
  readonly lineId: string;
  readonly itemId: string;
  readonly invoiceNumber: string | null;
  readonly description: string;
  readonly period: Period;
  /** After discount: what was really charged, gross where the price is inclusive. */
  readonly charged: DecimalString;
  /** All that was credited on it before, credit notes included, >= 0. */
  readonly credited: DecimalString;
  /** From when on its time was given back already; absent or null when none was. */
  readonly creditedFrom?: Instant | null;
  /** How many credits claim it already: the sequence of the next. */
  readonly credits: number;
  readonly taxInclusive: boolean;
  readonly taxCode: string | null;
  readonly taxPoint: string;
}

/** What is given back for the time of a line that is not used any more. */
export interface UnusedCredit {
  readonly line: ChargedLine;
  /** [end of use, end of the line's period, or where its time was given back already). */
  readonly period: Period;
  /** Below 0, whole minor units. */
  readonly amount: DecimalString;
  readonly explanation: readonly string[];
}

/**
 * RP5: credits the unused rest of a line, the lesser of charged × unused ÷ billed time and what was not credited yet. Time
 * that was given back before is not unused once more.
 *
 * @param input.endAt  first instant that is not used, as proration sees it.
 * @returns            null when nothing is unused or nothing is left to credit.
 */
export function creditUnused(input: {
  line: ChargedLine;
  endAt: Instant;
  proration: Proration;
  timezone: string;
  currency: string;
  rounding: RoundingMode;
}): UnusedCredit | null {
  const { line, endAt, proration, timezone, currency, rounding } = input;
  const period = {
    start: later(endAt, line.period.start),
    end: earlier(line.period.end, line.creditedFrom ?? line.period.end),
  };
  if (period.start >= period.end) return null;
  const { used, whole, unit } = usedShare(period, line.period, proration, timezone);
  const share = roundTo(decimal(line.charged).times(used).div(whole), minorDigits(currency), rounding);
  const left = decimal(line.charged).minus(line.credited);
  const amount = Decimal.min(share, left);
  if (amount.lte(0)) return null;
  return {
    line,
    period,
    amount: toAmount(amount.negated(), currency),
    explanation: [
      `Charged ${toAmount(line.charged, currency)} ${currency}${line.invoiceNumber === null ? '' : ` on ${line.invoiceNumber}`}`,
      `Unused: ${used.toFixed()} of ${whole.toFixed()} ${unit}`,
      ...(amount.lt(share) ? [`Credited before: ${toAmount(line.credited, currency)} ${currency}`] : []),
    ],
  };
}
