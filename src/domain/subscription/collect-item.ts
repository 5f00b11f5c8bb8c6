import { BEGINNING, type CalendarDate, earlier, type Instant, later, localDate, type Period } from '../calendar.ts';
import type { Cadence } from '../billing-group/cadence.ts';
import type { ScheduleVersion } from '../billing-group/schedule.ts';
import type { Price } from '../catalog/price.ts';
import type { DecimalString } from '../money.ts';
import { type OwnSchedule, ownPeriodAt, phaseIndexFrom, type Proration, prorationInstant } from './own-periods.ts';

/** At what price and in what quantity an item runs, and since when. */
export interface Terms {
  readonly version: number;
  readonly validFrom: Instant;
  readonly validTo: Instant | null;
  readonly price: Price;
  readonly quantity: DecimalString;
}

/** One item as billing sees it. */
export interface BillableItem {
  readonly itemId: string;
  /** When paying begins: the subscription's start, or the end of its trial (RP7). */
  readonly startAt: Instant;
  /** First instant that is no more paid for; null while open-ended. */
  readonly endAt: Instant | null;
  /** Everything before it has been billed (RP13); null before the first line. */
  readonly billedThroughAt: Instant | null;
  readonly phase: Phase | null;
  readonly proration: Proration;
  /** In order of time, without gap. */
  readonly terms: readonly Terms[];
}

/** The item's own boundary 0, and under which group and schedule version it was found. */
export interface Phase {
  readonly key: string;
  readonly index: number;
}

/**
 * What one event may take.
 *
 * - BOUNDARY: what RP6 puts on the event of a boundary.
 * - MID_CYCLE: stubs and periods that no boundary will bring any more, and ended periods; never a running one (RP12).
 */
export interface BillingEvent {
  readonly mode: 'BOUNDARY' | 'MID_CYCLE';
  readonly groupId: string;
  readonly versions: readonly ScheduleVersion[];
  readonly timezone: string;
  /** The boundary, or the present instant of a MID_CYCLE event. */
  readonly at: Instant;
  /** Local date of `at`: terms, starts and ends dated later wait (RT5). */
  readonly date: CalendarDate;
  /** The group's next boundary after `at`. */
  readonly nextBoundaryAt: Instant;
  /** The last boundary whose run took its cut-off; null before the first. */
  readonly lastBoundaryAt: Instant | null;
}

/** A stretch of time to be charged at one set of terms; `whole` is the item's own period that it is a part of. */
export interface PeriodCharge {
  readonly terms: Terms;
  readonly period: Period;
  readonly whole: Period;
  readonly billing: 'ADVANCE' | 'ARREARS';
}

export interface ItemCollection {
  readonly charges: readonly PeriodCharge[];
  readonly setup: Terms | null;
  readonly billedThroughAt: Instant | null;
  readonly phase: Phase | null;
  /** Nothing more will ever come of this item. */
  readonly finished: boolean;
}

/** Start and end as proration sees them, and whether the item ever runs. */
export function billableSpan(
  item: BillableItem,
  timezone: string,
): { start: Instant; end: Instant | null; runs: boolean } {
  const start = prorationInstant(item.startAt, item.proration, timezone);
  const end = item.endAt === null ? null : prorationInstant(item.endAt, item.proration, timezone);
  return {
    start,
    end: end === null ? null : later(start, end),
    runs: item.endAt === null || item.endAt > item.startAt,
  };
}

/**
 * The periods that an event bills for one item, oldest first, going on from where it was billed through (RP6, RP10, RP13).
 * Periods tile: each begins where the one before ends, and the last ends at the new `billedThroughAt`.
 */
export function collectItem(item: BillableItem, event: BillingEvent): ItemCollection {
  const span = billableSpan(item, event.timezone);
  const [firstTerms] = item.terms;
  if (firstTerms?.price.type === 'SETUP') return collectSetup(item, event, firstTerms, span);

  const charges: PeriodCharge[] = [];
  let cursor = item.billedThroughAt ?? span.start;
  let phase = item.phase;
  while (span.end === null || cursor < span.end) {
    const next = nextPeriod(item, event, cursor, phase);
    if (next === null) break;
    const cut = { start: cursor, end: span.end === null ? next.whole.end : earlier(next.whole.end, span.end) };
    if (!isDue(cut, next, event, item.billedThroughAt !== null || charges.length > 0)) break;
    charges.push(...segments(item, cut, next, event.timezone));
    cursor = cut.end;
    phase = next.phase;
  }
  const ended = span.end !== null && cursor >= span.end && localDate(span.end, event.timezone) <= event.date;
  if (ended) return { charges, setup: null, billedThroughAt: span.end, phase, finished: true };
  return {
    charges,
    setup: null,
    billedThroughAt: charges.length > 0 ? cursor : item.billedThroughAt,
    phase,
    finished: false,
  };
}

