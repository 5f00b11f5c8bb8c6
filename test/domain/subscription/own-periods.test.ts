import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cadence } from '../../../src/domain/billing-group/cadence.ts';
import { elapsedMs, localDate, plusDays } from '../../../src/domain/calendar.ts';
import {
  ownPeriodAround,
  ownPeriodAt,
  phaseIndexFrom,
  prorationInstant,
  usedShare,
} from '../../../src/domain/subscription/own-periods.ts';
import { cadence, schedule, TIMEZONES } from '../billing-group/schedules.ts';

const around = (anchorDate: string, groupEvery: Cadence, every: Cadence, phaseDate: string, date: string) => {
  const group = schedule(anchorDate, { cadence: groupEvery });
  const own = { schedule: group, cadence: every, phaseIndex: phaseIndexFrom(group, phaseDate) };
  const { startDate, endDate } = ownPeriodAround(own, date);
  return `${startDate} ${endDate}`;
};
const [MONTH, QUARTER, YEAR, WEEK] = [cadence('MONTH'), cadence('QUARTER'), cadence('YEAR'), cadence('WEEK')];

describe('a cadence that is a multiple of the group’s counts group boundaries from its boundary 0 (RP6)', () => {
  // Monthly on the 1st; a quarterly item that starts on 10 March: boundary 0 is 1 April.
  //
  //   1 January            1 April              1 July
  //   |---------------*----0--------------------1--->
  //                   10 March
  // prettier-ignore
  test.each([
    { what: 'before its boundary 0',       every: QUARTER, since: '2026-03-10', date: '2026-03-10', period: '2026-01-01 2026-04-01' },
    { what: 'the day before it',           every: QUARTER, since: '2026-03-10', date: '2026-03-31', period: '2026-01-01 2026-04-01' },
    { what: 'at its boundary 0',           every: QUARTER, since: '2026-03-10', date: '2026-04-01', period: '2026-04-01 2026-07-01' },
    { what: 'in the last month of it',     every: QUARTER, since: '2026-03-10', date: '2026-06-30', period: '2026-04-01 2026-07-01' },
    { what: 'far before',                  every: QUARTER, since: '2026-03-10', date: '2025-12-31', period: '2025-10-01 2026-01-01' },
    { what: 'a year, begun on a boundary', every: YEAR,    since: '2026-03-01', date: '2026-03-01', period: '2026-03-01 2027-03-01' },
    { what: 'a year, begun mid-month',     every: YEAR,    since: '2026-03-02', date: '2026-03-02', period: '2025-04-01 2026-04-01' },
    { what: 'the group’s own',             every: MONTH,   since: '2026-03-10', date: '2026-03-10', period: '2026-03-01 2026-04-01' },
  ])('$what: $period', ({ every, since, date, period }) => {
    expect(around('2026-01-01', MONTH, every, since, date)).toBe(period);
  });

  // prettier-ignore
  test.each([
    { what: 'months from the 31st: short ones end on their last day', anchor: '2026-01-31', every: MONTH,   date: '2026-02-28', period: '2026-02-28 2026-03-31' },
    { what: 'the day before',                                         anchor: '2026-01-31', every: MONTH,   date: '2026-02-27', period: '2026-01-31 2026-02-28' },
    { what: 'quarters from the 31st',                                 anchor: '2026-01-31', every: QUARTER, date: '2026-05-15', period: '2026-04-30 2026-07-31' },
    { what: 'years from 29 February',                                 anchor: '2024-02-29', every: YEAR,    date: '2026-06-01', period: '2026-02-28 2027-02-28' },
  ])('$what', ({ anchor, every, date, period }) => {
    expect(around(anchor, MONTH, every, anchor, date)).toBe(period);
  });

  test('two weeks in a group of one week', () => {
    expect(around('2026-01-01', WEEK, cadence('DAY', 14), '2026-01-08', '2026-01-21')).toBe('2026-01-08 2026-01-22');
    expect(around('2026-01-01', WEEK, cadence('DAY', 14), '2026-01-08', '2026-01-22')).toBe('2026-01-22 2026-02-05');
  });
});

describe('any other cadence counts its own steps from the anchor', () => {
  // prettier-ignore
  test.each([
    { what: 'weeks in a month',         group: MONTH,   every: WEEK,              date: '2026-02-04', period: '2026-01-29 2026-02-05' },
    { what: 'at a week’s start',        group: MONTH,   every: WEEK,              date: '2026-02-05', period: '2026-02-05 2026-02-12' },
    { what: 'before the anchor',        group: MONTH,   every: WEEK,              date: '2025-12-31', period: '2025-12-25 2026-01-01' },
    { what: 'months in a quarter',      group: QUARTER, every: MONTH,             date: '2026-02-14', period: '2026-02-01 2026-03-01' },
    { what: 'months in ten days',       group: cadence('DAY', 10), every: MONTH,  date: '2026-02-14', period: '2026-02-01 2026-03-01' },
    { what: 'five months in a quarter', group: QUARTER, every: cadence('MONTH', 5), date: '2026-06-01', period: '2026-06-01 2026-11-01' },
  ])('$what: $period', ({ group, every, date, period }) => {
    expect(around('2026-01-01', group, every, '2026-01-01', date)).toBe(period);
  });
});

