import { describe, expect, test } from 'vitest';
import { localMidnight } from '../../../src/domain/calendar.ts';
import { cadence, realigned, schedule } from '../billing-group/schedules.ts';
import { item, terms } from './items.ts';
import { collect, collectOn, type Life, newLife, runUntil, story } from './life.ts';

const START = '2026-01-01T00:00:00.000Z';
const ARREARS = { price: { billing: 'ARREARS' } } as const;
const until = (life: Life, date: string): Life => runUntil(life, localMidnight(date, 'UTC'));
const monthly = [schedule('2026-01-01')];

/** From an instant on monthly on the 15th. */
const to15th = (effective: string) => realigned(schedule('2026-01-01'), effective, { anchorDate: '2026-01-15' });

describe('after a realign an item goes on from where it is billed through, with one stub (RP13)', () => {
  // In advance through 1 April; realigned on 10 March.
  //
  //   1 March    10 March  15 March             1 April      15 April             15 May
  //   |----------[---------|--------------------*------------|--------------------|--->
  //                        ^ bills the stub     [ 14 of 31   [ 30 of 30
  test('in advance the stub is billed at the event at or before its start', () => {
    const billed = until(newLife(item(START), monthly), '2026-03-09');
    const life = until({ ...billed, versions: to15th('2026-03-10T00:00:00.000Z') }, '2026-05-14');
    expect(story(life).slice(2)).toEqual([
      'at 2026-03-01: 2026-03-01 2026-04-01 31/31',
      'at 2026-03-15: 2026-04-01 2026-04-15 14/31',
      'at 2026-04-15: 2026-04-15 2026-05-15 30/30',
    ]);
  });

  // Known beforehand, effective on 20 March: no event lies between 1 March and the stub.
  //
  //   1 March                     20 March      1 April      15 April
  //   |---------------------------[-------------*------------|--->
  //   ^ bills March, and the stub               [ 14 of 31
  test('that may be the event that bills the period before it', () => {
    const life = until(newLife(item(START), to15th('2026-03-20T00:00:00.000Z')), '2026-03-31');
    expect(story(life).slice(2)).toEqual([
      'at 2026-03-01: 2026-03-01 2026-04-01 31/31',
      'at 2026-03-01: 2026-04-01 2026-04-15 14/31',
    ]);
  });

  test('also when that is the first period of all', () => {
    const life = until(newLife(item('2026-03-01T09:00:00.000Z'), to15th('2026-03-20T00:00:00.000Z')), '2026-03-31');
    expect(story(life)).toEqual([
      'at 2026-03-01: 2026-03-01 2026-04-01 31/31',
      'at 2026-03-01: 2026-04-01 2026-04-15 14/31',
    ]);
  });

  test('realigned after that event, the stub is billed with the next period', () => {
    const billed = until(newLife(item(START), monthly), '2026-03-19');
    const life = until({ ...billed, versions: to15th('2026-03-20T00:00:00.000Z') }, '2026-04-15');
    expect(story(life).slice(3)).toEqual([
      'at 2026-04-15: 2026-04-01 2026-04-15 14/31',
      'at 2026-04-15: 2026-04-15 2026-05-15 30/30',
    ]);
  });

  // In arrears, billed through 1 March.
  //
  //   1 March    10 March  15 March                          15 April
  //   *----------[---------|---------------------------------|--->
  //   [ 14 of 28           ^                                 ^ 31 of 31
  test('in arrears the stub is billed at its end', () => {
    const billed = until(newLife(item(START, ARREARS), monthly), '2026-03-09');
    const life = until({ ...billed, versions: to15th('2026-03-10T00:00:00.000Z') }, '2026-04-15');
    expect(story(life).slice(1)).toEqual([
      'at 2026-03-01: 2026-02-01 2026-03-01 28/28',
      'at 2026-03-15: 2026-03-01 2026-03-15 14/28',
      'at 2026-04-15: 2026-03-15 2026-04-15 31/31',
    ]);
  });

  // A first stub is not one of a change: nothing was billed that it could go on from.
  test('a member that has not begun is not billed ahead', () => {
    const one = item('2026-04-01T00:00:00.000Z');
    expect(collectOn(newLife(one, to15th('2026-03-20T00:00:00.000Z')), '2026-03-01').charges).toEqual([]);
  });

  // Yearly in advance through 1 January 2027; realigned on 10 March 2026.
  //
  //   1 January 2026   10 March         15 December    1 January 2027  15 January
  //   [----------------[--- … ----------|--------------*---------------0--->
  //                                     ^ bills the stub, 14 of 365 days
  test('a longer cadence finds a new boundary 0', () => {
    const yearly = newLife(item(START, { price: { cadence: cadence('YEAR') } }), monthly);
    const life = until({ ...until(yearly, '2026-03-09'), versions: to15th('2026-03-10T00:00:00.000Z') }, '2027-01-15');
    expect(story(life)).toEqual([
      'at 2026-01-01: 2026-01-01 2027-01-01 365/365',
      'at 2026-12-15: 2027-01-01 2027-01-15 14/365',
      'at 2027-01-15: 2027-01-15 2028-01-15 365/365',
    ]);
    expect(life.item.phase).toEqual({ key: 'grp_1@2026-03-10T00:00:00.000Z', index: 12 });
  });

  // A month in a group of weeks fits nowhere; realigned to Sundays its periods count from 4 January.
  //
  //   4 January        25 January    1 February  4 February
  //   |--------- … ----|-------------*-----------0--->
  //                    X not yet     ^ bills the stub, 3 of 31 days
  test('a stub that begins with an event is billed at that event, not before', () => {
    const weekly = schedule('2026-01-01', { cadence: cadence('WEEK') });
    const sundays = realigned(weekly, '2026-01-09T00:00:00.000Z', { anchorDate: '2026-01-04' });
    const one = item(START, { price: { cadence: cadence('MONTH') } });
    expect(story(runUntil(newLife(one, sundays), '2026-02-01T00:00:00.000Z', 'ALL'))).toEqual([
      'at 2026-01-01: 2026-01-01 2026-02-01 31/31',
      'at 2026-02-01: 2026-02-01 2026-02-04 3/31',
    ]);
  });

  test('one that takes effect at a boundary holds for the period that begins there', () => {
    const quarterly = { anchorDate: '2026-04-01', cadence: cadence('QUARTER') };
    const versions = realigned(schedule('2026-01-01'), '2026-04-01T00:00:00.000Z', quarterly);
    expect(story(until(newLife(item(START), versions), '2026-04-01')).slice(2)).toEqual([
      'at 2026-03-01: 2026-03-01 2026-04-01 31/31',
      'at 2026-04-01: 2026-04-01 2026-07-01 91/91',
    ]);
  });

  // The group's cadence becomes a quarter; a price without a cadence of its own follows.
  test('a new cadence of the group is that of prices without one', () => {
    const quarterly = { anchorDate: '2026-04-01', cadence: cadence('QUARTER') };
    const billed = until(newLife(item(START), monthly), '2026-03-09');
    const versions = realigned(schedule('2026-01-01'), '2026-03-10T00:00:00.000Z', quarterly);
    expect(story(until({ ...billed, versions }, '2026-04-01')).slice(3)).toEqual([
      'at 2026-04-01: 2026-04-01 2026-07-01 91/91',
    ]);
  });
});

