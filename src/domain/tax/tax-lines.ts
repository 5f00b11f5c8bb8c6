import { minorDigits } from '../currency.ts';
import {
  allocateShares,
  decimal,
  roundToAmount,
  sum,
  toAmount,
  toPercent,
  type Decimal,
  type DecimalString,
  type RoundingMode,
} from '../money.ts';
import {
  profileFinder,
  treatSupply,
  type AppliedRate,
  type TaxContext,
  type TaxedSupply,
  type TaxProfile,
} from './treatment.ts';

/** A line as taxation sees it. */
export interface TaxableLine extends TaxedSupply {
  readonly id: string;
  /** After discount, signed, whole minor units; gross when `inclusive`. */
  readonly amount: DecimalString;
  /** Whether the amount contains its tax. */
  readonly inclusive: boolean;
}

/** One rate on a line, or on the whole invoice. */
export interface TaxRow extends AppliedRate {
  /** Net amount taxed, whole minor units. */
  readonly base: DecimalString;
  /** The tax, whole minor units. */
  readonly amount: DecimalString;
}

/** A line's tax. Exclusive: `taxable` is the line's amount. Inclusive: `taxable + tax` is the line's amount. */
export interface TaxedLine {
  readonly lineId: string;
  readonly taxable: DecimalString;
  readonly tax: DecimalString;
  /** Sum of the line's rates. */
  readonly taxPercent: DecimalString;
  readonly taxes: TaxRow[];
}

/** One rate on one line, before rounding. */
interface RateShare extends AppliedRate {
  readonly lineIndex: number;
  readonly address: string;
  readonly share: Decimal;
}

/**
 * Taxes the lines of an invoice (RO3).
 *
 * Each rate's tax is the sum of its lines' net amounts × the rate, rounded once per tax address (country and region), and
 * split over those lines by largest remainder, a line's share being its own net × the rate (RM3). An inclusive line's net
 * is gross ÷ (1 + Σ its rates), unrounded until that sum; what its taxes leave of the gross is its `taxable`, so that both
 * add up to the gross exactly.
 *
 * @returns Lines in the order given, and one summary row for each code, per cent and reason, in order of first appearance:
 *          exclusive and inclusive lines of one rate share the row (and the rounding), and so do its addresses. A row's
 *          base and amount are the sums of the lines' rows. For inclusive lines the base may therefore differ by a minor
 *          unit or so from the unrounded net on which the tax was computed.
 * @throws  `tax.invalid` when an owner's profile is missing.
 */
export function applyTax(
  input: TaxContext & { currency: string; rounding: RoundingMode; lines: readonly TaxableLine[] },
): { lines: TaxedLine[]; summary: TaxRow[] } {
  const profileOf = profileFinder(input);
  const shares = input.lines.flatMap((line, lineIndex) => {
    const profile = profileOf(line.ownerId);
    return shareRates(line, treatSupply(line, profile, input)).map((row) => ({
      ...row,
      lineIndex,
      address: addressOf(profile),
    }));
  });
  const amounts = roundShares(shares, input);
  const sharesOf = Map.groupBy(shares, (share) => share.lineIndex);
  const lines = input.lines.map((line, index) => taxLine(line, sharesOf.get(index) ?? [], amounts, input.currency));
  return { lines, summary: summarize(lines, input.currency) };
}

const addressOf = ({ country, region }: TaxProfile): string => JSON.stringify([country, region?.toUpperCase() ?? null]);

/** The exact tax of each rate on a line: multiplied before it is divided, so that what is exact stays so. */
function shareRates(line: TaxableLine, rates: readonly AppliedRate[]): (AppliedRate & { share: Decimal })[] {
  const hundred = decimal('100');
  const divisor = line.inclusive ? sum(rates.map((rate) => rate.percent)).plus(hundred) : hundred;
  const amount = decimal(line.amount);
  return rates.map((rate) => ({ ...rate, share: amount.times(decimal(rate.percent)).div(divisor) }));
}

/** Rounds the sum of each rate at each address, and splits it over the shares again. */
function roundShares(
  shares: readonly RateShare[],
  { currency, rounding }: { currency: string; rounding: RoundingMode },
): ReadonlyMap<RateShare, DecimalString> {
  const amounts = new Map<RateShare, DecimalString>();
  for (const group of Map.groupBy(shares, (share) => `${share.address} ${rowKey(share)}`).values()) {
    const exact = group.map(({ share }) => share);
    const parts = allocateShares(roundToAmount(sum(exact), currency, rounding), exact, minorDigits(currency));
    for (const [index, share] of group.entries()) amounts.set(share, parts[index] ?? '0');
  }
  return amounts;
}

const rowKey = ({ code, percent, reason }: AppliedRate): string => JSON.stringify([code, percent, reason]);

function taxLine(
  line: TaxableLine,
  shares: readonly RateShare[],
  amounts: ReadonlyMap<RateShare, DecimalString>,
  currency: string,
): TaxedLine {
  const tax = sum(shares.map((share) => amounts.get(share) ?? '0'));
  const amount = decimal(line.amount);
  const taxable = toAmount(line.inclusive ? amount.minus(tax) : amount, currency);
  return {
    lineId: line.id,
    taxable,
    tax: toAmount(tax, currency),
    taxPercent: toPercent(sum(shares.map((share) => share.percent))),
    taxes: shares.map((share) => ({
      code: share.code,
      name: share.name,
      percent: share.percent,
      base: taxable,
      amount: amounts.get(share) ?? toAmount('0', currency),
      reason: share.reason,
    })),
  };
}

function summarize(lines: readonly TaxedLine[], currency: string): TaxRow[] {
  const groups = Map.groupBy(
    lines.flatMap((line) => line.taxes),
    rowKey,
  );
  return [...groups.values()].flatMap((rows) => {
    const [first] = rows;
    if (first === undefined) return [];
    const { code, name, percent, reason } = first;
    const base = toAmount(sum(rows.map((row) => row.base)), currency);
    const amount = toAmount(sum(rows.map((row) => row.amount)), currency);
    return [{ code, name, percent, base, amount, reason }];
  });
}
