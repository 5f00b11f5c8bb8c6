import type { Instant } from '../calendar.ts';
import { minorDigits } from '../currency.ts';
import { BillingError } from '../errors.ts';
import { allocate, Decimal, decimal, roundTo, sum, toAmount, type DecimalString, type RoundingMode } from '../money.ts';

/** A line that coupons may touch. */
export interface DiscountableLine {
  readonly id: string;
  /** The customer whose line it is, whoever pays. */
  readonly ownerId: string;
  readonly subscriptionId: string | null;
  /** Whole minor units, before discount, gross where the price is inclusive; only lines above 0 are touched. */
  readonly amount: DecimalString;
}

/** A coupon redeemed on a customer or a subscription, with cycles left; the caller leaves out those used up. */
export interface Redemption {
  readonly id: string;
  readonly scope: { readonly customerId: string } | { readonly subscriptionId: string };
  readonly couponCode: string;
  readonly type: 'PERCENT' | 'FIXED';
  /** 0 < percent <= 100, for PERCENT. */
  readonly percent: DecimalString | null;
  /** Whole minor units, for FIXED: what it may take now (what is left of it when it carries its remainder). */
  readonly amount: DecimalString | null;
  /** A FIXED one in another currency than the invoice's is not applied. */
  readonly currency: string | null;
  readonly redeemedAt: Instant;
  readonly carryRemainder: boolean;
}

/** What one redemption takes off one line, > 0. */
export interface DiscountShare {
  readonly lineId: string;
  readonly redemptionId: string;
  readonly couponCode: string;
  readonly amount: DecimalString;
}

/** What one redemption takes off the invoice, > 0; `remainder` is what it keeps for the next one, null when it keeps none. */
export interface TakenDiscount {
  readonly redemptionId: string;
  readonly amount: DecimalString;
  readonly remainder: DecimalString | null;
}

/**
 * Takes coupons off lines (RO2): subscription coupons first, then customer ones, each by redemption instant, then id.
 *
 * A coupon's discount is computed on the sum of what is left of the lines in its scope, rounded once, and split over them
 * by what is left (RM3). A per cent takes from what is left; a fixed amount is capped by it.
 *
 * @returns Shares that add up to what each redemption took; no line is discounted below 0. Redemptions that took nothing
 *          are not listed: they use up no cycle.
 * @throws  `coupon.invalid` when a redemption lacks its per cent or amount.
 */
export function applyCoupons(input: {
  currency: string;
  rounding: RoundingMode;
  lines: readonly DiscountableLine[];
  redemptions: readonly Redemption[];
}): { shares: DiscountShare[]; taken: TakenDiscount[] } {
  const { currency } = input;
  const left = new Map(input.lines.map((line) => [line.id, decimal(line.amount)]));
  const leftOf = (line: DiscountableLine) => left.get(line.id) ?? new Decimal(0);
  const linesIn = indexByScope(input.lines);
  const shares: DiscountShare[] = [];
  const taken: TakenDiscount[] = [];

  for (const redemption of input.redemptions.toSorted(byPrecedence)) {
    if (!isInCurrency(redemption, currency)) continue;
    const lines = linesIn(redemption.scope).filter((line) => leftOf(line).gt(0));
    const weights = lines.map(leftOf);
    const discount = discountOn(sum(weights), redemption, input);
    if (discount.isZero()) continue;

    const amount = toAmount(discount, currency);
    const parts = allocate(amount, weights, minorDigits(currency));
    for (const [index, line] of lines.entries()) {
      const part = parts[index] ?? '0';
      if (decimal(part).isZero()) continue;
      left.set(line.id, leftOf(line).minus(part));
      shares.push({ lineId: line.id, redemptionId: redemption.id, couponCode: redemption.couponCode, amount: part });
    }
    taken.push({ redemptionId: redemption.id, amount, remainder: remainderOf(redemption, discount, currency) });
  }
  return { shares, taken };
}

/** The lines of a customer or a subscription, in order, without going through all of them for every coupon. */
function indexByScope(lines: readonly DiscountableLine[]) {
  const ofOwner = Map.groupBy(lines, (line) => line.ownerId);
  const ofSubscription = Map.groupBy(lines, (line) => line.subscriptionId);
  return (scope: Redemption['scope']): readonly DiscountableLine[] =>
    ('subscriptionId' in scope ? ofSubscription.get(scope.subscriptionId) : ofOwner.get(scope.customerId)) ?? [];
}

function byPrecedence(a: Redemption, b: Redemption): number {
  const rank = (redemption: Redemption) => ('subscriptionId' in redemption.scope ? 0 : 1);
  return rank(a) - rank(b) || compareText(a.redeemedAt, b.redeemedAt) || compareText(a.id, b.id);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const isInCurrency = (redemption: Redemption, currency: string): boolean =>
  redemption.type === 'PERCENT' || redemption.currency === currency;

/** Rounded to the minor unit; never more than what is left. */
function discountOn(
  available: Decimal,
  redemption: Redemption,
  { currency, rounding }: { currency: string; rounding: RoundingMode },
): Decimal {
  const value = redemption.type === 'PERCENT' ? redemption.percent : redemption.amount;
  if (value === null || decimal(value).lt(0)) {
    throw new BillingError('coupon.invalid', `Redemption ${redemption.id} has no ${redemption.type} value above 0.`);
  }
  const wanted = redemption.type === 'PERCENT' ? available.times(decimal(value)).div(100) : decimal(value);
  return Decimal.min(available, roundTo(wanted, minorDigits(currency), rounding));
}

const remainderOf = (redemption: Redemption, taken: Decimal, currency: string): DecimalString | null =>
  redemption.carryRemainder && redemption.amount !== null
    ? toAmount(decimal(redemption.amount).minus(taken), currency)
    : null;
