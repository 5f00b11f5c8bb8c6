import { DateTime, IANAZone } from 'luxon';
import { BillingError } from './errors.ts';

/** A point in time: ISO 8601 in UTC with milliseconds, `2026-08-01T00:00:00.000Z`. Text order is time order. */
export type Instant = string;

/** A calendar date in a named timezone, `YYYY-MM-DD`. Text order is date order. */
export type CalendarDate = string;

/** Half-open: `start` is inside, `end` is not (RT3). Both are instants. */
export interface Period {
  readonly start: Instant;
  readonly end: Instant;
}

/** Before every boundary that can be billed: the start of a group's first schedule. */
export const BEGINNING: Instant = '1900-01-01T00:00:00.000Z';

/**
 * The years of dates and instants that may be sent. What is counted from the last of them, such as a cadence of a thousand
 * years at most, still ends before the year 10000, where text order would no longer be time order.
 */
const FIRST_YEAR = 1900;
const LAST_YEAR = 8999;
const isSendable = ({ isValid, year }: DateTime): boolean => isValid && year >= FIRST_YEAR && year <= LAST_YEAR;

const DATE_FORM = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT_FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/i;
/** Names such as `UTC+3`, `+09:00` or `GMT-5` are offsets in disguise: they know no daylight saving. */
const OFFSET_FORM = /^(?:(?:utc|gmt)\s*)?[+-]?\d/i;
const DAY_MS = 86_400_000;
const ANSWERS_MAX = 50_000;

/** Whether the text is a real date of the Gregorian calendar from 1900 to 8999. */
export const isCalendarDate = (text: string): text is CalendarDate =>
  DATE_FORM.test(text) && isSendable(DateTime.fromISO(text, { zone: 'utc' }));

/**
 * Reads an instant with an offset or `Z`.
 *
 * @throws `date.invalid` when the text is not ISO 8601 with an offset, or lies outside the years 1900 to 8999.
 */
export function parseInstant(text: string): Instant {
  const parsed = DateTime.fromISO(text, { zone: 'utc' });
  if (!INSTANT_FORM.test(text) || !isSendable(parsed)) {
    throw new BillingError(
      'date.invalid',
      `'${text}' is not an instant. Expected ISO 8601 with an offset, from 1900 to 8999, such as '2026-08-01T00:00:00Z'.`,
    );
  }
  return toInstant(parsed);
}

/** Whether the name is an IANA timezone that this runtime knows, links and UTC included, offsets refused (E2). */
export const isTimezone = (name: string): boolean =>
  !OFFSET_FORM.test(name) && name.trim() === name && IANAZone.isValidZone(name);

/**
 * The first instant of a local day (RT1): local midnight; where it happens twice, the earlier; where it does not exist
 * that day, the first instant that does.
 */
export const localMidnight: (date: CalendarDate, timezone: string) => Instant = remembering((date, timezone) => {
  const found = DateTime.fromISO(date, { zone: timezone });
  if (!found.isValid) throw new BillingError('date.invalid', `'${date}' in '${timezone}' is not a date.`);
  const earliest = DateTime.min(...found.getPossibleOffsets()) ?? found;
  const isMidnight = earliest.toISODate() === date && earliest.hour + earliest.minute + earliest.second === 0;
  return toInstant(isMidnight ? earliest : firstInstantOn(date, timezone, found));
});

/** Midnight falls in a gap: bisects, to the second, for the first instant whose local date is the date or later. */
function firstInstantOn(date: CalendarDate, timezone: string, near: DateTime): DateTime {
  let [before, after] = [
    Math.floor(near.toMillis() / 1000) - 2 * 86_400,
    Math.floor(near.toMillis() / 1000) + 2 * 86_400,
  ];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    const local = DateTime.fromSeconds(middle, { zone: timezone }).toISODate() ?? '';
    if (local >= date) after = middle;
    else before = middle;
  }
  return DateTime.fromSeconds(after, { zone: timezone });
}

/** The local date of an instant. */
export const localDate: (instant: Instant, timezone: string) => CalendarDate = remembering(
  (instant, timezone) => DateTime.fromISO(instant, { zone: timezone }).toISODate() as CalendarDate,
);

