import type { Instant } from '../../domain/calendar.ts';
import type { Redemption } from '../../domain/coupon/discount.ts';
import type { Grant } from '../../domain/credit/apply-credits.ts';
import type { CollectedInvoice } from '../../domain/invoice/collect-run.ts';
import type { LineDraft } from '../../domain/invoice/line-draft.ts';
import { type SettleLine, type Settlement, settle } from '../../domain/invoice/settle.ts';
import type { RoundingMode } from '../../domain/money.ts';
import type { AppliedRate, TaxContext } from '../../domain/tax/treatment.ts';
import type { Tx } from '../database.ts';
import { afterSpending, loadGrants } from './grants.ts';
import { afterTaking, loadRedemptions } from './redemptions.ts';
import { loadTaxContexts, ratesOfLines, type TaxedParty } from './tax-context.ts';

/** What one event collected for a payer, to be settled. */
export interface CollectedEvent extends TaxedParty {
  readonly currency: string;
  readonly rounding: RoundingMode;
  /** Decides which credits are void. */
  readonly asOf: Instant;
  readonly invoices: readonly CollectedInvoice[];
}

/**
 * Coupons, tax and credits of collected invoices, in memory: what a preview shows and what a run of one transaction issues.
 * The statements are the same few however many events and lines there are. No two of the events may have an account in
 * common: a coupon or credit that one of them takes would be there for the other.
 *
 * @param options.lock  holds redemptions and grants, for a caller that writes.
 * @returns the settlements of each event, in the order given; the ids of lines are their places, from '0'.
 */
export async function settleInvoices(
  tx: Tx,
  events: readonly CollectedEvent[],
  options: { lock: boolean },
): Promise<Settlement[][]> {
  const lines = events.flatMap(({ invoices }) => invoices.flatMap((invoice) => invoice.lines));
  if (lines.length === 0) return events.map(() => []);
  const redemptions = await loadRedemptions(tx, lines, { exceptRunId: null, lock: options.lock });
  const fixed = await ratesOfLines(
    tx,
    lines.map(({ creditsLineId }) => creditsLineId).filter((id) => id !== null),
  );
  const contexts = await loadTaxContexts(
    tx,
    events.map((event) => ({ ...event, ownerIds: ownersOf(event) })),
  );
  const payers = [...new Set(events.map(({ payerCustomerId }) => payerCustomerId))];
  const grants = await loadGrants(tx, payers, options);
  return events.map((event, index) =>
    settleEvent(event, {
      fixed,
      taxInput: contexts[index] as TaxContext,
      redemptions: redemptionsOf(event, redemptions),
      grants: grants.get(event.payerCustomerId) ?? [],
    }),
  );
}

const ownersOf = ({ invoices }: CollectedEvent): string[] => [
  ...new Set(invoices.flatMap(({ lines }) => lines.map(({ ownerId }) => ownerId))),
];

/** Those that may touch a line of the event. */
function redemptionsOf({ invoices }: CollectedEvent, all: readonly Redemption[]): readonly Redemption[] {
  if (all.length === 0) return all;
  const lines = invoices.flatMap((invoice) => invoice.lines);
  const scopes = new Set(lines.flatMap(({ ownerId, subscriptionId }) => [ownerId, subscriptionId]));
  return all.filter(({ scope }) => scopes.has('customerId' in scope ? scope.customerId : scope.subscriptionId));
}

/** The same order as the steps of a run: coupons and credits that one invoice takes are gone for the next. */
function settleEvent(
  { invoices, currency, rounding, asOf }: CollectedEvent,
  given: {
    fixed: ReadonlyMap<string, AppliedRate[]>;
    taxInput: TaxContext;
    redemptions: readonly Redemption[];
    grants: readonly Grant[];
  },
): Settlement[] {
  let { redemptions, grants } = given;
  return invoices.map((invoice) => {
    const settlement = settle({
      currency,
      rounding,
      asOf,
      taxInput: given.taxInput,
      redemptions,
      grants,
      lines: invoice.lines.map((line, index) => toSettle(line, String(index), given.fixed)),
    });
    redemptions = afterTaking(redemptions, settlement.discounts.taken);
    grants = afterSpending(grants, settlement.credits);
    return settlement;
  });
}

const toSettle = (line: LineDraft, id: string, fixed: ReadonlyMap<string, AppliedRate[]>): SettleLine => ({
  id,
  ownerId: line.ownerId,
  subscriptionId: line.subscriptionId,
  amount: line.amount,
  inclusive: line.taxInclusive,
  taxCode: line.taxCode,
  taxPoint: line.taxPoint,
  fixedRates: line.creditsLineId === null ? null : (fixed.get(line.creditsLineId) ?? []),
});
