import { describe, expect, test } from 'vitest';
import { ENTITY_SUSPENDED, type GroupState, nextBoundary } from '../../../src/domain/billing-group/plan.ts';
import { continuesAt, group, NOTHING, run, startsOn } from './group-states.ts';
import { cadence, realigned, schedule } from './schedules.ts';

const midnight = (date: string) => `${date}T00:00:00.000Z`;
const next = (changes: Partial<GroupState>) => nextBoundary(group(changes))?.localDate ?? null;

describe('the first event of a group (RP1)', () => {
  // Monthly on the 1st; made on 10 March.
  //
  //   1 Jan      1 Feb      1 March    |10 March   1 April    1 May
  //   |----------|----------|----------*-----------|----------|--->
  // prettier-ignore
  test.each([
    { what: 'starts that day',               work: startsOn('2026-03-10'),   on: '2026-04-01' },
    { what: 'starts on a boundary day',      work: startsOn('2026-04-01'),   on: '2026-04-01' },
    { what: 'starts the day after it',       work: startsOn('2026-04-02'),   on: '2026-05-01' },
    { what: 'started long ago',              work: startsOn('2026-01-15'),   on: '2026-02-01' },
    { what: 'goes on from another group',    work: continuesAt(midnight('2026-03-20')), on: '2026-04-01' },
    { what: 'is billed through far ahead',   work: continuesAt(midnight('2026-06-10')), on: '2026-06-01' },
    { what: 'goes on from the past',         work: continuesAt(midnight('2026-02-10')), on: '2026-04-01' },
    { what: 'is not there',                  work: NOTHING,                  on: null },
    { what: 'comes first of two',            work: { firstStartOn: '2026-05-20', firstContinuesAt: midnight('2026-04-20') }, on: '2026-04-01' },
    { what: 'comes second of two',           work: { firstStartOn: '2026-04-20', firstContinuesAt: midnight('2026-06-20') }, on: '2026-05-01' },
  ])('is on $on when its member $what', ({ work, on }) => {
    expect(next({ work })).toBe(on);
  });

  test('a group made on a boundary day has that boundary for what goes on', () => {
    const made = { createdAt: '2026-04-01T15:00:00.000Z', work: continuesAt('2026-04-01T00:00:00.000Z') };
    expect(next(made)).toBe('2026-04-01');
  });

  test('without an anchor there is none', () => {
    expect(next({ versions: [] })).toBeNull();
  });

  // The day of a group is that of its zone: 31 March 23:30 in Los Angeles is 1 April in UTC.
  test('is counted in the zone of the group', () => {
    const timezone = 'America/Los_Angeles';
    const made = { timezone, versions: [schedule('2026-03-31', { timezone })], createdAt: '2026-04-01T06:30:00.000Z' };
    expect(next({ ...made, work: continuesAt('2026-03-31T07:00:00.000Z') })).toBe('2026-03-31');
  });
});

