import {
  type CalendarDate,
  daysBetween,
  type Instant,
  localMidnight,
  monthsBetween,
  plusDays,
  plusMonths,
} from '../calendar.ts';
import { type Cadence, type Step, toStep } from './cadence.ts';

/** Where the calendar of instants ends. */
const LAST_DATE: CalendarDate = '9999-12-31';

/** What fixes a group's boundaries: they are the local midnights of anchor + k × cadence (RT2). */
export interface Schedule {
  readonly anchorDate: CalendarDate;
  readonly cadence: Cadence;
  /** The pinned IANA timezone. */
  readonly timezone: string;
}

/** A schedule and the time in which it gives the boundaries; a realign ends one and begins the next (RP12). */
export interface ScheduleVersion extends Schedule {
  readonly validFrom: Instant;
  readonly validTo: Instant | null;
}

/** One boundary: the instant, its local date, and its number counted from the anchor of its version. */
export interface Boundary {
  readonly boundaryAt: Instant;
  readonly localDate: CalendarDate;
  readonly index: number;
  readonly version: ScheduleVersion;
}

/** The local date of boundary k, which may be negative. */
export function boundaryDate(schedule: Schedule, k: number): CalendarDate {
  return stepDate(schedule.anchorDate, toStep(schedule.cadence), k);
}

/** anchor + k steps, counted from the anchor so that 31 January comes back to the 31st after February. */
export const stepDate = (anchor: CalendarDate, step: Step, k: number): CalendarDate =>
  step.unit === 'DAY' ? plusDays(anchor, k * step.count) : plusMonths(anchor, k * step.count);

/** The smallest k whose date, anchor + k steps, is `date` or later. */
export function stepIndexAtOrAfter(anchor: CalendarDate, step: Step, date: CalendarDate): number {
  const apart = step.unit === 'DAY' ? daysBetween(anchor, date) : monthsBetween(anchor, date);
  let k = Math.floor(apart / step.count);
  while (precedes(stepDate(anchor, step, k), date)) k += 1;
  return k;
}

/** Text order is date order up to the year 9999; later dates are longer. */
const precedes = (a: CalendarDate, b: CalendarDate): boolean => (a.length === b.length ? a < b : a.length < b.length);

/** The smallest k whose boundary lies on `date` or later. */
export const indexAtOrAfter = (schedule: Schedule, date: CalendarDate): number =>
  stepIndexAtOrAfter(schedule.anchorDate, toStep(schedule.cadence), date);

/** Boundary k as an instant. */
export const boundaryAt = (schedule: Schedule, k: number): Instant =>
  localMidnight(boundaryDate(schedule, k), schedule.timezone);

/**
 * The boundaries of a group from a local date on, without end, across its schedule versions; each instant once, also where
 * two dates begin at the same one (30 December 2011 never was in Apia). They go to the year 9999, as instants do.
 *
 * @param versions  in order of time, each beginning where the one before ends.
 * @param from      the first local date that counts, inclusive.
 */
export function* boundariesFrom(versions: readonly ScheduleVersion[], from: CalendarDate): Generator<Boundary, void> {
  let last: Instant = '';
  for (const version of versions) {
    const validOn = utcDate(version.validFrom);
    for (let k = indexAtOrAfter(version, from > validOn ? from : validOn); ; k += 1) {
      const date = boundaryDate(version, k);
      if (precedes(LAST_DATE, date)) return;
      const at = localMidnight(date, version.timezone);
      if (version.validTo !== null && at >= version.validTo) break;
      if (at < version.validFrom || at === last) continue;
      last = at;
      yield { boundaryAt: at, localDate: date, index: k, version };
    }
  }
}

/** The first boundary on or after a local date. The last version has no end, so there is one until the year 9999. */
export function boundaryAtOrAfter(versions: readonly ScheduleVersion[], from: CalendarDate): Boundary {
  const { value } = boundariesFrom(versions, from).next();
  if (value === undefined) throw noBoundary();
  return value;
}

/** The first boundary strictly after an instant. */
export function boundaryAfter(versions: readonly ScheduleVersion[], after: Instant): Boundary {
  for (const boundary of boundariesFrom(versions, utcDate(after))) {
    if (boundary.boundaryAt > after) return boundary;
  }
  throw noBoundary();
}

/** No boundary at an instant or after it has an earlier local date than this: no day begins later in UTC than at its noon. */
const utcDate = (instant: Instant): CalendarDate => instant.slice(0, 10);

const noBoundary = (): Error =>
  new Error('No boundary follows: the last schedule version of a group has no end but the year 9999.');
