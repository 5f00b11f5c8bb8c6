import { describe, expect, test } from 'vitest';
import { ENTITY_SUSPENDED, type GroupState, type NextStep, planNext } from '../../../src/domain/billing-group/plan.ts';
import { continuesAt, group, NOTHING, run, startsOn } from './group-states.ts';

const APRIL = '2026-04-01T00:00:00.000Z';
const MAY = '2026-05-01T00:00:00.000Z';
const plan = (now: string, changes: Partial<GroupState>): NextStep => planNext(group(changes), now);

const openRun = (boundaryAt: string): NextStep => ({ kind: 'OPEN_RUN', boundaryAt });
const go = (runId: string): NextStep => ({ kind: 'RUN', runId });
const sleep = (until: string, reason: 'BOUNDARY' | 'SETTLING' | 'REQUEST' | 'RETRY'): NextStep => ({
  kind: 'SLEEP',
  until,
  reason,
});
const idle = (reason: 'NOTHING_DUE' | 'PAUSED' | 'ENTITY_SUSPENDED'): NextStep => ({ kind: 'IDLE', reason });

describe('boundaries', () => {
  // prettier-ignore
  test.each([
    { what: 'to come',              now: '2026-03-31T23:59:59.999Z', then: sleep(APRIL, 'BOUNDARY') },
    { what: 'at its instant',       now: APRIL,                      then: openRun(APRIL) },
    { what: 'long past',            now: '2026-06-20T00:00:00.000Z', then: openRun(APRIL) },
  ])('$what', ({ now, then }) => {
    expect(plan(now, {})).toEqual(then);
  });

  test('a missed one gets its own run, oldest first, then the next', () => {
    const work = continuesAt(MAY);
    expect(plan('2026-06-20T00:00:00.000Z', { lastBoundaryAt: APRIL, work })).toEqual(openRun(MAY));
  });

  test('one that is skipped is marked when it is due, not before', () => {
    const skipped = [APRIL];
    expect(plan('2026-03-31T00:00:00.000Z', { skipped })).toEqual(sleep(APRIL, 'BOUNDARY'));
    expect(plan(APRIL, { skipped })).toEqual({ kind: 'SKIP', boundaryAt: APRIL });
    expect(plan(APRIL, { skipped: [MAY] })).toEqual(openRun(APRIL));
    expect(plan(APRIL, { skipped, entityStatus: 'SUSPENDED' })).toEqual({ kind: 'SKIP', boundaryAt: APRIL });
  });

  test('with nothing to bill it is idle', () => {
    expect(plan(APRIL, { work: NOTHING })).toEqual(idle('NOTHING_DUE'));
    expect(plan(APRIL, { versions: [] })).toEqual(idle('NOTHING_DUE'));
  });

  test.each(['ACTIVE', 'BLOCKED'] as const)('a group that is %s goes on', (status) => {
    expect(plan(APRIL, { status })).toEqual(openRun(APRIL));
  });

  test('an archived entity still bills what is bound to it (E5)', () => {
    expect(plan(APRIL, { entityStatus: 'ARCHIVED' })).toEqual(openRun(APRIL));
  });

  test('a paused group bills nothing, a closed one is over', () => {
    expect(plan(APRIL, { status: 'PAUSED' })).toEqual(idle('PAUSED'));
    expect(plan(APRIL, { status: 'PAUSED', unfinished: [run('run_1')] })).toEqual(idle('PAUSED'));
    expect(plan(APRIL, { status: 'CLOSED' })).toEqual({ kind: 'CLOSED' });
  });
});