describe('later events', () => {
  // The last event was that of 1 April.
  //
  //   1 March    1 April    1 May      1 June     1 July
  //   |----------X----------|----------|----------|--->
  // prettier-ignore
  test.each([
    { what: 'what is billed through 1 May is due then',           work: continuesAt(midnight('2026-05-01')), on: '2026-05-01' },
    { what: 'arrears of April are due when it ends',              work: continuesAt(midnight('2026-04-01')), on: '2026-05-01' },
    { what: 'boundaries with nothing to fall due are passed over', work: continuesAt(midnight('2026-07-01')), on: '2026-07-01' },
    { what: 'a stub is due at the event before it (RP13)',        work: continuesAt(midnight('2026-06-15')), on: '2026-06-01' },
    { what: 'one who joins is due at the next',                   work: startsOn('2026-04-10'),              on: '2026-05-01' },
    { what: 'a start in the past waits for the next (RP10)',      work: startsOn('2026-02-10'),              on: '2026-05-01' },
    { what: 'a start on the day that ran waits for the next',     work: startsOn('2026-04-01'),              on: '2026-05-01' },
    { what: 'a start far ahead is due then',                      work: startsOn('2026-06-15'),              on: '2026-07-01' },
    { what: 'nothing is due without work',                        work: NOTHING,                             on: null },
  ])('$what: $on', ({ work, on }) => {
    expect(next({ lastBoundaryAt: midnight('2026-04-01'), work })).toBe(on);
  });

  // A yearly item was billed on 1 January; February and March had nothing to bill and were passed over.
  //
  //   1 Jan      1 Feb      1 March    1 April
  //   X----------|----*-----|----------|--->
  //               10 February: somebody joins, as of then
  test('a boundary that was passed over still takes who started before it', () => {
    expect(next({ lastBoundaryAt: midnight('2026-01-01'), work: startsOn('2026-02-10') })).toBe('2026-03-01');
  });

  // The entity is suspended: April and May wait, June is next whatever else is still to be billed.
  test('what waits for its entity is not asked for twice', () => {
    const waiting = ['2026-04-01', '2026-05-01'].map((date) =>
      run(date, { status: 'WAITING', reason: ENTITY_SUSPENDED, boundaryAt: midnight(date) }),
    );
    const state = { lastBoundaryAt: midnight('2026-03-01'), unfinished: waiting };
    expect(next({ ...state, work: continuesAt(midnight('2026-04-01')) })).toBe('2026-06-01');
    expect(next({ ...state, work: startsOn('2026-03-20') })).toBe('2026-06-01');
  });

  test('a request that waits for its entity takes no boundary', () => {
    const request = run('run_1', { kind: 'BILL_NOW', status: 'WAITING', reason: ENTITY_SUSPENDED, boundaryAt: null });
    const state = { lastBoundaryAt: midnight('2026-04-01'), unfinished: [request] };
    expect(next({ ...state, work: continuesAt(midnight('2026-05-01')) })).toBe('2026-05-01');
  });

  test('a run that waits for something else is behind the group already', () => {
    const review = run('run_1', { status: 'WAITING', reason: 'REVIEW', boundaryAt: midnight('2026-05-01') });
    const state = { lastBoundaryAt: midnight('2026-04-01'), unfinished: [review] };
    expect(next({ ...state, work: continuesAt(midnight('2026-05-01')) })).toBe('2026-05-01');
  });
});

describe('after a realign (RP13)', () => {
  // Monthly on the 1st, from 10 March on the 15th; billed in advance through 1 April.
  //
  //   1 March     10 March  15 March             1 April     15 April
  //   X-----------[---------|--------------------*-----------|--->
  //                         ^ the event at or before the stub's start
  const versions = realigned(schedule('2026-01-01'), '2026-03-10T00:00:00.000Z', { anchorDate: '2026-01-15' });

  // prettier-ignore
  test.each([
    { last: '2026-03-01', work: continuesAt(midnight('2026-04-01')), on: '2026-03-15' },
    { last: '2026-03-15', work: continuesAt(midnight('2026-04-01')), on: '2026-04-15' },
    { last: '2026-03-15', work: continuesAt(midnight('2026-04-15')), on: '2026-04-15' },
    { last: '2026-03-01', work: continuesAt(midnight('2026-03-01')), on: '2026-03-15' },
    { last: '2026-02-01', work: continuesAt(midnight('2026-03-01')), on: '2026-03-01' },
    { last: '2026-03-01', work: startsOn('2026-03-05'),              on: '2026-03-15' },
  ])('after $last with $work: $on', ({ last, work, on }) => {
    expect(next({ versions, lastBoundaryAt: midnight(last), work })).toBe(on);
  });

  // From daily to yearly: the last boundary before the far end is found, however many lie between.
  test('many boundaries may lie between', () => {
    const daily = [schedule('2026-01-01', { cadence: cadence('DAY') })];
    const work = continuesAt('2028-01-01T12:00:00.000Z');
    expect(next({ versions: daily, lastBoundaryAt: midnight('2026-01-01'), work })).toBe('2028-01-01');
  });
});
