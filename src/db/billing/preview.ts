import { nextBillingBoundary } from '../../domain/billing-group/plan.ts';
import { type Instant, later } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import { collectRun, type RunFacts } from '../../domain/invoice/collect-run.ts';
import type { LineDraft } from '../../domain/invoice/line-draft.ts';
import type { Settlement } from '../../domain/invoice/settle.ts';
import type { Tx } from '../database.ts';
import { eventOf, loadFacts } from './event.ts';
import { type LoadedGroup, loadGroups } from './group-state.ts';
import { settleInvoices } from './settle-invoices.ts';

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
  const [facts] = await loadFacts(tx, [{ ...group, event: eventOf(group, boundaryAt), scope: null }]);
  const { invoices } = collectRun(facts as RunFacts);
  const collected = { ...group, entityCountry: null, asOf: later(boundaryAt, group.now), invoices };
  const [settlements] = await settleInvoices(tx, [collected], { lock: false });
  return {
    group,
    boundaryAt,
    invoices: invoices.map((invoice, index) => ({ ...invoice, settlement: settlements?.[index] as Settlement })),
  };
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