describe('in another group it goes on from where it is billed through (RP13)', () => {
  // Billed in advance through 1 April in a group on the 1st; from then on in a group on the 20th.
  //
  //   1 March               1 April               20 April              20 May
  //   |---------------------*---------------------|---------------------|--->
  //                         [ 19 of 31            [ 30 of 30
  const moved = (life: Life): Life => ({
    ...life,
    groupId: 'grp_2',
    versions: [schedule('2026-01-20')],
    lastBoundaryAt: '2026-03-20T00:00:00.000Z',
  });

  test('in advance', () => {
    const life = until(moved(until(newLife(item(START), monthly), '2026-03-31')), '2026-04-20');
    expect(story(life).slice(3)).toEqual([
      'at 2026-04-20: 2026-04-01 2026-04-20 19/31',
      'at 2026-04-20: 2026-04-20 2026-05-20 30/30',
    ]);
  });

  test('in arrears', () => {
    const life = until(moved(until(newLife(item(START, ARREARS), monthly), '2026-04-01')), '2026-05-20');
    expect(story(life).slice(3)).toEqual([
      'at 2026-04-20: 2026-04-01 2026-04-20 19/31',
      'at 2026-05-20: 2026-04-20 2026-05-20 30/30',
    ]);
  });

  test('boundary 0 is remembered within a group, and found anew in another', () => {
    const quarterly = item('2026-02-01T00:00:00.000Z', { price: { cadence: cadence('QUARTER') } });
    const billed = until(newLife(quarterly, monthly), '2026-04-30');
    expect(billed.item.phase).toEqual({ key: 'grp_1@1900-01-01T00:00:00.000Z', index: 1 });
    const again = until(billed, '2026-05-01');
    expect(again.item.phase?.index).toBe(1);
    expect(until(moved(again), '2026-08-20').item.phase).toEqual({ key: 'grp_2@1900-01-01T00:00:00.000Z', index: 7 });
  });
});

