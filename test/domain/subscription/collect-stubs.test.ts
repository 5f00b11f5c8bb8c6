import { describe, expect, test } from 'vitest';
import { localMidnight } from '../../../src/domain/calendar.ts';
import type { BillableItem } from '../../../src/domain/subscription/collect-item.ts';
import { payableFrom } from '../../../src/domain/subscription/status.ts';
import { usedShare } from '../../../src/domain/subscription/own-periods.ts';
import { schedule } from '../billing-group/schedules.ts';
import { item, shown } from './items.ts';
import { collect, collectOn, type Life, newLife, runUntil, story, timezoneOf } from './life.ts';

const monthly = [schedule('2026-01-01')];
const ARREARS = { price: { billing: 'ARREARS' } } as const;

/** What the event of one boundary charges for an item that was never billed. */
const charged = (one: BillableItem, date: string, versions = monthly): Life => {
  const life = newLife(one, versions);
  return collect(life, 'BOUNDARY', localMidnight(date, timezoneOf(life)));
};

describe('alignment: a stub to the group’s date, then its periods (RP1)', () => {
  //   1 March        10 March                 1 April                  1 May
  //   |--------------*------------------------|------------------------|--->
  //                  [ stub: 22 of 31 days    [ April: 30 of 30 days   [
  // prettier-ignore
  test.each([
    { what: 'starts mid-month',                          start: '2026-03-10T15:00:00.000Z', on: '2026-04-01', is: ['2026-03-10 2026-04-01 22/31', '2026-04-01 2026-05-01 30/30'] },
    { what: 'starts on the boundary day',                start: '2026-04-01T00:00:00.000Z', on: '2026-04-01', is: ['2026-04-01 2026-05-01 30/30'] },
    { what: 'starts at any hour of the boundary day',    start: '2026-04-01T23:59:59.999Z', on: '2026-04-01', is: ['2026-04-01 2026-05-01 30/30'] },
    { what: 'starts on the last day before it',          start: '2026-03-31T23:59:59.999Z', on: '2026-04-01', is: ['2026-03-31 2026-04-01 1/31', '2026-04-01 2026-05-01 30/30'] },
    { what: 'starts the day after, and waits (RT5)',     start: '2026-04-02T00:00:00.000Z', on: '2026-04-01', is: [] },
    { what: 'started long ago: a line for each (RP10)',  start: '2026-01-20T08:00:00.000Z', on: '2026-04-01', is: ['2026-01-20 2026-02-01 12/31', '2026-02-01 2026-03-01 28/28', '2026-03-01 2026-04-01 31/31', '2026-04-01 2026-05-01 30/30'] },
  ])('in advance, one that $what', ({ start, on, is }) => {
    expect(shown(charged(item(start), on).charged)).toEqual(is);
  });

  // prettier-ignore
  test.each([
    { what: 'starts mid-month',                          start: '2026-03-10T15:00:00.000Z', on: '2026-04-01', is: ['2026-03-10 2026-04-01 22/31'] },
    { what: 'starts on the boundary day',                start: '2026-04-01T15:00:00.000Z', on: '2026-04-01', is: [] },
    { what: 'started on the boundary before',            start: '2026-03-01T15:00:00.000Z', on: '2026-04-01', is: ['2026-03-01 2026-04-01 31/31'] },
    { what: 'started long ago: a line for each (RP10)',  start: '2026-01-20T08:00:00.000Z', on: '2026-04-01', is: ['2026-01-20 2026-02-01 12/31', '2026-02-01 2026-03-01 28/28', '2026-03-01 2026-04-01 31/31'] },
  ])('in arrears, one that $what', ({ start, on, is }) => {
    expect(shown(charged(item(start, ARREARS), on).charged)).toEqual(is);
  });

  // Anchor 31 January: the period that holds 10 February is 31 January to 28 February, 28 days.
  //
  //   31 January     10 February        28 February               31 March
  //   |--------------*------------------|-------------------------|--->
  //                  [ 18 of 28 days    [ 31 of 31 days           [
  test('a stub is measured on the whole period that it is a part of', () => {
    const life = runUntil(
      newLife(item('2026-02-10T09:00:00.000Z'), [schedule('2026-01-31')]),
      '2026-03-31T00:00:00.000Z',
    );
    expect(story(life)).toEqual([
      'at 2026-02-28: 2026-02-10 2026-02-28 18/28',
      'at 2026-02-28: 2026-02-28 2026-03-31 31/31',
      'at 2026-03-31: 2026-03-31 2026-04-30 30/30',
    ]);
  });

  // A trial from 1 March to 21 March, 18:00: "starts" means its end (RP7), and the day of a start is used.
  //
  //   1 March                  21 March                 1 April
  //   |........................*------------------------|--->
  //                            [ 11 of 31 days          [
  test('with a trial it begins where the trial ends', () => {
    const startAt = payableFrom({ startAt: '2026-03-01T00:00:00.000Z', trialEndsAt: '2026-03-21T18:00:00.000Z' });
    expect(shown(charged(item(startAt), '2026-04-01').charged)).toEqual([
      '2026-03-21 2026-04-01 11/31',
      '2026-04-01 2026-05-01 30/30',
    ]);
    expect(shown(charged(item(startAt), '2026-03-01').charged)).toEqual([]);
  });

  // 1 April 06:59 in UTC is still 31 March in Los Angeles: one day of March is used.
  test('days are those of the pinned zone', () => {
    const pacific = [schedule('2026-01-01', { timezone: 'America/Los_Angeles' })];
    const life = charged(item('2026-04-01T06:59:59.000Z'), '2026-04-01', pacific);
    expect(story(life)[0]).toBe('at 2026-04-01: 2026-03-31 2026-04-01 1/31');
    expect(life.charged[0]?.period).toEqual({ start: '2026-03-31T07:00:00.000Z', end: '2026-04-01T07:00:00.000Z' });
  });

  // Havana, boundary on the day of the two midnights: 31 days of October end at the first of them.
  test('a boundary with two midnights ends one period and begins the next at the first', () => {
    const havana = [schedule('2026-01-01', { timezone: 'America/Havana' })];
    const life = charged(item('2026-10-01T04:00:00.000Z'), '2026-11-01', havana);
    expect(shown(life.charged, 'America/Havana')).toEqual([
      '2026-10-01 2026-11-01 31/31',
      '2026-11-01 2026-12-01 30/30',
    ]);
    expect(life.charged.map(({ period }) => period.end)).toEqual([
      '2026-11-01T04:00:00.000Z',
      '2026-12-01T05:00:00.000Z',
    ]);
  });
});

