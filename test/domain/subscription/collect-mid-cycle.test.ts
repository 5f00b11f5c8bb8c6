import { describe, expect, test } from 'vitest';
import type { BillableItem } from '../../../src/domain/subscription/collect-item.ts';
import { cadence, realigned, schedule } from '../billing-group/schedules.ts';
import { item, shown } from './items.ts';
import { collect, type Life, newLife } from './life.ts';

const midnight = (date: string) => `${date}T00:00:00.000Z`;
const monthly = [schedule('2026-01-01')];
const WEEKLY = { cadence: cadence('WEEK') };
const ARREARS = { billing: 'ARREARS' } as const;

/** What bill-now takes on 20 March, at noon, after the event of 1 March. */
const taken = (one: BillableItem, changes: Partial<Life> = {}): string[] => {
  const life = newLife(one, monthly, { lastBoundaryAt: midnight('2026-03-01'), ...changes });
  return shown(collect(life, 'MID_CYCLE', '2026-03-20T12:00:00.000Z').charged);
};

describe('bill now takes stubs and ended periods, never a running one (RP12)', () => {
  //   1 February      1 March      10 March    20 March      1 April
  //   |---------------X------------*-----------!-------------|--->
  //                                [ stub, taken             [ the boundary's
  // prettier-ignore
  test.each([
    { what: 'a stub that runs',                           one: item(midnight('2026-03-10')),                                                        is: ['2026-03-10 2026-04-01 22/31'] },
    { what: 'one that begins today',                      one: item('2026-03-20T18:00:00.000Z'),                                                    is: ['2026-03-20 2026-04-01 12/31'] },
    { what: 'not one that begins tomorrow',               one: item(midnight('2026-03-21')),                                                        is: [] },
    { what: 'not what is billed already',                 one: item(midnight('2026-03-01'), { billedThroughAt: midnight('2026-04-01') }),            is: [] },
    { what: 'what began on a boundary after its cut-off', one: item(midnight('2026-03-01')),                                                        is: ['2026-03-01 2026-04-01 31/31'] },
    { what: 'what began long ago, to the boundary ahead', one: item(midnight('2026-02-10')),                                                        is: ['2026-02-10 2026-03-01 19/28', '2026-03-01 2026-04-01 31/31'] },
    { what: 'not a stub in arrears that runs',            one: item(midnight('2026-03-10'), { price: ARREARS }),                                    is: [] },
    { what: 'arrears that have ended',                    one: item(midnight('2026-02-10'), { price: ARREARS }),                                    is: ['2026-02-10 2026-03-01 19/28'] },
    { what: 'arrears up to the end of today',             one: item(midnight('2026-03-10'), { price: ARREARS, endAt: '2026-03-20T12:00:00.000Z' }),  is: ['2026-03-10 2026-03-20 10/31'] },
    { what: 'not arrears that end tomorrow',              one: item(midnight('2026-03-10'), { price: ARREARS, endAt: midnight('2026-03-21') }),      is: [] },
    { what: 'weeks in arrears that have ended',           one: item(midnight('2026-03-05'), { price: { ...WEEKLY, ...ARREARS } }),                  is: ['2026-03-05 2026-03-12 7/7', '2026-03-12 2026-03-19 7/7'] },
    { what: 'weeks in advance that have ended',           one: item(midnight('2026-03-05'), { price: WEEKLY }),                                     is: ['2026-03-05 2026-03-12 7/7', '2026-03-12 2026-03-19 7/7'] },
  ])('$what', ({ one, is }) => {
    expect(taken(one)).toEqual(is);
  });

  // Paused since 1 February: its boundaries run in order on resume, but what has ended is taken (RP12).
  //
  //   1 February           1 March             20 March        1 April
  //   X--------------------|-------------------!---------------|--->
  //   [ 28 of 28, ended    [ runs: its boundary is still to come
  test('what has ended under a pause, and not what its boundary is still to bring', () => {
    const paused = { lastBoundaryAt: midnight('2026-01-01') };
    expect(taken(item(midnight('2026-02-01')), paused)).toEqual(['2026-02-01 2026-03-01 28/28']);
    expect(taken(item(midnight('2026-03-01')), paused)).toEqual([]);
    expect(taken(item(midnight('2026-03-01')), { lastBoundaryAt: null })).toEqual([]);
  });

  // Ends at the very instant of the request.
  test('a period that ends at this instant has ended', () => {
    const life = newLife(item(midnight('2026-02-01'), { price: ARREARS }), monthly, {
      lastBoundaryAt: midnight('2026-02-01'),
    });
    expect(shown(collect(life, 'MID_CYCLE', midnight('2026-03-01')).charged)).toEqual(['2026-02-01 2026-03-01 28/28']);
    expect(shown(collect(life, 'MID_CYCLE', '2026-02-28T23:59:59.999Z').charged)).toEqual([]);
    const advance = { ...life, item: item(midnight('2026-02-01')), lastBoundaryAt: midnight('2026-01-01') };
    expect(shown(collect(advance, 'MID_CYCLE', midnight('2026-03-01')).charged)).toEqual([
      '2026-02-01 2026-03-01 28/28',
    ]);
    expect(shown(collect(advance, 'MID_CYCLE', '2026-02-28T23:59:59.999Z').charged)).toEqual([]);
  });

  // Realigned to the 15th: the stub from 1 April is left to the event of 15 March, unless that came before.
  //
  //   1 March   10 March  15 March   20 March   1 April   5 April   15 April
  //   |---------[---------|----------!----------*---------!---------|--->
  test('the stub of a realign only once it has begun', () => {
    const versions = realigned(schedule('2026-01-01'), midnight('2026-03-10'), { anchorDate: '2026-01-15' });
    const one = item(midnight('2026-01-01'), { billedThroughAt: midnight('2026-04-01') });
    expect(taken(one, { versions })).toEqual([]);
    const life = newLife(one, versions, { lastBoundaryAt: midnight('2026-03-15') });
    expect(shown(collect(life, 'MID_CYCLE', midnight('2026-04-05')).charged)).toEqual(['2026-04-01 2026-04-15 14/31']);
  });
});

// Ends today at 17:00, by SECOND; bill-now at noon leaves the running period, and the item with it.
test('an item whose end is still hours away is not over', () => {
  const ending = { proration: 'SECOND', price: ARREARS, endAt: '2026-03-20T17:00:00.000Z' } as const;
  const life = newLife(item(midnight('2026-03-10'), ending), monthly, { lastBoundaryAt: midnight('2026-03-01') });
  const asked = collect(life, 'MID_CYCLE', '2026-03-20T12:00:00.000Z');
  expect([asked.finished, asked.charged]).toEqual([false, []]);
  expect(collect(asked, 'MID_CYCLE', '2026-03-20T17:00:00.000Z').finished).toBe(true);
});

test('what was taken is not taken again by the boundary', () => {
  const life = newLife(item(midnight('2026-03-10')), monthly, { lastBoundaryAt: midnight('2026-03-01') });
  const billed = collect(collect(life, 'MID_CYCLE', '2026-03-20T12:00:00.000Z'), 'BOUNDARY', midnight('2026-04-01'));
  expect(shown(billed.charged)).toEqual(['2026-03-10 2026-04-01 22/31', '2026-04-01 2026-05-01 30/30']);
});
