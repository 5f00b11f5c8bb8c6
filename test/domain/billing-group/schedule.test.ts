import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boundaryAfter,
  boundaryAt,
  boundaryAtOrAfter,
  boundaryDate,
  boundariesFrom,
  indexAtOrAfter,
  type ScheduleVersion,
} from '../../../src/domain/billing-group/schedule.ts';
import { isCalendarDate, localDate, localMidnight, plusDays } from '../../../src/domain/calendar.ts';
import { cadence, realigned, schedule, TIMEZONES } from './schedules.ts';

const dates = (of: ScheduleVersion, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => boundaryDate(of, from + index));

describe('boundary k is counted from the anchor', () => {
  //  k:   -1           0            1            2            3
  //   ----|------------|------------|------------|------------|--->
  //       31 December  31 January   28 February  31 March     30 April
  // prettier-ignore
  test.each([
    { what: 'the 31st',                  of: schedule('2026-01-31'), from: -2, on: ['2025-11-30', '2025-12-31', '2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31'] },
    { what: 'the 31st in a leap year',   of: schedule('2024-01-31'), from: -1, on: ['2023-12-31', '2024-01-31', '2024-02-29', '2024-03-31', '2024-04-30'] },
    { what: 'the 30th',                  of: schedule('2026-01-30'), from: 0,  on: ['2026-01-30', '2026-02-28', '2026-03-30', '2026-04-30'] },
    { what: 'the 29th over 2023',        of: schedule('2024-02-29'), from: -13, on: ['2023-01-29', '2023-02-28', '2023-03-29'] },
    { what: 'a year from 29 February',   of: schedule('2024-02-29', { cadence: cadence('YEAR') }), from: -1, on: ['2023-02-28', '2024-02-29', '2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29'] },
    { what: 'quarters from 30 November', of: schedule('2026-11-30', { cadence: cadence('QUARTER') }), from: -1, on: ['2026-08-30', '2026-11-30', '2027-02-28', '2027-05-30', '2027-08-30'] },
    { what: 'two weeks over 29 February', of: schedule('2024-02-22', { cadence: cadence('WEEK', 2) }), from: -1, on: ['2024-02-08', '2024-02-22', '2024-03-07', '2024-03-21'] },
    { what: 'ten days',                  of: schedule('2026-01-01', { cadence: cadence('DAY', 10) }), from: -2, on: ['2025-12-12', '2025-12-22', '2026-01-01', '2026-01-11'] },
  ])('$what', ({ of, from, on }) => {
    expect(dates(of, from, from + on.length - 1)).toEqual(on);
  });

  // prettier-ignore
  test.each([
    { of: schedule('2026-01-31'), on: '2026-01-31', k: 0 },
    { of: schedule('2026-01-31'), on: '2026-02-01', k: 1 },
    { of: schedule('2026-01-31'), on: '2026-02-28', k: 1 },
    { of: schedule('2026-01-31'), on: '2026-03-01', k: 2 },
    { of: schedule('2026-01-31'), on: '2025-12-31', k: -1 },
    { of: schedule('2026-01-31'), on: '2025-12-30', k: -1 },
    { of: schedule('2026-01-31'), on: '2020-02-29', k: -71 },
    { of: schedule('2026-01-15', { cadence: cadence('QUARTER') }), on: '2026-04-15', k: 1 },
    { of: schedule('2026-01-15', { cadence: cadence('QUARTER') }), on: '2026-04-16', k: 2 },
    { of: schedule('2026-01-01', { cadence: cadence('WEEK') }), on: '2026-01-08', k: 1 },
    { of: schedule('2026-01-01', { cadence: cadence('WEEK') }), on: '2026-01-09', k: 2 },
    { of: schedule('2026-01-01', { cadence: cadence('WEEK') }), on: '2025-12-25', k: -1 },
  ])('the first on $on or later from $of.anchorDate is number $k', ({ of, on, k }) => {
    expect(indexAtOrAfter(of, on)).toBe(k);
  });
});

