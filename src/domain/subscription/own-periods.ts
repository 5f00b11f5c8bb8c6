import {
  type CalendarDate,
  daysBetween,
  elapsedMs,
  type Instant,
  localDate,
  localMidnight,
  type Period,
  plusDays,
} from '../calendar.ts';
import { type Cadence, multipleOf, toStep } from '../billing-group/cadence.ts';
import { indexAtOrAfter, type Schedule, stepDate, stepIndexAtOrAfter } from '../billing-group/schedule.ts';
import { Decimal } from '../money.ts';

export type Proration = 'DAY' | 'SECOND';

/**
 * The periods of one item inside its group's schedule (RP6). A cadence that is a whole multiple of the group's counts
 * group boundaries from `phaseIndex`, its own boundary 0; any other counts its own steps from the group's anchor.
 */
export interface OwnSchedule {
  readonly schedule: Schedule;
  readonly cadence: Cadence;
  /** Index of the group boundary that is the item's own boundary 0. */
  readonly phaseIndex: number;
}

/** Index of the group's boundary from which an item that goes on at `date` counts: the first at or after it (RP6). */
export const phaseIndexFrom = (schedule: Schedule, date: CalendarDate): number => indexAtOrAfter(schedule, date);

/** The whole period of the item that holds a local date: start inside, end not. */
export function ownPeriodAround(
  own: OwnSchedule,
  date: CalendarDate,
): { startDate: CalendarDate; endDate: CalendarDate } {
  const { anchorDate, cadence } = own.schedule;
  const multiple = multipleOf(own.cadence, cadence);
  if (multiple !== null) {
    const step = toStep(cadence);
    const following = indexAtOrAfter(own.schedule, plusDays(date, 1));
    const start = own.phaseIndex + Math.floor((following - 1 - own.phaseIndex) / multiple) * multiple;
    return { startDate: stepDate(anchorDate, step, start), endDate: stepDate(anchorDate, step, start + multiple) };
  }
  const step = toStep(own.cadence);
  const following = stepIndexAtOrAfter(anchorDate, step, plusDays(date, 1));
  return { startDate: stepDate(anchorDate, step, following - 1), endDate: stepDate(anchorDate, step, following) };
}

/**
 * The whole period of the item that holds an instant, as instants at local midnight. Where the clock was set back over
 * midnight (St. John's, 7 November 2010), the next day had begun before the local date came back once more.
 */
export function ownPeriodAt(own: OwnSchedule, instant: Instant): Period {
  const date = localDate(instant, own.schedule.timezone);
  const period = ownPeriodOn(own, date);
  return instant < period.end ? period : ownPeriodOn(own, plusDays(date, 1));
}

function ownPeriodOn(own: OwnSchedule, date: CalendarDate): Period {
  const { timezone } = own.schedule;
  const { startDate, endDate } = ownPeriodAround(own, date);
  return { start: localMidnight(startDate, timezone), end: localMidnight(endDate, timezone) };
}

/**
 * An instant as proration sees it (RP2): by DAY the local midnight of its date, whatever the hour, so that the day of a
 * start is used and the day of an end is not; by SECOND the instant itself.
 */
export const prorationInstant = (instant: Instant, proration: Proration, timezone: string): Instant =>
  proration === 'SECOND' ? instant : localMidnight(localDate(instant, timezone), timezone);

/** How much of `whole` the part `used` is (RP2): `{ used, whole }` in days or seconds. Charged is price × used ÷ whole. */
export function usedShare(
  used: Period,
  whole: Period,
  proration: Proration,
  timezone: string,
): { used: Decimal; whole: Decimal; unit: 'days' | 'seconds' } {
  if (proration === 'SECOND') {
    return { used: secondsOf(used), whole: secondsOf(whole), unit: 'seconds' };
  }
  return { used: daysOf(used, timezone), whole: daysOf(whole, timezone), unit: 'days' };
}

const secondsOf = (period: Period): Decimal => new Decimal(elapsedMs(period)).div(1000);

const daysOf = ({ start, end }: Period, timezone: string): Decimal =>
  new Decimal(daysBetween(localDate(start, timezone), localDate(end, timezone)));
