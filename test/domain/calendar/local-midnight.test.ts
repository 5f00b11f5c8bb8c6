import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastDateOf, localDate, localMidnight, plusDays } from '../../../src/domain/calendar.ts';
import { TIMEZONES } from '../billing-group/schedules.ts';

describe('the first instant of a local day', () => {
  // America/Havana, 1 November 2026: the clock is set back from 01:00 to 00:00, midnight comes twice.
  //
  //   04:00Z            05:00Z            06:00Z
  //   |-----------------|-----------------|--->
  //   00:00 (-04)       00:00 (-05)       01:00 (-05)
  //   ^ this one
  //
  // Africa/Cairo, 24 April 2026: the clock is set forward from 24:00 to 01:00, midnight never comes.
  //
  //   21:00Z (23 April)  22:00Z            23:00Z
  //   |------------------|-----------------|--->
  //   23:00 (+02)        01:00 (+03)       02:00 (+03)
  //                      ^ this one
  //
  // America/Toronto, 30 March 1919: at 23:30 the clock is set forward to 00:30 of the next day.
  //
  //   04:00Z (31 March)  04:30Z            05:00Z
  //   |------------------|-----------------|--->
  //   23:00 (-05)        00:30 (-04)       01:00 (-04)
  //                      ^ this one
  //
  // Pacific/Apia left out 30 December 2011 and went on with the 31st; both begin when the 29th ends.
  //
  //   10:00Z (29th)            10:00Z (30th)            10:00Z (31st)
  //   |------------------------|------------------------|--->
  //   29 December 00:00 (-10)  31 December 00:00 (+14)  1 January 00:00 (+14)
  //
  // America/St_Johns, 7 November 2010: one minute past midnight the clock is set back to 23:01 of the day before.
  //
  //   02:30Z         02:31Z           03:30Z
  //   |--------------|----------------|--->
  //   00:00 (-02:30) 23:01 (-03:30)   00:00 (-03:30)
  //   ^ this one
  // prettier-ignore
  test.each([
    { what: 'a day like any other',          timezone: 'Asia/Tokyo',          date: '2026-08-01', at: '2026-07-31T15:00:00.000Z' },
    { what: 'UTC',                           timezone: 'UTC',                 date: '2026-08-01', at: '2026-08-01T00:00:00.000Z' },
    { what: 'a half hour',                   timezone: 'Asia/Kolkata',        date: '2026-01-01', at: '2025-12-31T18:30:00.000Z' },
    { what: 'three quarters of an hour',     timezone: 'Asia/Kathmandu',      date: '2026-01-01', at: '2025-12-31T18:15:00.000Z' },
    { what: 'the day that loses an hour',    timezone: 'America/Los_Angeles', date: '2026-03-08', at: '2026-03-08T08:00:00.000Z' },
    { what: 'the day after it',              timezone: 'America/Los_Angeles', date: '2026-03-09', at: '2026-03-09T07:00:00.000Z' },
    { what: 'the day that gains an hour',    timezone: 'Europe/Berlin',       date: '2026-10-25', at: '2026-10-24T22:00:00.000Z' },
    { what: 'the day after it',              timezone: 'Europe/Berlin',       date: '2026-10-26', at: '2026-10-25T23:00:00.000Z' },
    { what: 'midnight twice',                timezone: 'America/Havana',      date: '2026-11-01', at: '2026-11-01T04:00:00.000Z' },
    { what: 'the day after it',              timezone: 'America/Havana',      date: '2026-11-02', at: '2026-11-02T05:00:00.000Z' },
    { what: 'no midnight',                   timezone: 'America/Havana',      date: '2026-03-08', at: '2026-03-08T05:00:00.000Z' },
    { what: 'no midnight',                   timezone: 'Africa/Cairo',        date: '2026-04-24', at: '2026-04-23T22:00:00.000Z' },
    { what: '23:00 twice, midnight once',    timezone: 'Africa/Cairo',        date: '2026-10-30', at: '2026-10-29T22:00:00.000Z' },
    { what: 'no midnight',                   timezone: 'Asia/Beirut',         date: '2026-03-29', at: '2026-03-28T22:00:00.000Z' },
    { what: '23:00 twice, midnight once',    timezone: 'Asia/Beirut',         date: '2026-10-25', at: '2026-10-24T22:00:00.000Z' },
    { what: 'no midnight',                   timezone: 'America/Sao_Paulo',   date: '2018-11-04', at: '2018-11-04T03:00:00.000Z' },
    { what: 'a gap around midnight',         timezone: 'America/Toronto',     date: '1919-03-31', at: '1919-03-31T04:30:00.000Z' },
    { what: 'a clock set back by half',      timezone: 'Australia/Lord_Howe', date: '2026-04-05', at: '2026-04-04T13:00:00.000Z' },
    { what: 'the day after it',              timezone: 'Australia/Lord_Howe', date: '2026-04-06', at: '2026-04-05T13:30:00.000Z' },
    { what: 'the day before the missing one', timezone: 'Pacific/Apia',       date: '2011-12-29', at: '2011-12-29T10:00:00.000Z' },
    { what: 'the missing day',               timezone: 'Pacific/Apia',        date: '2011-12-30', at: '2011-12-30T10:00:00.000Z' },
    { what: 'the day after the missing one', timezone: 'Pacific/Apia',        date: '2011-12-31', at: '2011-12-30T10:00:00.000Z' },
    { what: 'a clock set back over midnight', timezone: 'America/St_Johns',   date: '2010-11-07', at: '2010-11-07T02:30:00.000Z' },
  ])('$date in $timezone ($what) begins at $at', ({ timezone, date, at }) => {
    expect(localMidnight(date, timezone)).toBe(at);
  });

  test.each([
    { date: '2026-02-30', timezone: 'UTC' },
    { date: 'tomorrow', timezone: 'UTC' },
    { date: '2026-02-03', timezone: 'Mars/Phobos' },
  ])('refuses $date in $timezone', ({ date, timezone }) => {
    expect(() => localMidnight(date, timezone)).toThrow(expect.objectContaining({ code: 'date.invalid' }));
  });

  test('is on the day, and the millisecond before it is not', () => {
    const dates = fc.nat(40 * 365).map((days) => plusDays('2000-01-01', days));
    fc.assert(
      fc.property(dates, fc.constantFrom(...TIMEZONES), (date, timezone) => {
        const start = localMidnight(date, timezone);
        expect(localDate(start, timezone)).toBe(date);
        expect(lastDateOf({ start: '', end: start }, timezone)).toBe(plusDays(date, -1));
      }),
      { numRuns: 2000 },
    );
  });
});