describe('requests go first', () => {
  const request = run('run_2', { kind: 'IMMEDIATE', boundaryAt: null });
  const now = '2026-04-02T00:00:00.000Z';

  // prettier-ignore
  test.each([
    { what: 'before a boundary that is due',            changes: {} },
    { what: 'before an older run of a boundary',        changes: { unfinished: [run('run_1'), request] } },
    { what: 'before a run that is blocked',             changes: { unfinished: [run('run_1', { status: 'BLOCKED', retryAt: MAY }), request] } },
    { what: 'while the group is paused',                changes: { status: 'PAUSED' } },
    { what: 'while the group settles',                  changes: { work: startsOn('2026-02-10'), lastJoinedAt: now } },
    { what: 'when nothing else is to be billed',        changes: { work: NOTHING } },
    { what: 'when its time has just come',              changes: { unfinished: [{ ...request, retryAt: now }] } },
    { what: 'after one whose time has not come',        changes: { unfinished: [{ ...request, runId: 'run_3', retryAt: MAY }, request] } },
    { what: 'again when its retry is due',              changes: { unfinished: [{ ...request, status: 'BLOCKED', retryAt: now }] } },
    { what: 'once its entity is active again, paused or not', changes: { status: 'PAUSED', unfinished: [{ ...request, status: 'WAITING', reason: ENTITY_SUSPENDED }] } },
  ] as { what: string; changes: Partial<GroupState> }[])('$what', ({ changes }) => {
    expect(plan(now, { unfinished: [request], ...changes })).toEqual(go('run_2'));
  });

  const later = (retryAt: string) => run('run_2', { kind: 'IMMEDIATE', boundaryAt: null, retryAt });

  // prettier-ignore
  test.each([
    { what: 'ends a sleep that is longer',      at: '2026-03-20T00:00:00.000Z', changes: {},                    then: sleep('2026-03-20T00:00:00.000Z', 'REQUEST') },
    { what: 'leaves a sleep that is shorter',   at: '2026-04-20T00:00:00.000Z', changes: {},                    then: sleep(APRIL, 'BOUNDARY') },
    { what: 'leaves a sleep that is as long',   at: APRIL,                      changes: {},                    then: sleep(APRIL, 'BOUNDARY') },
    { what: 'gives an idle group a timer',      at: '2026-03-20T00:00:00.000Z', changes: { work: NOTHING },     then: sleep('2026-03-20T00:00:00.000Z', 'REQUEST') },
    { what: 'gives a paused group a timer',     at: '2026-03-20T00:00:00.000Z', changes: { status: 'PAUSED' },  then: sleep('2026-03-20T00:00:00.000Z', 'REQUEST') },
    { what: 'does not wake a closed group',     at: '2026-03-20T00:00:00.000Z', changes: { status: 'CLOSED' },  then: { kind: 'CLOSED' } },
  ] as { what: string; at: string; changes: Partial<GroupState>; then: NextStep }[])('one for later $what', ({ at, changes, then }) => {
    expect(plan('2026-03-11T00:00:00.000Z', { unfinished: [later(at)], ...changes })).toEqual(then);
  });

  test('the first of several for later counts', () => {
    const unfinished = ['2026-03-25', '2026-03-20', '2026-03-22'].map((date) => later(`${date}T00:00:00.000Z`));
    expect(plan('2026-03-11T00:00:00.000Z', { unfinished })).toEqual(sleep('2026-03-20T00:00:00.000Z', 'REQUEST'));
  });

  test('one for later does not hold a boundary that is due', () => {
    expect(plan(now, { unfinished: [later(MAY)] })).toEqual(openRun(APRIL));
  });

  test.each(['2026-03-01T00:00:00.000Z', now])('one that waits for its entity keeps nobody awake (%s)', (retryAt) => {
    const waiting = { ...request, status: 'WAITING', reason: ENTITY_SUSPENDED, retryAt } as const;
    const changes = { unfinished: [waiting], work: NOTHING, entityStatus: 'SUSPENDED' } as const;
    expect(plan(now, changes)).toEqual(idle('ENTITY_SUSPENDED'));
  });
});

describe('what is unfinished comes before the next boundary, oldest first', () => {
  const now = '2026-05-20T00:00:00.000Z';
  const blocked = (retryAt: string | null) => run('run_1', { status: 'BLOCKED', reason: 'broken price', retryAt });
  const waiting = run('run_1', { status: 'WAITING', reason: ENTITY_SUSPENDED });

  // prettier-ignore
  test.each([
    { what: 'an open run goes on',                   unfinished: [run('run_1'), run('run_2')],                        then: go('run_1') },
    { what: 'a blocked one waits for its retry',     unfinished: [blocked('2026-05-20T00:15:00.000Z'), run('run_2')], then: sleep('2026-05-20T00:15:00.000Z', 'RETRY') },
    { what: 'a blocked one retries at its instant',  unfinished: [blocked(now), run('run_2')],                        then: go('run_1') },
    { what: 'a blocked one retries at once on resume', unfinished: [blocked(null)],                                   then: go('run_1') },
    { what: 'one before a blocked one goes on',      unfinished: [run('run_0'), blocked(MAY)],                        then: go('run_0') },
    { what: 'catching up begins with the oldest',    unfinished: [waiting, { ...waiting, runId: 'run_2', boundaryAt: MAY }], then: go('run_1') },
    { what: 'a draft under review stands in nobody’s way', unfinished: [run('run_1', { status: 'WAITING', reason: 'REVIEW' })], then: openRun(MAY) },
  ])('$what', ({ unfinished, then }) => {
    expect(plan(now, { unfinished, lastBoundaryAt: APRIL, work: continuesAt(MAY) })).toEqual(then);
  });
});