/** The last local date that a period touches: its end is not inside it. */
export const lastDateOf = ({ end }: Period, timezone: string): CalendarDate =>
  localDate(new Date(Date.parse(end) - 1).toISOString(), timezone);

/** The instant written with its zone's offset, as documents and lines show it: `2026-08-01T00:00:00.000+09:00`. */
export const withOffset = (instant: Instant, timezone: string): string =>
  DateTime.fromISO(instant, { zone: timezone }).toISO({ suppressMilliseconds: false }) as string;

/** An instant as a person reads it: `2026-08-01 00:00 Asia/Tokyo`. */
export const readable = (instant: Instant, timezone: string): string =>
  `${DateTime.fromISO(instant, { zone: timezone }).toFormat('yyyy-MM-dd HH:mm')} ${timezone}`;

/** A date moved by days (calendar days, whatever their length). */
export const plusDays: (date: CalendarDate, days: number) => CalendarDate = remembering(
  (date, days) => DateTime.fromISO(date, { zone: 'utc' }).plus({ days }).toISODate() as CalendarDate,
);

/** A date moved by months, the day clamped to the month's length (RT2): count from an anchor, never from a result. */
export const plusMonths: (date: CalendarDate, months: number) => CalendarDate = remembering(
  (date, months) => DateTime.fromISO(date, { zone: 'utc' }).plus({ months }).toISODate() as CalendarDate,
);

/** An instant moved by minutes or hours of elapsed time. */
export const plusElapsed = (instant: Instant, by: { minutes?: number; hours?: number }): Instant =>
  toInstant(DateTime.fromISO(instant, { zone: 'utc' }).plus(by));

/** Calendar days from one date to another; negative when `to` is earlier. */
export const daysBetween = (from: CalendarDate, to: CalendarDate): number =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);

/** Whole months from one date's month to another's, days ignored. */
export const monthsBetween = (from: CalendarDate, to: CalendarDate): number =>
  (Number(to.slice(0, 4)) - Number(from.slice(0, 4))) * 12 + Number(to.slice(5, 7)) - Number(from.slice(5, 7));

/** Elapsed milliseconds of a period. */
export const elapsedMs = ({ start, end }: Period): number => Date.parse(end) - Date.parse(start);

/** The earlier of two instants. */
export const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b);
/** The later of two instants. */
export const later = (a: Instant, b: Instant): Instant => (a > b ? a : b);

/**
 * A date as documents print it, with the zone's abbreviation (E8): `Jul 31, 2026 (JST)`.
 *
 * @param abbreviation as PostgreSQL's tzdata gives it (`to_char(…, 'TZ')`); digits such as `-03` print as `UTC−3`.
 */
export function documentDate(date: CalendarDate, abbreviation: string): string {
  const shown = DateTime.fromISO(date, { zone: 'utc', locale: 'en-US' }).toFormat('LLL d, yyyy');
  return `${shown} (${zoneLabel(abbreviation)})`;
}

function zoneLabel(abbreviation: string): string {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})?$/.exec(abbreviation) ?? [];
  if (sign === undefined) return abbreviation;
  const rest = minutes === undefined || minutes === '00' ? '' : `:${minutes}`;
  return `UTC${sign === '-' ? '−' : '+'}${Number(hours)}${rest}`;
}

/**
 * The same function, which remembers its answers: a run of a thousand members asks for the same few dates in the same zone
 * tens of thousands of times. Answers depend on the arguments alone; they are forgotten all at once when there are too many.
 */
function remembering<By extends string | number>(
  compute: (text: string, by: By) => string,
): (text: string, by: By) => string {
  const answersBy = new Map<By, Map<string, string>>();
  let size = 0;
  return (text, by) => {
    const known = answersBy.get(by)?.get(text);
    if (known !== undefined) return known;
    const answer = compute(text, by);
    if (size >= ANSWERS_MAX) {
      answersBy.clear();
      size = 0;
    }
    const answers = answersBy.get(by) ?? new Map<string, string>();
    answersBy.set(by, answers.set(text, answer));
    size += 1;
    return answer;
  };
}

const toInstant = (moment: DateTime): Instant => new Date(moment.toMillis()).toISOString();