describe('consecutive periods share a boundary over 14 months from an anchor of 31 January', () => {
  // prettier-ignore
  const on = [
    '2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31', '2026-06-30', '2026-07-31', '2026-08-31',
    '2026-09-30', '2026-10-31', '2026-11-30', '2026-12-31', '2027-01-31', '2027-02-28', '2027-03-31',
  ];

  // Local midnight in UTC at each of them: in the Americas on the same date, in the east on the date before.
  // prettier-ignore
  test.each([
    { timezone: 'America/Los_Angeles', east: false, at: '08:00 08:00 07:00 07:00 07:00 07:00 07:00 07:00 07:00 07:00 08:00 08:00 08:00 08:00 07:00' },
    { timezone: 'Europe/Berlin',       east: true,  at: '23:00 23:00 22:00 22:00 22:00 22:00 22:00 22:00 22:00 23:00 23:00 23:00 23:00 23:00 22:00' },
    { timezone: 'Asia/Tokyo',          east: true,  at: '15:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00 15:00' },
    { timezone: 'Asia/Kolkata',        east: true,  at: '18:30 18:30 18:30 18:30 18:30 18:30 18:30 18:30 18:30 18:30 18:30 18:30 18:30 18:30 18:30' },
    { timezone: 'Africa/Cairo',        east: true,  at: '22:00 22:00 22:00 21:00 21:00 21:00 21:00 21:00 21:00 22:00 22:00 22:00 22:00 22:00 22:00' },
    { timezone: 'Asia/Beirut',         east: true,  at: '22:00 22:00 21:00 21:00 21:00 21:00 21:00 21:00 21:00 22:00 22:00 22:00 22:00 22:00 21:00' },
    { timezone: 'America/Havana',      east: false, at: '05:00 05:00 04:00 04:00 04:00 04:00 04:00 04:00 04:00 04:00 05:00 05:00 05:00 05:00 04:00' },
  ])('$timezone', ({ timezone, east, at }) => {
    const expected = at.split(' ').map((time, k) => `${plusDays(on[k] ?? '', east ? -1 : 0)}T${time}:00.000Z`);
    const monthly = schedule('2026-01-31', { timezone });
    const found = boundariesFrom([monthly], '2026-01-31').take(15).toArray();
    expect(found.map(({ boundaryAt: instant, localDate: date }) => [instant, date])).toEqual(
      expected.map((instant, k) => [instant, on[k]]),
    );

    const periods = on.slice(0, 14).map((_, k) => ({ start: boundaryAt(monthly, k), end: boundaryAt(monthly, k + 1) }));
    for (const [k, { start, end }] of periods.entries()) {
      expect(start < end).toBe(true);
      expect(end).toBe(periods[k + 1]?.start ?? expected[14]);
      expect(localDate(start, timezone)).toBe(on[k]);
    }
  });
});