describe('a suspended entity (E5)', () => {
  const entityStatus = 'SUSPENDED' as const;
  const work = continuesAt(APRIL);
  const lastBoundaryAt = '2026-03-01T00:00:00.000Z';
  const waits = (runId: string, boundaryAt: string) =>
    run(runId, { status: 'WAITING', reason: ENTITY_SUSPENDED, boundaryAt });

  // prettier-ignore
  test.each([
    { what: 'a boundary that is due waits',         now: APRIL,                      unfinished: [],                    then: { kind: 'WAIT_FOR_ENTITY', boundaryAt: APRIL } },
    { what: 'the next is slept for',                now: '2026-04-20T00:00:00.000Z', unfinished: [waits('r1', APRIL)],  then: sleep(MAY, 'BOUNDARY') },
    { what: 'the next waits behind it',             now: MAY,                        unfinished: [waits('r1', APRIL)],  then: { kind: 'WAIT_FOR_ENTITY', boundaryAt: MAY } },
  ] as const)('$what', ({ now, unfinished, then }) => {
    expect(plan(now, { entityStatus, work, lastBoundaryAt, unfinished })).toEqual(then);
  });

  test('with nothing more to come the group says what it waits for', () => {
    const state = { entityStatus, lastBoundaryAt, work: NOTHING, unfinished: [waits('r1', APRIL)] };
    expect(plan(MAY, state)).toEqual(idle('ENTITY_SUSPENDED'));
  });
});

describe('settling: a first event that was past when members joined (RP1)', () => {
  // Made on 10 March at 09:00 for a member as of 10 February: the first event is that of 1 March.
  //
  //   10 February   1 March        10 March 09:00   09:15      11 March 09:00
  //   *-------------|--------------[----------------|----------]--->
  //                 the event      made             due        due at the latest
  const MARCH = '2026-03-01T00:00:00.000Z';
  const past = { work: startsOn('2026-02-10') };

  // prettier-ignore
  test.each([
    { what: 'waits for the last member',        now: '2026-03-10T09:14:59.999Z', changes: {},                                            then: sleep('2026-03-10T09:15:00.000Z', 'SETTLING') },
    { what: 'runs when it has settled',         now: '2026-03-10T09:15:00.000Z', changes: {},                                            then: openRun(MARCH) },
    { what: 'counts from who joined last',      now: '2026-03-10T09:15:00.000Z', changes: { lastJoinedAt: '2026-03-10T09:10:00.000Z' },  then: sleep('2026-03-10T09:25:00.000Z', 'SETTLING') },
    { what: 'runs at once with 0 minutes',      now: '2026-03-10T09:00:00.000Z', changes: { settleMinutes: 0 },                          then: openRun(MARCH) },
    { what: 'waits a day at most',              now: '2026-03-11T08:59:59.999Z', changes: { lastJoinedAt: '2026-03-11T08:50:00.000Z' },  then: sleep('2026-03-11T09:00:00.000Z', 'SETTLING') },
    { what: 'has waited a day',                 now: '2026-03-11T09:00:00.000Z', changes: { lastJoinedAt: '2026-03-11T08:50:00.000Z' },  then: openRun(MARCH) },
    { what: 'settles once only',                now: '2026-03-10T09:01:00.000Z', changes: { lastBoundaryAt: '2026-02-01T00:00:00.000Z' }, then: openRun(MARCH) },
    { what: 'has nobody to wait for',           now: '2026-03-10T09:01:00.000Z', changes: { lastJoinedAt: null },                        then: openRun(MARCH) },
    { what: 'was not past when they joined',    now: MARCH,                      changes: { lastJoinedAt: '2026-02-28T23:59:59.999Z' },  then: openRun(MARCH) },
    { what: 'was reached as they joined',       now: MARCH,                      changes: { createdAt: MARCH, lastJoinedAt: MARCH },     then: sleep('2026-03-01T00:15:00.000Z', 'SETTLING') },
    { what: 'is never due before its boundary', now: '2026-03-10T09:15:00.000Z', changes: { createdAt: '2026-01-01T00:00:00.000Z' },     then: openRun(MARCH) },
  ] as { what: string; now: string; changes: Partial<GroupState>; then: NextStep }[])('$what', ({ now, changes, then }) => {
    expect(plan(now, { ...past, ...changes })).toEqual(then);
  });

  test('on a test clock it is due at the next advance, to the same instant too', () => {
    const now = '2026-03-10T09:00:00.000Z';
    expect(plan(now, { ...past, testClock: { isAdvancing: false } })).toEqual(sleep(MARCH, 'SETTLING'));
    expect(plan(now, { ...past, testClock: { isAdvancing: true } })).toEqual(openRun(MARCH));
  });

  test('on a test clock later events are due at their boundary', () => {
    const state = { testClock: { isAdvancing: false }, lastBoundaryAt: MARCH, work: continuesAt(APRIL) };
    expect(plan('2026-03-31T00:00:00.000Z', state)).toEqual(sleep(APRIL, 'BOUNDARY'));
    expect(plan(APRIL, state)).toEqual(openRun(APRIL));
  });
});
