import { expect, test } from 'vitest';
import type { CadenceInterval } from '../../../src/domain/billing-group/cadence.ts';
import { upcomingBoundaries } from '../../../src/domain/billing-group/upcoming.ts';

const schedule = (anchorDate: string, interval: CadenceInterval, count = 1, timezone = 'UTC') => ({
  anchorDate,
  cadence: { interval, count },
  timezone,
});
const dates = (...input: Parameters<typeof upcomingBoundaries>) =>
  upcomingBoundaries(...input).map(({ localDate }) => localDate);

// prettier-ignore
test.each([
  { when: 'the anchor is the 31st',        of: schedule('2026-01-31', 'MONTH'),     from: '2026-01-31', expected: ['2026-01-31', '2026-02-28', '2026-03-31'] },
  { when: 'counting begins in between',    of: schedule('2026-01-31', 'MONTH'),     from: '2026-02-01', expected: ['2026-02-28', '2026-03-31', '2026-04-30'] },
  { when: 'it begins before the anchor',   of: schedule('2026-01-31', 'MONTH'),     from: '2025-11-01', expected: ['2025-11-30', '2025-12-31', '2026-01-31'] },
  { when: 'weeks run back over a year',    of: schedule('2026-01-02', 'WEEK', 2),   from: '2025-12-01', expected: ['2025-12-05', '2025-12-19', '2026-01-02'] },
  { when: 'a leap day is the anchor',      of: schedule('2024-02-29', 'YEAR'),      from: '2026-01-01', expected: ['2026-02-28', '2027-02-28', '2028-02-29'] },
  { when: 'quarters count by three',       of: schedule('2026-11-30', 'QUARTER'),   from: '2026-11-30', expected: ['2026-11-30', '2027-02-28', '2027-05-30'] },
])('dates when $when', ({ of, from, expected }) => {
  expect(dates(of, from, 3)).toEqual(expected);
});

// Midnight in Tokyo is 15:00 in UTC the day before; in Los Angeles the hour changes with daylight saving on 8 March 2026.
test('each is the instant of its local midnight', () => {
  expect(upcomingBoundaries(schedule('2026-08-01', 'MONTH', 1, 'Asia/Tokyo'), '2026-08-01', 1)).toEqual([
    { boundaryAt: '2026-07-31T15:00:00.000Z', localDate: '2026-08-01' },
  ]);
  const western = upcomingBoundaries(schedule('2026-03-08', 'DAY', 1, 'America/Los_Angeles'), '2026-03-08', 2);
  expect(western.map(({ boundaryAt }) => boundaryAt)).toEqual(['2026-03-08T08:00:00.000Z', '2026-03-09T07:00:00.000Z']);
});

test('it ends where the calendar ends', () => {
  // The longest cadence from the last date that may be sent.
  expect(dates(schedule('2000-01-01', 'YEAR', 1000), '8999-12-31', 500)).toEqual(['9000-01-01']);
});

test('as many as are asked for, none for none', () => {
  expect(dates(schedule('2026-01-01', 'DAY'), '2026-01-01', 500)).toHaveLength(500);
  expect(dates(schedule('2026-01-01', 'DAY'), '2026-01-01', 0)).toEqual([]);
});
