import { describe, expect, test } from 'vitest';
import type { Cadence } from '../../../src/domain/billing-group/cadence.ts';
import { cadence, schedule } from '../billing-group/schedules.ts';
import { item } from './items.ts';
import { newLife, runUntil, story } from './life.ts';

const [QUARTER, YEAR, WEEK] = [cadence('QUARTER'), cadence('YEAR'), cadence('WEEK')];

/** What a monthly group on the 1st charges for one item up to an instant, event by event. */
const lived = (
  start: string,
  every: Cadence,
  billing: 'ADVANCE' | 'ARREARS',
  until: string,
  anchorDate = '2026-01-01',
) =>
  story(
    runUntil(
      newLife(item(`${start}T15:00:00.000Z`, { price: { cadence: every, billing } }), [schedule(anchorDate)]),
      `${until}T00:00:00.000Z`,
    ),
  );

describe('a longer cadence bills in the group events in which its own boundary falls (RP6)', () => {
  // A quarter that starts on 10 March: boundary 0 is 1 April; the days before are a stub of the quarter that ends there.
  //
  //   1 January         10 March  1 April             1 July              1 October
  //   |.................*---------0-------------------1-------------------2--->
  //                     [ 22 of   [ 91 of 91          [ 92 of 92
  //                       90 days
  test('a quarter in advance', () => {
    expect(lived('2026-03-10', QUARTER, 'ADVANCE', '2026-10-01')).toEqual([
      'at 2026-04-01: 2026-03-10 2026-04-01 22/90',
      'at 2026-04-01: 2026-04-01 2026-07-01 91/91',
      'at 2026-07-01: 2026-07-01 2026-10-01 92/92',
      'at 2026-10-01: 2026-10-01 2027-01-01 92/92',
    ]);
  });

  test('a quarter in arrears is billed at its end', () => {
    expect(lived('2026-03-10', QUARTER, 'ARREARS', '2026-09-30')).toEqual([
      'at 2026-04-01: 2026-03-10 2026-04-01 22/90',
      'at 2026-07-01: 2026-04-01 2026-07-01 91/91',
    ]);
  });

  // The year that would end on 1 April 2026 has 365 days; the next two have 365 and, over 29 February 2028, 366.
  test('a year', () => {
    expect(lived('2026-03-10', YEAR, 'ADVANCE', '2028-03-31')).toEqual([
      'at 2026-04-01: 2026-03-10 2026-04-01 22/365',
      'at 2026-04-01: 2026-04-01 2027-04-01 365/365',
      'at 2027-04-01: 2027-04-01 2028-04-01 366/366',
    ]);
  });

  test('one that starts on a group boundary has no stub', () => {
    expect(lived('2026-03-01', YEAR, 'ADVANCE', '2027-02-28')).toEqual([
      'at 2026-03-01: 2026-03-01 2027-03-01 365/365',
    ]);
  });

  // Anchor 31 January: a quarter from 28 February runs to 31 May.
  test('from an anchor on the 31st', () => {
    expect(lived('2026-02-28', QUARTER, 'ADVANCE', '2026-06-30', '2026-01-31')).toEqual([
      'at 2026-02-28: 2026-02-28 2026-05-31 92/92',
      'at 2026-05-31: 2026-05-31 2026-08-31 92/92',
    ]);
  });

  // Two items of one quarter each, started in different months, keep each its own boundary.
  test('each item keeps its own boundary 0', () => {
    const first = (start: string) => lived(start, QUARTER, 'ADVANCE', '2026-12-31').map((line) => line.slice(0, 13));
    expect(first('2026-01-01')).toEqual(['at 2026-01-01', 'at 2026-04-01', 'at 2026-07-01', 'at 2026-10-01']);
    expect(first('2026-02-01')).toEqual(['at 2026-02-01', 'at 2026-05-01', 'at 2026-08-01', 'at 2026-11-01']);
  });
});

describe('a shorter cadence puts every period on the invoice, a line each (RP6)', () => {
  // Weeks from the anchor, Thursday 1 January: 1, 8, 15, 22, 29 January, 5 February.
  //
  //   1 Jan   8     15     22     29  1 Feb  5
  //   [-------[------[------[------[---|-----[--->
  test('weeks in arrears: those that have ended', () => {
    expect(lived('2026-01-01', WEEK, 'ARREARS', '2026-02-01')).toEqual([
      'at 2026-02-01: 2026-01-01 2026-01-08 7/7',
      'at 2026-02-01: 2026-01-08 2026-01-15 7/7',
      'at 2026-02-01: 2026-01-15 2026-01-22 7/7',
      'at 2026-02-01: 2026-01-22 2026-01-29 7/7',
    ]);
  });

  test('weeks in advance: those that have begun', () => {
    expect(lived('2026-01-01', WEEK, 'ADVANCE', '2026-02-01')).toEqual([
      'at 2026-01-01: 2026-01-01 2026-01-08 7/7',
      'at 2026-02-01: 2026-01-08 2026-01-15 7/7',
      'at 2026-02-01: 2026-01-15 2026-01-22 7/7',
      'at 2026-02-01: 2026-01-22 2026-01-29 7/7',
      'at 2026-02-01: 2026-01-29 2026-02-05 7/7',
    ]);
  });

  test('one that starts within a week has a stub of that week', () => {
    expect(lived('2026-01-20', WEEK, 'ARREARS', '2026-02-01')).toEqual([
      'at 2026-02-01: 2026-01-20 2026-01-22 2/7',
      'at 2026-02-01: 2026-01-22 2026-01-29 7/7',
    ]);
  });

  test('ten days', () => {
    expect(lived('2026-01-01', cadence('DAY', 10), 'ARREARS', '2026-02-01').length).toBe(3);
  });
});

describe('a cadence that does not fit into the group’s', () => {
  // Months from 1 January in a group of ten days: 1, 11, 21, 31 January, 10 February.
  //
  //   1 Jan     11        21        31    1 Feb   10
  //   [---------|---------|---------|-----[-------|--->
  //                                        ^ begun by 10 February
  test('months among tens of days: at the first event after they begin', () => {
    const one = item('2026-01-01T00:00:00.000Z', { price: { cadence: cadence('MONTH') } });
    const tens = [schedule('2026-01-01', { cadence: cadence('DAY', 10) })];
    expect(story(runUntil(newLife(one, tens), '2026-03-12T00:00:00.000Z'))).toEqual([
      'at 2026-01-01: 2026-01-01 2026-02-01 31/31',
      'at 2026-02-10: 2026-02-01 2026-03-01 28/28',
      'at 2026-03-02: 2026-03-01 2026-04-01 31/31',
    ]);
  });
});
