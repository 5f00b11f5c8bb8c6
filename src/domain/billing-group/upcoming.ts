import type { CalendarDate, Instant } from '../calendar.ts';
import { boundaryAt, boundaryDate, indexAtOrAfter, type Schedule } from './schedule.ts';

/** The last date that there are instants for. */
const LAST_DATE: CalendarDate = '9999-12-31';

/**
 * The boundaries of one schedule from a local date on, as they would fall for ever (RT1, RT2): before the anchor too.
 *
 * @param from  the first local date that counts, inclusive.
 * @param count how many at most; fewer where the calendar ends, after the year 9999.
 */
export function upcomingBoundaries(
  schedule: Schedule,
  from: CalendarDate,
  count: number,
): { boundaryAt: Instant; localDate: CalendarDate }[] {
  const found: { boundaryAt: Instant; localDate: CalendarDate }[] = [];
  for (let k = indexAtOrAfter(schedule, from); found.length < count; k += 1) {
    const localDate = boundaryDate(schedule, k);
    if (localDate.length > LAST_DATE.length || localDate > LAST_DATE) break;
    found.push({ boundaryAt: boundaryAt(schedule, k), localDate });
  }
  return found;
}
