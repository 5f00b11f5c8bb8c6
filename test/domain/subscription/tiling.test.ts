import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cadence } from '../../../src/domain/billing-group/cadence.ts';
import { boundaryAfter, type ScheduleVersion } from '../../../src/domain/billing-group/schedule.ts';
import {
  BEGINNING,
  daysBetween,
  type Instant,
  later,
  localDate,
  plusDays,
  plusElapsed,
} from '../../../src/domain/calendar.ts';
import { billableSpan } from '../../../src/domain/subscription/collect-item.ts';
import { usedShare } from '../../../src/domain/subscription/own-periods.ts';
import { sum } from '../../../src/domain/money.ts';
import { cadence, schedule, TIMEZONES } from '../billing-group/schedules.ts';
import { item } from './items.ts';
import { collect, type Life, newLife, planned, runUntil, timezoneOf } from './life.ts';

const JAN_1 = '2026-01-01';

const cadences: readonly Cadence[] = [
  cadence('MONTH'),
  cadence('MONTH', 2),
  cadence('QUARTER'),
  cadence('YEAR'),
  cadence('WEEK'),
  cadence('DAY', 10),
];

const anchors = fc.oneof(
  fc.constantFrom('2026-01-28', '2026-01-29', '2026-01-30', '2026-01-31', '2024-02-29', '2027-12-31'),
  fc.nat(800).map((days) => plusDays('2025-06-01', days)),
);

/** An instant some days and odd minutes after New Year 2026 in UTC. */
const instants = (days: number) =>
  fc
    .tuple(fc.nat(days), fc.nat(1439))
    .map(([day, minutes]) => plusElapsed(`${plusDays(JAN_1, day)}T00:00:00.000Z`, { minutes }));

const lives = fc
  .record({
    timezone: fc.constantFrom(...TIMEZONES),
    anchorDate: anchors,
    groupCadence: fc.constantFrom(...cadences.filter(({ interval }) => interval !== 'YEAR')),
    itemCadence: fc.option(fc.constantFrom(...cadences)),
    billing: fc.constantFrom('ADVANCE' as const, 'ARREARS' as const),
    proration: fc.constantFrom('DAY' as const, 'SECOND' as const),
    startAt: instants(200),
  })
  .map(({ timezone, anchorDate, groupCadence, itemCadence, billing, proration, startAt }) =>
    newLife(item(startAt, { price: { billing, cadence: itemCadence }, proration }), [
      schedule(anchorDate, { timezone, cadence: groupCadence }),
    ]),
  );

interface Step {
  readonly kind: 'RUN' | 'BILL_NOW' | 'SKIP' | 'REALIGN' | 'MOVE' | 'END';
  readonly days: number;
  readonly minutes: number;
  readonly anchorDate: string;
  readonly cadence: Cadence;
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('RUN', 'RUN', 'RUN', 'BILL_NOW', 'SKIP', 'REALIGN', 'MOVE', 'END') as fc.Arbitrary<
      Step['kind']
    >,
    days: fc.nat(70),
    minutes: fc.nat(1439),
    anchorDate: anchors,
    cadence: fc.constantFrom(...cadences.slice(0, 5)),
  }),
  { maxLength: 12 },
);

/** What a step does to a life at `now`. */
function live(life: Life, step: Step, now: Instant): Life {
  switch (step.kind) {
    case 'RUN':
      return runUntil(life, now);
    case 'BILL_NOW':
      return collect(life, 'MID_CYCLE', now);
    case 'SKIP': {
      const next = planned(life);
      return next === null || next > now ? life : { ...life, lastBoundaryAt: next };
    }
    case 'REALIGN':
      return realign(life, now, step);
    case 'MOVE': {
      const version = { ...last(life.versions), ...step, validFrom: BEGINNING };
      return { ...life, groupId: `${life.groupId}'`, versions: [version], createdAt: now, lastBoundaryAt: null };
    }
    case 'END':
      return life.item.endAt === null
        ? { ...life, item: { ...life.item, endAt: later(now, life.item.startAt) } }
        : life;
  }
}

const last = (versions: readonly ScheduleVersion[]): ScheduleVersion => versions.at(-1) as ScheduleVersion;

function realign(life: Life, now: Instant, { anchorDate, cadence: every }: Step): Life {
  const present = last(life.versions);
  if (now <= present.validFrom || (life.lastBoundaryAt !== null && now <= life.lastBoundaryAt)) return life;
  const next = { ...present, anchorDate, cadence: every, validFrom: now };
  return { ...life, versions: [...life.versions.slice(0, -1), { ...present, validTo: now }, next] };
}

/** A life through its steps, and then through all that is due in two more years. */
function liveThrough(life: Life, sequence: readonly Step[]): Life {
  let now: Instant = later('2026-01-01T00:00:00.000Z', life.createdAt);
  let lived = life;
  for (const step of sequence) {
    now = plusElapsed(now, { minutes: step.days * 1440 + step.minutes });
    lived = live(lived, step, now);
  }
  return runUntil(lived, plusElapsed(now, { hours: 24 * 800 }));
}