describe('as instants', () => {
  // The day on which Havana has midnight twice, as a period of one day: it lasts 25 hours, and holds the second midnight.
  //
  //   04:00Z (1st)   05:00Z                               05:00Z (2nd)
  //   |--------------|------------------------------------|--->
  //   00:00          00:00 again                          00:00
  test('a day with two midnights is one period', () => {
    const daily = schedule('2026-01-01', { timezone: 'America/Havana', cadence: cadence('DAY') });
    const own = { schedule: daily, cadence: cadence('DAY'), phaseIndex: 0 };
    const day = { start: '2026-11-01T04:00:00.000Z', end: '2026-11-02T05:00:00.000Z' };
    for (const instant of [day.start, '2026-11-01T05:00:00.000Z', '2026-11-02T04:59:59.999Z']) {
      expect(ownPeriodAt(own, instant)).toEqual(day);
    }
  });

  // St. John's, 7 November 2010: at 00:01 the clock is set back to 23:01 of the 6th; the 7th has begun all the same.
  test('a clock set back over midnight does not begin a day twice', () => {
    const daily = schedule('2010-01-01', { timezone: 'America/St_Johns', cadence: cadence('DAY') });
    const own = { schedule: daily, cadence: cadence('DAY'), phaseIndex: 0 };
    const day = { start: '2010-11-07T02:30:00.000Z', end: '2010-11-08T03:30:00.000Z' };
    expect(localDate('2010-11-07T03:00:00.000Z', 'America/St_Johns')).toBe('2010-11-06');
    expect(ownPeriodAt(own, '2010-11-07T03:00:00.000Z')).toEqual(day);
    expect(ownPeriodAt(own, '2010-11-07T02:29:59.999Z').end).toBe(day.start);
  });

  test('every instant is in its period, and the period’s end begins the next', () => {
    const cases = fc.record({
      timezone: fc.constantFrom(...TIMEZONES, 'America/St_Johns', 'Pacific/Apia'),
      anchorDate: fc.nat(9000).map((days) => plusDays('2005-01-01', days)),
      groupEvery: fc.constantFrom(MONTH, WEEK, QUARTER, cadence('DAY', 10)),
      every: fc.constantFrom(MONTH, WEEK, QUARTER, YEAR, cadence('DAY')),
      phaseIndex: fc.integer({ min: -20, max: 20 }),
      instant: fc.date({ min: new Date('2005-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
    });
    fc.assert(
      fc.property(cases, ({ timezone, anchorDate, groupEvery, every, phaseIndex, instant }) => {
        const own = { schedule: schedule(anchorDate, { timezone, cadence: groupEvery }), cadence: every, phaseIndex };
        const at = instant.toISOString();
        const period = ownPeriodAt(own, at);
        expect(period.start <= at && at < period.end).toBe(true);
        expect(ownPeriodAt(own, period.start)).toEqual(period);
        expect(ownPeriodAt(own, period.end).start).toBe(period.end);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('proration (RP2)', () => {
  // prettier-ignore
  test.each([
    { what: 'by DAY the first instant of its date', proration: 'DAY',    instant: '2026-11-01T12:30:00.000Z', timezone: 'America/Havana', at: '2026-11-01T04:00:00.000Z' },
    { what: 'by DAY a midnight as it is',           proration: 'DAY',    instant: '2026-11-01T04:00:00.000Z', timezone: 'America/Havana', at: '2026-11-01T04:00:00.000Z' },
    { what: 'by DAY the date of the zone',          proration: 'DAY',    instant: '2026-07-31T15:00:00.000Z', timezone: 'Asia/Tokyo',     at: '2026-07-31T15:00:00.000Z' },
    { what: 'by SECOND as it is',                   proration: 'SECOND', instant: '2026-11-01T12:30:00.000Z', timezone: 'America/Havana', at: '2026-11-01T12:30:00.000Z' },
  ] as const)('sees an instant $what', ({ proration, instant, timezone, at }) => {
    expect(prorationInstant(instant, proration, timezone)).toBe(at);
  });

  // March in Berlin: 31 days, one of 23 hours. From the 10th on: 22 days, or 22 × 24 − 1 hours.
  const march = { start: '2026-02-28T23:00:00.000Z', end: '2026-03-31T22:00:00.000Z' };
  const rest = { start: '2026-03-09T23:00:00.000Z', end: '2026-03-31T22:00:00.000Z' };

  test('counts calendar days, whatever their length, or seconds as they pass', () => {
    const shares = (['DAY', 'SECOND'] as const).map((proration) => usedShare(rest, march, proration, 'Europe/Berlin'));
    expect(shares.map(({ used, whole, unit }) => `${used.toFixed()}/${whole.toFixed()} ${unit}`)).toEqual([
      '22/31 days',
      '1897200/2674800 seconds',
    ]);
  });

  test('by SECOND a millisecond counts', () => {
    const used = { start: '2026-03-31T21:59:58.500Z', end: march.end };
    expect(usedShare(used, march, 'SECOND', 'Europe/Berlin').used.toFixed()).toBe('1.5');
    expect(elapsedMs(used)).toBe(1500);
  });
});
