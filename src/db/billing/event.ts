import type { Instant } from '../../domain/calendar.ts';
import { localDate } from '../../domain/calendar.ts';
import { boundaryAfter } from '../../domain/billing-group/schedule.ts';
import type { RunFacts } from '../../domain/invoice/collect-run.ts';
import type { BillingEvent } from '../../domain/subscription/collect-item.ts';
import type { RoundingMode } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { loadAccountOrders, loadChargedLines, loadChargesById, loadChargesOfGroups, loadMembers } from './facts.ts';
import type { ScheduledGroup } from './group-state.ts';

/** What a group's event is limited to: all its members and charges, one subscription, or one charge. */
export type EventScope = { subscriptionId?: string; chargeId?: string } | null;

/** An event to be billed to a payer. */
export interface PayableEvent {
  readonly event: BillingEvent;
  readonly scope: EventScope;
  readonly payerCustomerId: string;
  readonly currency: string;
  readonly rounding: RoundingMode;
}

/** The event of a boundary, or with `boundaryAt` null one in the middle of a cycle, now. */
export function eventOf(group: ScheduledGroup, boundaryAt: Instant | null): BillingEvent {
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

/** The event of a charge that is billed at once to a payer who needs no group: the one line, by the entity's zone. */
export const eventOutsideGroups = (now: Instant, timezone: string): BillingEvent => ({
  mode: 'MID_CYCLE',
  groupId: '',
  versions: [],
  timezone,
  at: now,
  date: localDate(now, timezone),
  nextBoundaryAt: now,
  lastBoundaryAt: null,
});

/** Everything that events collect from, in a handful of statements however many they are; in the same order. */
export async function loadFacts(tx: Tx, events: readonly PayableEvent[]): Promise<RunFacts[]> {
  const members = await membersOf(tx, events);
  const charges = await chargesOf(tx, events);
  const ended = members.flat().filter(({ items }) => items.some(({ endAt }) => endAt !== null));
  const chargedLines = await loadChargedLines(
    tx,
    ended.map(({ subscriptionId }) => subscriptionId),
  );
  const orders = await loadAccountOrders(
    tx,
    events.map(({ payerCustomerId }, index) => ({
      payerId: payerCustomerId,
      ownerIds: [...(members[index] ?? []), ...(charges[index] ?? [])].map(({ ownerId }) => ownerId),
    })),
  );
  return events.map(({ event, currency, rounding }, index) => ({
    event,
    currency,
    rounding,
    members: members[index] ?? [],
    charges: charges[index] ?? [],
    chargedLines,
    accountOrder: orders[index] ?? [],
  }));
}

/** None for an event that is limited to a charge, or of a group that has no schedule. */
async function membersOf(tx: Tx, events: readonly PayableEvent[]): Promise<RunFacts['members'][]> {
  const withMembers = events.filter(({ event, scope }) => scope?.chargeId === undefined && event.versions.length > 0);
  const loaded = await loadMembers(
    tx,
    withMembers.map(({ event, scope }) => ({ ...event, subscriptionId: scope?.subscriptionId ?? null })),
  );
  const byEvent = new Map(withMembers.map(({ event }, index) => [event, loaded[index] ?? []]));
  return events.map(({ event }) => byEvent.get(event) ?? []);
}

/** None for an event that is limited to a subscription. */
async function chargesOf(tx: Tx, events: readonly PayableEvent[]): Promise<RunFacts['charges'][]> {
  const open = events.filter(({ scope }) => scope?.subscriptionId === undefined && scope?.chargeId === undefined);
  const byGroup = await loadChargesOfGroups(
    tx,
    open.map(({ event }) => event.groupId),
  );
  const byId = await loadChargesById(
    tx,
    events.map(({ scope }) => scope?.chargeId).filter((id) => id !== undefined),
  );
  return events.map(({ event, scope }) => {
    if (scope?.subscriptionId !== undefined) return [];
    if (scope?.chargeId === undefined) return byGroup.get(event.groupId) ?? [];
    const charge = byId.get(scope.chargeId);
    return charge === undefined ? [] : [charge];
  });
}