/** RP11: once, when the item begins; never prorated, never credited. */
function collectSetup(
  item: BillableItem,
  event: BillingEvent,
  terms: Terms,
  span: { start: Instant; runs: boolean },
): ItemCollection {
  const due = item.billedThroughAt === null && span.runs && localDate(span.start, event.timezone) <= event.date;
  const billedThroughAt = due ? span.start : item.billedThroughAt;
  return {
    charges: [],
    setup: due ? terms : null,
    billedThroughAt,
    phase: null,
    finished: billedThroughAt !== null || !span.runs,
  };
}

interface NextPeriod {
  readonly whole: Period;
  readonly phase: Phase;
  readonly billing: 'ADVANCE' | 'ARREARS';
}

/** The item's own period around the cursor, on the grid of the schedule version that governs it. */
function nextPeriod(item: BillableItem, event: BillingEvent, cursor: Instant, known: Phase | null): NextPeriod | null {
  const terms = termsAt(item, cursor, event.timezone);
  if (terms === null) return null;
  const version = versionAt(event.versions, later(event.at, cursor));
  const key = `${event.groupId}@${version.validFrom}`;
  const phase = known?.key === key ? known : { key, index: phaseIndexFrom(version, localDate(cursor, event.timezone)) };
  const own: OwnSchedule = { schedule: version, cadence: cadenceOf(terms.price, version), phaseIndex: phase.index };
  return { whole: ownPeriodAt(own, cursor), phase, billing: terms.price.billing };
}

/** A price without a cadence of its own runs at the group's. */
export const cadenceOf = (price: Price, version: ScheduleVersion): Cadence => price.cadence ?? version.cadence;

function isDue(cut: Period, { whole, billing }: NextPeriod, event: BillingEvent, continues: boolean): boolean {
  const startsBy = localDate(cut.start, event.timezone) <= event.date;
  if (event.mode === 'MID_CYCLE') {
    if (billing === 'ARREARS') return cut.end <= event.at;
    const boundaryHasRun = event.lastBoundaryAt !== null && cut.start <= event.lastBoundaryAt;
    return startsBy && (cut.start > whole.start || boundaryHasRun || cut.end <= event.at);
  }
  if (billing === 'ARREARS') return localDate(cut.end, event.timezone) <= event.date;
  // RP13: after a change of schedule, a stub in advance belongs to the event at or before its start.
  const stubOfChange = continues && cut.start > whole.start && cut.start < event.nextBoundaryAt;
  return startsBy || stubOfChange;
}

/** Cuts a period where the terms change; a change known only for later leaves an ADVANCE period whole (RP4). */
function segments(item: BillableItem, cut: Period, { whole, billing }: NextPeriod, timezone: string): PeriodCharge[] {
  if (billing === 'ADVANCE') {
    const terms = termsAt(item, cut.start, timezone);
    return terms === null ? [] : [{ terms, period: cut, whole, billing }];
  }
  return spansOf(item, timezone)
    .map(({ terms, start, end }) => ({
      terms,
      period: { start: later(cut.start, start), end: end === null ? cut.end : earlier(cut.end, end) },
      whole,
      billing,
    }))
    .filter(({ period }) => period.start < period.end);
}

/** The terms in force at an instant; null when there are none. */
const termsAt = (item: BillableItem, instant: Instant, timezone: string): Terms | null =>
  spansOf(item, timezone).find(({ start, end }) => start <= instant && (end === null || instant < end))?.terms ?? null;

/** When each of the terms holds, as proration sees it; the first ones hold from the beginning. */
const spansOf = (item: BillableItem, timezone: string) =>
  item.terms.map((terms, index) => ({
    terms,
    start: index === 0 ? BEGINNING : prorationInstant(terms.validFrom, item.proration, timezone),
    end: terms.validTo === null ? null : prorationInstant(terms.validTo, item.proration, timezone),
  }));

function versionAt(versions: readonly ScheduleVersion[], instant: Instant): ScheduleVersion {
  const found = versions.find(
    ({ validFrom, validTo }) => validFrom <= instant && (validTo === null || instant < validTo),
  );
  if (found === undefined) throw new Error(`No schedule version holds ${instant}.`);
  return found;
}