describe('by SECOND instants count as they are (RP2)', () => {
  const bySecond = { proration: 'SECOND' } as const;
  const seconds = (life: Life) =>
    life.charged.map(({ period, whole }) => {
      const { used, whole: all } = usedShare(period, whole, 'SECOND', 'UTC');
      return `${used.toFixed()}/${all.toFixed()}`;
    });

  // prettier-ignore
  test.each([
    { what: 'mid-month at noon',          start: '2026-03-10T12:00:00.000Z', is: ['1857600/2678400', '2592000/2592000'] },
    { what: 'on a boundary day at noon',  start: '2026-04-01T12:00:00.000Z', is: ['2548800/2592000'] },
    { what: 'at a boundary',              start: '2026-04-01T00:00:00.000Z', is: ['2592000/2592000'] },
    { what: 'a second before a boundary', start: '2026-03-31T23:59:59.000Z', is: ['1/2678400', '2592000/2592000'] },
  ])('$what', ({ start, is }) => {
    expect(seconds(charged(item(start, bySecond), '2026-04-01'))).toEqual(is);
  });
});

describe('an end that is known cuts the period (RP9)', () => {
  //   1 March                  1 April       20 April 17:00
  //   |------------------------|-------------x----------------|--->
  //                            [ 19 of 30    ]
  // prettier-ignore
  test.each([
    { what: 'mid-period: its day is not used',   end: '2026-04-20T17:00:00.000Z', is: ['2026-03-10 2026-04-01 22/31', '2026-04-01 2026-04-20 19/30'] },
    { what: 'at the boundary',                   end: '2026-04-01T00:00:00.000Z', is: ['2026-03-10 2026-04-01 22/31'] },
    { what: 'in the stub',                       end: '2026-03-20T01:00:00.000Z', is: ['2026-03-10 2026-03-20 10/31'] },
    { what: 'on the day after the start',        end: '2026-03-11T01:00:00.000Z', is: ['2026-03-10 2026-03-11 1/31'] },
    { what: 'on the day of the start',           end: '2026-03-10T18:00:00.000Z', is: [] },
    { what: 'before the start: it never starts', end: '2026-03-09T18:00:00.000Z', is: [] },
    { what: 'beyond the period',                 end: '2026-05-20T00:00:00.000Z', is: ['2026-03-10 2026-04-01 22/31', '2026-04-01 2026-05-01 30/30'] },
  ])('in advance, $what', ({ end, is }) => {
    expect(shown(charged(item('2026-03-10T15:00:00.000Z', { endAt: end }), '2026-04-01').charged)).toEqual(is);
  });

  // prettier-ignore
  test.each([
    { what: 'mid-period',               end: '2026-03-20T17:00:00.000Z', on: '2026-04-01', is: ['2026-03-10 2026-03-20 10/31'] },
    { what: 'after the event: waits',   end: '2026-04-20T17:00:00.000Z', on: '2026-04-01', is: ['2026-03-10 2026-04-01 22/31'] },
    { what: 'and is billed at the next', end: '2026-04-20T17:00:00.000Z', on: '2026-05-01', is: ['2026-03-10 2026-04-01 22/31', '2026-04-01 2026-04-20 19/30'] },
  ])('in arrears, $what', ({ end, on, is }) => {
    expect(shown(charged(item('2026-03-10T15:00:00.000Z', { ...ARREARS, endAt: end }), on).charged)).toEqual(is);
  });

  // By DAY the day of the end is not used; by SECOND it is, up to the hour.
  test('by SECOND it cuts at the instant', () => {
    const one = item('2026-04-01T00:00:00.000Z', { proration: 'SECOND', endAt: '2026-04-20T17:00:00.000Z' });
    expect(charged(one, '2026-04-01').charged[0]?.period.end).toBe('2026-04-20T17:00:00.000Z');
  });

  // prettier-ignore
  test.each([
    { what: 'is over at the event',          end: '2026-03-20T00:00:00.000Z', finished: true,  through: '2026-03-20T00:00:00.000Z' },
    { what: 'ends on the day of the event',  end: '2026-04-01T17:00:00.000Z', finished: true,  through: '2026-04-01T00:00:00.000Z' },
    { what: 'ends the day after the event',  end: '2026-04-02T00:00:00.000Z', finished: false, through: '2026-04-02T00:00:00.000Z' },
    { what: 'never started',                 end: '2026-03-09T00:00:00.000Z', finished: true,  through: '2026-03-10T00:00:00.000Z' },
    { what: 'goes on',                       end: null,                       finished: false, through: '2026-05-01T00:00:00.000Z' },
  ])('one that $what: finished is $finished', ({ end, finished, through }) => {
    const life = charged(item('2026-03-10T15:00:00.000Z', { endAt: end }), '2026-04-01');
    expect([life.finished, life.item.billedThroughAt]).toEqual([finished, through]);
  });
});

