import { nextBillingBoundary } from '../../domain/billing-group/plan.ts';
import { type Instant, later } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import { type CollectedInvoice, collectRun } from '../../domain/invoice/collect-run.ts';
import { type Settlement, settle } from '../../domain/invoice/settle.ts';
import type { LineDraft } from '../../domain/invoice/line-draft.ts';
import type { Redemption } from '../../domain/coupon/discount.ts';
import type { Grant } from '../../domain/credit/apply-credits.ts';
import { decimal } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { taxAddressOf } from './apply-tax.ts';
import { eventOf, loadRunFacts } from './event.ts';
import { loadGrants } from './grants.ts';
import { type LoadedGroup, loadGroups } from './group-state.ts';
import { afterTaking, loadRedemptions } from './redemptions.ts';
import { loadTaxContext, ratesOfLines } from './tax-context.ts';

/** An invoice as it would be issued at a boundary, computed and not stored. */
export interface PreviewedInvoice {
  readonly splitSubscriptionId: string | null;
  readonly lines: readonly LineDraft[];
  readonly settlement: Settlement;
}

/**
 * RN8, I3: what a group's next boundary would issue as things stand, from the functions that issue it, in a transaction
 * that writes nothing.
 *
 * @param boundaryAt the boundary to look at; the group's next unless given.
 * @throws `not_found`; `group.status` when nothing is to be billed.
 */
export async function previewGroup(
  tx: Tx,
  groupId: string,
): Promise<{ group: LoadedGroup; boundaryAt: Instant; invoices: PreviewedInvoice[] }> {
  const [group] = await loadGroups(tx, [groupId]);
  if (group === undefined) throw new BillingError('not_found', `There is no billing group '${groupId}'.`);
  const boundaryAt = nextEventAt(group);
  const facts = await loadRunFacts(tx, group, eventOf(group, boundaryAt), null);
  const { invoices } = collectRun(facts);
  return { group, boundaryAt, invoices: await settleAll(tx, group, later(boundaryAt, group.now), invoices) };
}

/** The oldest boundary that is not billed yet: one that waits for its entity, else the next. */
function nextEventAt(group: LoadedGroup): Instant {
  const [waiting] = group.state.unfinished.filter(({ kind, boundaryAt }) => kind === 'BOUNDARY' && boundaryAt !== null);
  const isCollected =
    waiting?.boundaryAt != null &&
    group.state.lastBoundaryAt !== null &&
    waiting.boundaryAt <= group.state.lastBoundaryAt;
  const boundaryAt =
    waiting !== undefined && !isCollected ? waiting.boundaryAt : nextBillingBoundary(group.state)?.boundaryAt;
  if (boundaryAt == null) {
    throw new BillingError(
      'group.status',
      'Nothing is to be billed in this group: add a subscription or a charge to it.',
    );
  }
  return boundaryAt;
}

/** The same order as the steps of a run: coupons and credits that one invoice takes are gone for the next. */
async function settleAll(
  tx: Tx,
  group: LoadedGroup,
  asOf: Instant,
  invoices: readonly CollectedInvoice[],
): Promise<PreviewedInvoice[]> {
  const lines = invoices.flatMap((invoice) => invoice.lines);
  const owners = [...new Set(lines.map(({ ownerId }) => ownerId))];
  const fixed = await ratesOfLines(
    tx,
    lines.map(({ creditsLineId }) => creditsLineId).filter((id) => id !== null),
  );
  const taxInput = await loadTaxContext(
    tx,
    { ...group, entityCountry: null, taxAddress: await taxAddressOf(tx, group.groupId) },
    owners,
  );
  let redemptions = await loadRedemptions(tx, lines, { exceptRunId: null, lock: false });
  let grants = await loadGrants(tx, { customerId: group.payerCustomerId, currency: group.currency }, { lock: false });
  return invoices.map((invoice) => {
    const settlement = settle({
      currency: group.currency,
      rounding: group.rounding,
      asOf,
      taxInput,
      redemptions,
      grants,
      lines: invoice.lines.map((line, index) => ({
        id: String(index),
        ownerId: line.ownerId,
        subscriptionId: line.subscriptionId,
        amount: line.amount,
        inclusive: line.taxInclusive,
        taxCode: line.taxCode,
        taxPoint: line.taxPoint,
        fixedRates: line.creditsLineId === null ? null : (fixed.get(line.creditsLineId) ?? []),
      })),
    });
    redemptions = leftOver(redemptions, settlement);
    grants = afterSpending(grants, settlement);
    return { splitSubscriptionId: invoice.splitSubscriptionId, lines: invoice.lines, settlement };
  });
}

const leftOver = (redemptions: readonly Redemption[], { discounts }: Settlement): Redemption[] =>
  afterTaking(redemptions, discounts.taken);

function afterSpending(grants: readonly Grant[], { credits }: Settlement): Grant[] {
  const spent = new Map(credits.map(({ grantId, amount }) => [grantId, amount]));
  return grants.map((grant) => ({
    ...grant,
    remaining: decimal(grant.remaining)
      .minus(spent.get(grant.id) ?? '0')
      .toFixed(),
  }));
}