describe('terms that change', () => {
  const cheap = terms({}, { validTo: '2026-03-11T15:00:00.000Z' });
  const dear = terms({ amount: '20' }, { version: 2, validFrom: '2026-03-11T15:00:00.000Z' });
  const versionsOf = (life: Life) =>
    life.charged.map(
      ({ terms: held, period }) => `v${held.version} ${period.start.slice(0, 10)} ${period.end.slice(0, 10)}`,
    );
  const changing = (billing: 'ADVANCE' | 'ARREARS') => {
    const [first, second] = [cheap, dear].map((one) => ({ ...one, price: { ...one.price, billing } }));
    return newLife(item('2026-03-01T00:00:00.000Z', { terms: first && second ? [first, second] : [] }), monthly);
  };

  // In arrears one line per segment; the day of the change belongs to the new terms (RP2, RP4).
  //
  //   1 March        11 March 15:00           1 April
  //   |--------------|------------------------|--->
  //   [ v1: 10 days  [ v2: 21 days
  test('in arrears cut the period', () => {
    expect(versionsOf(until(changing('ARREARS'), '2026-04-01'))).toEqual([
      'v1 2026-03-01 2026-03-11',
      'v2 2026-03-11 2026-04-01',
    ]);
  });

  test('in advance leave it whole, and hold from the next', () => {
    expect(versionsOf(until(changing('ADVANCE'), '2026-04-01'))).toEqual([
      'v1 2026-03-01 2026-04-01',
      'v2 2026-04-01 2026-05-01',
    ]);
  });

  test('at a boundary take part in its collection', () => {
    const at = (instant: string) => [
      { ...cheap, validTo: instant },
      { ...dear, validFrom: instant },
    ];
    const life = (instant: string) => newLife(item('2026-03-01T00:00:00.000Z', { terms: at(instant) }), monthly);
    expect(versionsOf(until(life('2026-04-01T18:00:00.000Z'), '2026-04-01'))[1]).toBe('v2 2026-04-01 2026-05-01');
    expect(versionsOf(until(life('2026-04-02T00:00:00.000Z'), '2026-04-01'))[1]).toBe('v1 2026-04-01 2026-05-01');
  });

  test('at a boundary leave no empty segment in arrears', () => {
    const arrears = (one: typeof cheap) => ({ ...one, price: { ...one.price, billing: 'ARREARS' as const } });
    const at = '2026-04-01T00:00:00.000Z';
    const held = [arrears({ ...cheap, validTo: at }), arrears({ ...dear, validFrom: at })];
    const life = newLife(item('2026-03-01T00:00:00.000Z', { terms: held }), monthly);
    expect(versionsOf(until(life, '2026-05-01'))).toEqual(['v1 2026-03-01 2026-04-01', 'v2 2026-04-01 2026-05-01']);
  });

  test('that end leave nothing to charge', () => {
    const ended = newLife(
      item('2026-03-01T00:00:00.000Z', { terms: [{ ...cheap, validTo: '2026-04-01T00:00:00.000Z' }] }),
      monthly,
    );
    expect(versionsOf(collect(ended, 'BOUNDARY', '2026-05-01T00:00:00.000Z'))).toEqual(['v1 2026-03-01 2026-04-01']);
  });

  // Sold on 5 March as of 1 March, dated by its creation: the first terms hold from the item's beginning.
  test('the first hold from the beginning', () => {
    const late = newLife(
      item('2026-03-01T00:00:00.000Z', { terms: [terms({}, { validFrom: '2026-03-05T00:00:00.000Z' })] }),
      monthly,
    );
    expect(versionsOf(until(late, '2026-03-01'))).toEqual(['v1 2026-03-01 2026-04-01']);
  });
});

test('an instant that no schedule version holds is refused', () => {
  const life = newLife(item(START), [schedule('2026-01-01', { validFrom: '2026-03-01T00:00:00.000Z' })]);
  expect(() => collect(life, 'BOUNDARY', '2026-02-01T00:00:00.000Z')).toThrow('No schedule version holds 2026-02-01');
});
