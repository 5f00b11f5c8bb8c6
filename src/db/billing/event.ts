import type { Instant } from '../../domain/calendar.ts';
import { localDate } from '../../domain/calendar.ts';
import { boundaryAfter } from '../../domain/billing-group/schedule.ts';
import type { RunFacts } from '../../domain/invoice/collect-run.ts';
import type { BillingEvent } from '../../domain/subscription/collect-item.ts';
import type { Tx } from '../database.ts';
import { loadAccountOrder, loadChargedLines, loadCharges, loadMembers } from './facts.ts';
import type { LoadedGroup } from './group-state.ts';

/** What a group's event is limited to: all its members and charges, one subscription, or one charge. */
export type EventScope = { subscriptionId?: string; chargeId?: string } | null;

/** The event of a boundary, or with `boundaryAt` null one in the middle of a cycle, now. */
export function eventOf(group: LoadedGroup, boundaryAt: Instant | null): BillingEvent {
  const { versions, timezone, lastBoundaryAt } = group.state;
  const at = boundaryAt ?? group.now;
  return {
    mode: boundaryAt === null ? 'MID_CYCLE' : 'BOUNDARY',
    groupId: group.groupId,
    versions,
    timezone,
    at,
    date: localDate(at, timezone),
    nextBoundaryAt: versions.length === 0 ? at : boundaryAfter(versions, at).boundaryAt,
    lastBoundaryAt,
  };
}

/** Everything that a group's event collects from, in a handful of statements. */
export async function loadRunFacts(
  tx: Tx,
  group: LoadedGroup,
  event: BillingEvent,
  scope: EventScope,
): Promise<RunFacts> {
  const members =
    scope?.chargeId !== undefined || event.versions.length === 0
      ? []
      : await loadMembers(tx, { ...event, subscriptionId: scope?.subscriptionId ?? null });
  const charges =
    scope?.subscriptionId !== undefined
      ? []
      : await loadCharges(
          tx,
          scope?.chargeId === undefined ? { groupId: group.groupId } : { chargeId: scope.chargeId },
        );
  const ended = members.filter(({ items }) => items.some(({ endAt }) => endAt !== null));
  const owners = [...members.map(({ ownerId }) => ownerId), ...charges.map(({ ownerId }) => ownerId)];
  return {
    event,
    currency: group.currency,
    rounding: group.rounding,
    members,
    charges,
    chargedLines:
      ended.length === 0
        ? []
        : await loadChargedLines(
            tx,
            ended.map(({ subscriptionId }) => subscriptionId),
          ),
    accountOrder: await loadAccountOrder(tx, group.payerCustomerId, [...new Set(owners)]),
  };
}