describe('across schedule versions', () => {
  // Monthly on the 1st, from 10 March on monthly on the 15th.
  //
  //   1 Feb      1 March   10 March  15 March            15 April
  //   |----------|---------[---------|-------------------|--->
  const versions = realigned(schedule('2026-01-01'), '2026-03-10T00:00:00.000Z', { anchorDate: '2026-01-15' });

  test('each gives the boundaries of its own time', () => {
    const found = boundariesFrom(versions, '2026-02-01')
      .take(4)
      .map((one) => `${one.localDate} ${one.index}`)
      .toArray();
    expect(found).toEqual(['2026-02-01 1', '2026-03-01 2', '2026-03-15 2', '2026-04-15 3']);
  });

  // prettier-ignore
  test.each([
    { effective: '2026-04-01T00:00:00.000Z', why: 'the new one begins on its own boundary', next: '2026-04-01' },
    { effective: '2026-04-01T00:00:00.001Z', why: 'the old one still holds its boundary',   next: '2026-04-01' },
    { effective: '2026-03-31T23:59:59.999Z', why: 'the old one ends before its boundary',   next: '2026-04-01' },
  ])('from $effective: $why', ({ effective, next }) => {
    const same = realigned(schedule('2026-01-01'), effective, { anchorDate: '2026-02-01' });
    expect(boundariesFrom(same, '2026-03-02').take(2).map((one) => one.localDate).toArray()).toEqual([next, '2026-05-01']);
  });

  test('a boundary at the very instant of a change is one of the new schedule', () => {
    const same = realigned(schedule('2026-01-01'), '2026-04-01T00:00:00.000Z', { anchorDate: '2026-02-01' });
    const [april] = boundariesFrom(same, '2026-04-01').take(1).toArray();
    expect([april?.index, april?.version]).toEqual([2, same[1]]);
  });

  // prettier-ignore
  test.each([
    { on: '2026-02-01', found: '2026-02-01' },
    { on: '2026-03-02', found: '2026-03-15' },
    { on: '2026-03-15', found: '2026-03-15' },
    { on: '2026-03-16', found: '2026-04-15' },
  ])('the first on $on or later is on $found', ({ on, found }) => {
    expect(boundaryAtOrAfter(versions, on).localDate).toBe(found);
  });

  // prettier-ignore
  test.each([
    { after: '2026-01-31T23:59:59.999Z', found: '2026-02-01' },
    { after: '2026-02-01T00:00:00.000Z', found: '2026-03-01' },
    { after: '2026-03-01T00:00:00.000Z', found: '2026-03-15' },
    { after: '2026-03-10T00:00:00.000Z', found: '2026-03-15' },
    { after: '2026-03-14T23:59:59.999Z', found: '2026-03-15' },
    { after: '2026-03-15T00:00:00.000Z', found: '2026-04-15' },
  ])('the first after $after is on $found', ({ after, found }) => {
    expect(boundaryAfter(versions, after).localDate).toBe(found);
  });

  test('a version that ended before its first boundary gives none', () => {
    const [first, second] = realigned(schedule('2026-01-01'), '2026-03-10T00:00:00.000Z', { anchorDate: '2026-01-15' });
    const three = [
      first,
      ...realigned(second as ScheduleVersion, '2026-03-12T00:00:00.000Z', { anchorDate: '2026-01-20' }),
    ];
    expect(boundaryAfter(three as ScheduleVersion[], '2026-03-01T00:00:00.000Z').localDate).toBe('2026-03-20');
    expect(boundaryAtOrAfter(three as ScheduleVersion[], '2026-03-02').localDate).toBe('2026-03-20');
  });

  test.each([
    {
      what: 'a schedule that ends',
      of: schedule('2026-01-01', { validTo: '2026-03-10T00:00:00.000Z' }),
      on: '2026-03-02',
    },
    { what: 'the year 9999', of: schedule('2026-01-30'), on: '9999-12-31' },
  ])('nothing follows $what: that is refused, not searched for ever', ({ of, on }) => {
    expect(() => boundaryAtOrAfter([of], on)).toThrow('No boundary follows');
    expect(() => boundaryAfter([of], `${on}T00:00:00.000Z`)).toThrow('No boundary follows');
  });

  test('a missing day has no boundary of its own', () => {
    const daily = schedule('2011-12-28', { timezone: 'Pacific/Apia', cadence: cadence('DAY') });
    const found = boundariesFrom([daily], '2011-12-29')
      .take(3)
      .map((one) => one.boundaryAt)
      .toArray();
    expect(found).toEqual(['2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z']);
    expect(boundaryAfter([daily], '2011-12-29T10:00:00.000Z').localDate).toBe('2011-12-30');
  });
});

test('boundaries strictly increase, each the first instant of its date, and the next is found from any instant between', () => {
  const schedules = fc.record({
    timezone: fc.constantFrom(...TIMEZONES),
    anchorDate: fc.nat(20_000).map((days) => plusDays('1990-01-01', days)),
    cadence: fc.record({
      interval: fc.constantFrom('DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'),
      count: fc.integer({ min: 1, max: 40 }),
    }),
  });
  fc.assert(
    fc.property(
      schedules,
      fc.integer({ min: -200, max: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (of, k, share) => {
        const version = schedule(of.anchorDate, of);
        const [first, second] = [boundaryDate(version, k), boundaryDate(version, k + 1)];
        fc.pre(isCalendarDate(first) && isCalendarDate(second) && first > '1900-01-02' && second < '9999-12-30');
        const [start, end] = [boundaryAt(version, k), boundaryAt(version, k + 1)];
        expect(start < end).toBe(true);
        expect(start).toBe(localMidnight(first, of.timezone));
        expect(indexAtOrAfter(version, first)).toBe(k);
        expect(indexAtOrAfter(version, plusDays(first, 1))).toBe(k + 1);

        const between = new Date(
          Date.parse(start) + Math.floor((Date.parse(end) - Date.parse(start) - 1) * share),
        ).toISOString();
        expect(boundaryAfter([version], between).boundaryAt).toBe(end);
      },
    ),
    { numRuns: 1000 },
  );
});