describe('whatever happens to an item', () => {
  test('its charged periods tile the time from its start to where it is billed through', () => {
    fc.assert(
      fc.property(lives, steps, (life, sequence) => {
        const lived = liveThrough(life, sequence);
        const { start, end } = billableSpan(lived.item, timezoneOf(life));
        let cursor = start;
        for (const { period, whole } of lived.charged) {
          expect(period.start).toBe(cursor);
          expect(period.end > period.start).toBe(true);
          expect(whole.start <= period.start && period.end <= whole.end).toBe(true);
          cursor = period.end;
        }
        if (end === null) expect(lived.item.billedThroughAt).toBe(cursor);
        else expect(lived.finished && cursor >= end && lived.item.billedThroughAt === end).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('the days charged are the days between', () => {
    fc.assert(
      fc.property(lives, steps, (life, sequence) => {
        const zone = timezoneOf(life);
        const lived = liveThrough({ ...life, item: { ...life.item, proration: 'DAY' } }, sequence);
        const charged = sum(lived.charged.map(({ period, whole }) => usedShare(period, whole, 'DAY', zone).used));
        const first = localDate(life.item.startAt, zone);
        const through = lived.charged.at(-1)?.period.end;
        expect(charged.toNumber()).toBe(through === undefined ? 0 : daysBetween(first, localDate(through, zone)));
      }),
      { numRuns: 200 },
    );
  });

  test('nothing is left out: at the end every period that is due has been charged', () => {
    fc.assert(
      fc.property(lives, steps, (life, sequence) => {
        const lived = liveThrough(life, sequence);
        if (lived.finished || lived.lastBoundaryAt === null) return;
        const next = boundaryAfter(lived.versions, lived.lastBoundaryAt).boundaryAt;
        expect(collect(lived, 'BOUNDARY', lived.lastBoundaryAt).charged).toEqual(lived.charged);
        const [billing] = lived.item.terms.map(({ price }) => price.billing);
        const through = lived.item.billedThroughAt ?? '';
        if (billing === 'ADVANCE') expect(through > lived.lastBoundaryAt).toBe(true);
        expect(planned(lived) === null || (planned(lived) as string) >= next).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

test('boundaries that are passed over have nothing to bill', () => {
  fc.assert(
    fc.property(lives, instants(400), (life, realignAt) => {
      const until = '2028-06-01T00:00:00.000Z';
      const change = {
        kind: 'REALIGN',
        days: 0,
        minutes: 0,
        anchorDate: '2026-03-15',
        cadence: cadence('MONTH'),
      } as const;
      const realigned = (which: 'PLANNED' | 'ALL') => realign(runUntil(life, realignAt, which), realignAt, change);
      // At the instant of a boundary only a life that passed it over can still be realigned.
      fc.pre(realigned('PLANNED').versions.length === realigned('ALL').versions.length);
      const through = (which: 'PLANNED' | 'ALL') => runUntil(realigned(which), until, which);
      const simply = (which: 'PLANNED' | 'ALL') => runUntil(life, until, which).charged;
      expect(simply('PLANNED')).toEqual(simply('ALL'));
      const periods = (which: 'PLANNED' | 'ALL') => through(which).charged.map(({ period }) => period);
      expect(periods('PLANNED')).toEqual(periods('ALL'));
    }),
    { numRuns: 200 },
  );
});

test('events that come late, or all at once, charge the same periods as events on time', () => {
  fc.assert(
    fc.property(lives, fc.option(instants(500)), (life, endAt) => {
      const { item: whole } = life;
      const bounded = { ...life, item: { ...whole, endAt: endAt === null || endAt <= whole.startAt ? null : endAt } };
      const until = '2027-12-01T00:00:00.000Z';
      const onTime = runUntil(bounded, until, 'ALL');
      const atOnce = collect(bounded, 'BOUNDARY', onTime.lastBoundaryAt as Instant);
      expect(atOnce.charged.map(({ at: _, ...charge }) => charge)).toEqual(
        onTime.charged.map(({ at: _, ...charge }) => charge),
      );
      expect(atOnce.item).toEqual(onTime.item);
      expect(atOnce.finished).toBe(onTime.finished);
    }),
    { numRuns: 200 },
  );
});

test('the shares of the parts of a whole period add up to 1', () => {
  fc.assert(
    fc.property(lives, instants(100), (life, now) => {
      const zone = timezoneOf(life);
      const { proration } = life.item;
      const lived = runUntil(collect(life, 'MID_CYCLE', now), '2028-01-01T00:00:00.000Z');
      const parts = Map.groupBy(lived.charged, ({ whole }) => whole.start);
      for (const [, own] of [...parts].slice(1)) {
        const shares = own.map(({ period, whole }) => usedShare(period, whole, proration, zone));
        expect(sum(shares.map(({ used }) => used)).eq(shares[0]?.whole ?? 0)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});
