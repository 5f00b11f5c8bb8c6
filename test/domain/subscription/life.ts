import { type GroupState, nextBoundary } from '../../../src/domain/billing-group/plan.ts';
import { boundaryAfter, type ScheduleVersion } from '../../../src/domain/billing-group/schedule.ts';
import { type CalendarDate, type Instant, localDate, localMidnight } from '../../../src/domain/calendar.ts';
import {
  type BillableItem,
  type BillingEvent,
  collectItem,
  type ItemCollection,
  type PeriodCharge,
} from '../../../src/domain/subscription/collect-item.ts';
import { shown } from './items.ts';

/** One item in one group, as the database keeps them from one event to the next. */
export interface Life {
  readonly groupId: string;
  readonly versions: readonly ScheduleVersion[];
  readonly createdAt: Instant;
  readonly lastBoundaryAt: Instant | null;
  readonly item: BillableItem;
  readonly finished: boolean;
  /** What was charged so far, in the order of charging, and at which event. */
  readonly charged: readonly (PeriodCharge & { readonly at: Instant })[];
}

/** An item that was never billed, in a group whose first event is still to come. */
export const newLife = (
  item: BillableItem,
  versions: readonly ScheduleVersion[],
  changes: Partial<Life> = {},
): Life => ({
  groupId: 'grp_1',
  versions,
  createdAt: '2025-12-01T00:00:00.000Z',
  lastBoundaryAt: null,
  item,
  finished: false,
  charged: [],
  ...changes,
});

export const timezoneOf = ({ versions }: Life): string => versions[0]?.timezone ?? 'UTC';

export const eventOf = (life: Life, mode: BillingEvent['mode'], at: Instant): BillingEvent => ({
  mode,
  groupId: life.groupId,
  versions: life.versions,
  timezone: timezoneOf(life),
  at,
  date: localDate(at, timezoneOf(life)),
  nextBoundaryAt: boundaryAfter(life.versions, at).boundaryAt,
  lastBoundaryAt: life.lastBoundaryAt,
});

/** What an item gives at the event of a boundary on a local date. */
export const collectOn = (life: Life, date: CalendarDate): ItemCollection =>
  collectItem(life.item, eventOf(life, 'BOUNDARY', localMidnight(date, timezoneOf(life))));

/** Collects at an event and keeps what it says. */
export function collect(life: Life, mode: BillingEvent['mode'], at: Instant): Life {
  const lastBoundaryAt = mode === 'BOUNDARY' ? at : life.lastBoundaryAt;
  if (life.finished) return { ...life, lastBoundaryAt };
  const { charges, billedThroughAt, phase, finished } = collectItem(life.item, eventOf(life, mode, at));
  const charged = [...life.charged, ...charges.map((charge) => ({ ...charge, at }))];
  return { ...life, lastBoundaryAt, item: { ...life.item, billedThroughAt, phase }, finished, charged };
}

/** The next boundary as the planner sees it, from what the database would tell it of this item. */
export function planned(life: Life): Instant | null {
  const { item } = life;
  const zone = timezoneOf(life);
  const isOver = item.endAt !== null && item.billedThroughAt !== null && item.endAt < item.billedThroughAt;
  const startsOn = item.billedThroughAt === null ? item.startAt : isOver ? item.endAt : null;
  const work = {
    firstStartOn: life.finished || startsOn === null ? null : localDate(startsOn, zone),
    firstContinuesAt: life.finished || startsOn !== null ? null : item.billedThroughAt,
  };
  const group = { ...life, timezone: zone, work, unfinished: [] } as unknown as GroupState;
  return nextBoundary(group)?.boundaryAt ?? null;
}

/** Runs every boundary up to an instant, oldest first: those that the planner names, or all there are. */
export function runUntil(life: Life, until: Instant, which: 'PLANNED' | 'ALL' = 'PLANNED'): Life {
  let lived = life;
  for (;;) {
    const next =
      which === 'PLANNED'
        ? planned(lived)
        : boundaryAfter(lived.versions, lived.lastBoundaryAt ?? lived.createdAt).boundaryAt;
    if (next === null || next > until) return lived;
    lived = collect(lived, 'BOUNDARY', next);
  }
}

/** What was charged, as a table shows it: `at 2026-04-01: 2026-03-10 2026-04-01 22/31`; dates in the zone of the group. */
export const story = (life: Life): string[] =>
  life.charged.map((charge) => {
    const zone = timezoneOf(life);
    return `at ${localDate(charge.at, zone)}: ${shown([charge], zone).join()}`;
  });