describe('a SETUP price is charged once, when its item begins (RP11)', () => {
  const setup = (changes: Partial<BillableItem> = {}) =>
    item('2026-03-10T15:00:00.000Z', { price: { type: 'SETUP' }, ...changes });

  // prettier-ignore
  test.each([
    { what: 'at the event after its start',        one: setup(),                                         on: '2026-04-01', due: true,  finished: true  },
    { what: 'not before its start',                one: setup(),                                         on: '2026-03-01', due: false, finished: false },
    { what: 'on the day of its start',             one: setup({ startAt: '2026-04-01T20:00:00.000Z' }),  on: '2026-04-01', due: true,  finished: true  },
    { what: 'not twice',                           one: setup({ billedThroughAt: '2026-03-10T00:00:00.000Z' }), on: '2026-04-01', due: false, finished: true },
    { what: 'also when the subscription ended',    one: setup({ endAt: '2026-03-12T00:00:00.000Z' }),    on: '2026-04-01', due: true,  finished: true  },
    { what: 'not when it never started',           one: setup({ endAt: '2026-03-10T15:00:00.000Z' }),    on: '2026-04-01', due: false, finished: true  },
  ])('$what', ({ one, on, due, finished }) => {
    const found = collectOn(newLife(one, monthly), on);
    expect([found.setup !== null, found.finished, found.charges]).toEqual([due, finished, []]);
    expect(found.billedThroughAt).toBe(due ? `${one.startAt.slice(0, 10)}T00:00:00.000Z` : one.billedThroughAt);
  });
});
