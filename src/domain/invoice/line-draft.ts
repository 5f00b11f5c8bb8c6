import type { CalendarDate, Instant } from '../calendar.ts';
import type { DecimalString } from '../money.ts';

export type LineKind =
  'RECURRING' | 'USAGE' | 'ONE_TIME' | 'SETUP' | 'PRORATION_CHARGE' | 'PRORATION_CREDIT' | 'MINIMUM';

/** What a line takes, so that nothing is taken twice (RN2). */
export type LineClaim =
  | {
      readonly kind: 'PERIOD' | 'SETUP';
      readonly itemId: string;
      readonly termsVersion: number;
      readonly periodStart: Instant;
      readonly periodEnd: Instant;
      readonly sequence: number;
    }
  | { readonly kind: 'CREDIT'; readonly creditedLineId: string; readonly sequence: number }
  | { readonly kind: 'ONE_TIME'; readonly chargeId: string };

/** A line as collecting leaves it: before discount and tax. Amounts in major units of the run's currency. */
export interface LineDraft {
  readonly kind: LineKind;
  readonly claim: LineClaim;
  readonly description: string;
  readonly subscriptionId: string | null;
  readonly itemId: string | null;
  readonly termsVersion: number | null;
  readonly priceCode: string | null;
  readonly chargeId: string | null;
  /** Billed from. */
  readonly ownerId: string;
  readonly periodStart: Instant | null;
  readonly periodEnd: Instant | null;
  readonly taxPoint: CalendarDate;
  readonly taxCode: string | null;
  readonly taxInclusive: boolean;
  readonly quantity: DecimalString | null;
  readonly unitAmount: DecimalString | null;
  /** Before discount, signed, whole minor units; gross where the price is inclusive. */
  readonly amount: DecimalString;
  readonly creditsLineId: string | null;
  readonly explanation: readonly string[];
}
