import { expect, test } from 'vitest';
import {
  daysBetween,
  documentDate,
  earlier,
  elapsedMs,
  isCalendarDate,
  isTimezone,
  lastDateOf,
  later,
  localDate,
  monthsBetween,
  parseInstant,
  plusDays,
  plusElapsed,
  plusMonths,
  readable,
  withOffset,
} from '../../../src/domain/calendar.ts';

// prettier-ignore
test.each([
  ['2026-08-01', true],  ['2024-02-29', true],  ['2026-02-29', false], ['2026-04-31', false], ['1900-01-01', true],
  ['1899-12-31', false], ['8999-12-31', true],  ['9000-01-01', false],  ['2026-8-1', false],   ['20260801', false],   ['2026-08-01T00:00:00Z', false],
  ['', false],           ['2026-W31-6', false], ['2026-13-01', false], ['2026-00-10', false], ['2026-08-00', false],
] as const)('whether %o is a calendar date: %o', (text, expected) => {
  expect(isCalendarDate(text)).toBe(expected);
});

// prettier-ignore
test.each([
  ['2026-08-01T00:00:00Z',             '2026-08-01T00:00:00.000Z'],
  ['2026-08-01T00:00:00.000Z',         '2026-08-01T00:00:00.000Z'],
  ['2026-08-01T02:30+09:00',           '2026-07-31T17:30:00.000Z'],
  ['2026-08-01T02:30:00-0330',         '2026-08-01T06:00:00.000Z'],
  ['2026-08-01T00:00:00.123456789Z',   '2026-08-01T00:00:00.123Z'],
  ['1900-01-01T00:00:00Z',             '1900-01-01T00:00:00.000Z'],
  ['8999-12-31T23:59:59Z',             '8999-12-31T23:59:59.000Z'],
])('reads the instant %s as %s', (text, expected) => {
  expect(parseInstant(text)).toBe(expected);
});

// prettier-ignore
test.each([
  '2026-08-01', '2026-08-01T00:00:00', '2026-02-30T00:00:00Z', '2026-08-01T25:00:00Z', '1899-12-31T23:59:59Z', 'now', '',
  '8999-12-31T23:59:59-01:00', '1785542400',
])('refuses %o as an instant, and says what it expects', (text) => {
  expect(() => parseInstant(text)).toThrow(
    expect.objectContaining({ code: 'date.invalid', message: expect.stringContaining('ISO 8601 with an offset') }),
  );
});

// prettier-ignore
test.each([
  ['UTC', true],    ['Europe/Berlin', true], ['US/Pacific', true],   ['Etc/GMT+5', true],  ['EST5EDT', true],
  ['UTC+3', false], ['utc +3', false],       ['GMT-5', false],       ['+09:00', false],    ['-03', false],
  ['09:00', false], ['Mars/Phobos', false],  [' Europe/Berlin', false], ['', false],
] as const)('whether %o is a timezone: %o', (name, expected) => {
  expect(isTimezone(name)).toBe(expected);
});

// prettier-ignore
test.each([
  { instant: '2026-07-31T14:59:59.999Z', timezone: 'Asia/Tokyo',     date: '2026-07-31' },
  { instant: '2026-07-31T15:00:00.000Z', timezone: 'Asia/Tokyo',     date: '2026-08-01' },
  { instant: '2026-11-01T04:59:59.999Z', timezone: 'America/Havana', date: '2026-11-01' },
  { instant: '2011-12-30T09:59:59.999Z', timezone: 'Pacific/Apia',   date: '2011-12-29' },
  { instant: '2011-12-30T10:00:00.000Z', timezone: 'Pacific/Apia',   date: '2011-12-31' },
])('$instant in $timezone is on $date', ({ instant, timezone, date }) => {
  expect(localDate(instant, timezone)).toBe(date);
});

// prettier-ignore
test.each([
  { end: '2026-04-01T00:00:00.000Z', timezone: 'UTC',            date: '2026-03-31' },
  { end: '2026-03-20T17:00:00.000Z', timezone: 'UTC',            date: '2026-03-20' },
  { end: '2026-11-01T04:00:00.000Z', timezone: 'America/Havana', date: '2026-10-31' },
])('the last date of what ends at $end in $timezone is $date', ({ end, timezone, date }) => {
  expect(lastDateOf({ start: '2026-01-01T00:00:00.000Z', end }, timezone)).toBe(date);
});

