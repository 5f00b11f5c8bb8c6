import { type CalendarDate, lastDateOf, localDate } from '../calendar.ts';
import type { Price } from '../catalog/price.ts';
import { priceQuantity } from '../catalog/pricing/index.ts';
import { type DecimalString, type RoundingMode, roundToAmount, toPlain } from '../money.ts';
import type { PeriodCharge, Terms } from '../subscription/collect-item.ts';
import { type Proration, usedShare } from '../subscription/own-periods.ts';
import type { UnusedCredit } from '../subscription/unused-credit.ts';
import type { LineDraft } from './line-draft.ts';

/** What a line of a subscription's item says about where it comes from. */
export interface LineSource {
  readonly subscriptionId: string;
  readonly itemId: string;
  readonly ownerId: string;
  readonly planName: string | null;
  readonly proration: Proration;
}

/** How the run writes money and dates. */
export interface LineContext {
  readonly currency: string;
  readonly rounding: RoundingMode;
  readonly timezone: string;
}

/** What a line says of the time that it charges, whoever is charged. */
interface PricedPeriod {
  readonly taxPoint: CalendarDate;
  readonly amount: DecimalString;
  /** Null for a whole period. */
  readonly proration: string | null;
  readonly explanation: readonly string[];
}

/**
 * The line of a period: price × used ÷ whole, rounded once, at its end (RM1, RP2).
 *
 * @param priced  prices the period, as `pricing` does.
 */
export function periodLine(
  charge: PeriodCharge,
  source: LineSource,
  priced: (charge: PeriodCharge, proration: Proration) => PricedPeriod,
): LineDraft {
  const { terms, period } = charge;
  const { taxPoint, amount, proration, explanation } = priced(charge, source.proration);
  return {
    ...sourceFields(source, terms),
    kind: terms.price.type === 'USAGE' ? 'USAGE' : 'RECURRING',
    claim: {
      kind: 'PERIOD',
      itemId: source.itemId,
      termsVersion: terms.version,
      periodStart: period.start,
      periodEnd: period.end,
      sequence: 0,
    },
    description: `${titleOf(source, terms.price.code)}${proration === null ? '' : `, ${proration}`}`,
    periodStart: period.start,
    periodEnd: period.end,
    taxPoint,
    amount,
    explanation,
  };
}

/** Prices periods, each that differs once: the members of a run are charged for the same month at the same few prices. */
export function pricing(context: LineContext): (charge: PeriodCharge, proration: Proration) => PricedPeriod {
  const knownByPrice = new Map<Price, Map<string, PricedPeriod>>();
  return (charge, proration) => {
    const { terms, period, whole, billing } = charge;
    const known = knownByPrice.get(terms.price) ?? new Map<string, PricedPeriod>();
    const key = [terms.quantity, period.start, period.end, whole.start, whole.end, billing, proration].join(' ');
    const priced = known.get(key) ?? pricePeriod(charge, proration, context);
    knownByPrice.set(terms.price, known.set(key, priced));
    return priced;
  };
}

function pricePeriod(charge: PeriodCharge, proration: Proration, context: LineContext): PricedPeriod {
  const { terms, period, whole, billing } = charge;
  const priced = priceQuantity(terms.price, terms.quantity);
  const share = usedShare(period, whole, proration, context.timezone);
  const prorated = share.used.eq(share.whole)
    ? null
    : `${share.used.toFixed()} of ${share.whole.toFixed()} ${share.unit}`;
  return {
    taxPoint: billing === 'ADVANCE' ? localDate(period.start, context.timezone) : lastDateOf(period, context.timezone),
    amount: roundToAmount(priced.amount.times(share.used).div(share.whole), context.currency, context.rounding),
    proration: prorated,
    explanation: prorated === null ? priced.explanation : [...priced.explanation, `Prorated: ${prorated}`],
  };
}

/** RP11: the one line of a SETUP price. Its periods are null; its tax point is the day it begins. */
export function setupLine(terms: Terms, startAt: string, source: LineSource, context: LineContext): LineDraft {
  const priced = priceQuantity(terms.price, terms.quantity);
  return {
    ...sourceFields(source, terms),
    kind: 'SETUP',
    claim: {
      kind: 'SETUP',
      itemId: source.itemId,
      termsVersion: terms.version,
      periodStart: startAt,
      periodEnd: startAt,
      sequence: 0,
    },
    description: titleOf(source, terms.price.code),
    periodStart: null,
    periodEnd: null,
    taxPoint: localDate(startAt, context.timezone),
    amount: roundToAmount(priced.amount, context.currency, context.rounding),
    explanation: priced.explanation,
  };
}

/** RP5: the line that gives unused time back, with the tax rates of the line that it credits. */
export function creditLine(credit: UnusedCredit, terms: Terms, source: LineSource): LineDraft {
  const { line } = credit;
  return {
    ...sourceFields(source, terms),
    kind: 'PRORATION_CREDIT',
    claim: { kind: 'CREDIT', creditedLineId: line.lineId, sequence: line.credits },
    description: `Unused time: ${line.description}`,
    periodStart: credit.period.start,
    periodEnd: credit.period.end,
    taxPoint: line.taxPoint,
    taxCode: line.taxCode,
    taxInclusive: line.taxInclusive,
    amount: credit.amount,
    creditsLineId: line.lineId,
    explanation: credit.explanation,
  };
}

const titleOf = (source: LineSource, priceCode: string): string =>
  source.planName === null ? priceCode : `${source.planName}: ${priceCode}`;

const sourceFields = (source: LineSource, { price, quantity, version }: Terms) => ({
  subscriptionId: source.subscriptionId,
  itemId: source.itemId,
  ownerId: source.ownerId,
  termsVersion: version,
  priceCode: price.code,
  chargeId: null,
  taxCode: price.taxCode,
  taxInclusive: price.taxInclusive,
  quantity: price.model === 'FLAT' ? '1' : toPlain(quantity),
  unitAmount: toPlain(price.amount),
  creditsLineId: null,
});
