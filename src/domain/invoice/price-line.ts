import { lastDateOf, localDate } from '../calendar.ts';
import { priceQuantity } from '../catalog/pricing/index.ts';
import { type RoundingMode, roundToAmount, toPlain } from '../money.ts';
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

/** The line of a period: price × used ÷ whole, rounded once, at its end (RM1, RP2). */
export function periodLine(charge: PeriodCharge, source: LineSource, context: LineContext): LineDraft {
  const { terms, period, whole, billing } = charge;
  const { price, quantity, version } = terms;
  const priced = priceQuantity(price, quantity);
  const share = usedShare(period, whole, source.proration, context.timezone);
  const isWhole = share.used.eq(share.whole);
  const proration = `${share.used.toFixed()} of ${share.whole.toFixed()} ${share.unit}`;
  return {
    ...sourceFields(source, terms),
    kind: price.type === 'USAGE' ? 'USAGE' : 'RECURRING',
    claim: {
      kind: 'PERIOD',
      itemId: source.itemId,
      termsVersion: version,
      periodStart: period.start,
      periodEnd: period.end,
      sequence: 0,
    },
    description: `${titleOf(source, price.code)}${isWhole ? '' : `, ${proration}`}`,
    periodStart: period.start,
    periodEnd: period.end,
    taxPoint: billing === 'ADVANCE' ? localDate(period.start, context.timezone) : lastDateOf(period, context.timezone),
    amount: roundToAmount(priced.amount.times(share.used).div(share.whole), context.currency, context.rounding),
    explanation: [...priced.explanation, ...(isWhole ? [] : [`Prorated: ${proration}`])],
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