// prettier-ignore
test.each([
  ['2026-01-31', 1, '2026-02-28'], ['2024-01-31', 1, '2024-02-29'],  ['2026-01-31', 2, '2026-03-31'],
  ['2026-03-31', -1, '2026-02-28'], ['2024-02-29', 12, '2025-02-28'], ['2026-12-15', 1, '2027-01-15'],
] as const)('%s moved by %d months is %s', (date, months, expected) => {
  expect(plusMonths(date, months)).toBe(expected);
});

// prettier-ignore
test.each([
  ['2026-02-28', 1, '2026-03-01'], ['2024-02-28', 1, '2024-02-29'], ['2026-01-01', -1, '2025-12-31'], ['2026-03-29', 0, '2026-03-29'],
] as const)('%s moved by %d days is %s', (date, days, expected) => {
  expect(plusDays(date, days)).toBe(expected);
});

test('answers stay right after very many other questions', () => {
  const before = plusDays('2026-01-01', 31);
  for (let days = 0; days <= 50_000; days += 1) plusDays('1950-01-01', days);
  expect([before, plusDays('2026-01-01', 31), plusDays('1950-01-01', 365)]).toEqual([
    '2026-02-01',
    '2026-02-01',
    '1951-01-01',
  ]);
});

// prettier-ignore
test.each([
  { from: '2026-01-31', to: '2026-02-28', days: 28,  months: 1  },
  { from: '2024-02-28', to: '2024-03-01', days: 2,   months: 1  },
  { from: '2026-03-28', to: '2026-03-30', days: 2,   months: 0  },
  { from: '2026-01-01', to: '2025-12-31', days: -1,  months: -1 },
  { from: '2025-11-30', to: '2027-02-01', days: 428, months: 15 },
])('from $from to $to there are $days days and $months months', ({ from, to, days, months }) => {
  expect(daysBetween(from, to)).toBe(days);
  expect(monthsBetween(from, to)).toBe(months);
});

test('elapsed time knows nothing of calendars', () => {
  expect(plusElapsed('2026-03-28T12:00:00.000Z', { hours: 24, minutes: 15 })).toBe('2026-03-29T12:15:00.000Z');
  expect(elapsedMs({ start: '2026-03-28T23:00:00.000Z', end: '2026-03-29T22:00:00.000Z' })).toBe(82_800_000);
});

test('the earlier and the later of two instants', () => {
  const [a, b] = ['2026-03-28T12:00:00.000Z', '2026-03-28T12:00:00.001Z'];
  expect([earlier(a, b), earlier(b, a), later(a, b), later(b, a)]).toEqual([a, a, b, b]);
});

test('instants as lines and people show them', () => {
  expect(withOffset('2026-07-31T15:00:00.000Z', 'Asia/Tokyo')).toBe('2026-08-01T00:00:00.000+09:00');
  expect(readable('2026-07-31T15:00:00.000Z', 'Asia/Tokyo')).toBe('2026-08-01 00:00 Asia/Tokyo');
});

// prettier-ignore
test.each([
  ['2026-07-31', 'JST',   'Jul 31, 2026 (JST)'],       ['2026-08-01', 'CEST', 'Aug 1, 2026 (CEST)'],
  ['2026-08-01', '-03',   'Aug 1, 2026 (UTC−3)'],      ['2026-08-01', '+0545', 'Aug 1, 2026 (UTC+5:45)'],
  ['2026-08-01', '+1030', 'Aug 1, 2026 (UTC+10:30)'],  ['2026-08-01', '+13',   'Aug 1, 2026 (UTC+13)'],
  ['2026-08-01', '+05:30', 'Aug 1, 2026 (UTC+5:30)'],  ['2026-08-01', '-0300', 'Aug 1, 2026 (UTC−3)'],
])('%s with the abbreviation %s prints as %s', (date, abbreviation, expected) => {
  expect(documentDate(date, abbreviation)).toBe(expected);
});
