import type { Bed, TemporalHost } from './bed.ts';
import type { Cycle } from './cycle.ts';
import { measureFloor } from './floor.ts';
import { billAsleep, billGroups, prepareGroups } from './groups.ts';
import type { BenchOptions, StateStore } from './options.ts';
import { type Finding, times, whole } from './report.ts';

const SUBSCRIPTIONS = 3;
const START_MS = 15_000;
/** The workflows begin at least this much faster than the groups of the first measurement were billed. */
const SAFETY = 1.5;

/** How long the workflows get to fall asleep, by how fast as many groups were billed before. */
export const leadOf = ({ groups, leadMs }: BenchOptions, late: Cycle): number =>
  leadMs ?? START_MS + (SAFETY * 1000 * groups) / late.rate;

/** Groups that are all due at the same instant of real time, by one worker, beside what an empty cycle costs. */
export async function measureGroups(bed: Bed, options: BenchOptions): Promise<Finding[]> {
  const { groups } = options;
  const prepared = await prepareGroups(bed, [{ groups, subscriptions: SUBSCRIPTIONS }]);
  const findings: Finding[] = [];
  for (const store of options.on) {
    const found = await onStore(bed, store, async (host) => {
      const local = await measureFloor(host, 'local', groups);
      const shown = await measureFloor(host, 'shown', groups);
      const ordinary = await measureFloor(host, 'ordinary', groups);
      const late = await billGroups(bed, host, prepared, { asleep: false });
      const asleep = await billAsleep(bed, host, prepared, leadOf(options, late));
      return { local, shown, ordinary, late, asleep };
    });
    findings.push(compare(store, groups, found));
  }
  return findings;
}

/** Lends a Temporal server of a kind to some work. */
export async function onStore<T>(bed: Bed, store: StateStore, work: (host: TemporalHost) => Promise<T>): Promise<T> {
  if (store === 'sqlite') return work(bed.onSqlite);
  const host = await bed.layOnPostgres({ fairness: true });
  try {
    return await work(host);
  } finally {
    await host.stop();
  }
}

const STORE_NAMES: Readonly<Record<StateStore, string>> = {
  sqlite: 'the development server, SQLite in memory',
  postgres: 'the server, on a PostgreSQL of its own',
};

const ROWS: readonly (readonly [what: string, of: (cycle: Cycle) => number, digits: number])[] = [
  ['a second', ({ rate }) => rate, 1],
  ['history events', ({ events }) => events, 1],
  ['history bytes', ({ bytes }) => bytes, 0],
  ['state transitions', ({ transitions }) => transitions, 1],
  ['CPU ms', ({ cpu }) => cpu, 1],
  ['  of the worker', ({ used }) => used.worker, 1],
  ['  of Temporal', ({ used }) => used.temporal, 1],
  ['  of its PostgreSQL', ({ used }) => used.statePostgres, 1],
  ['  of ours', ({ used }) => used.postgres, 1],
  ['SQL statements', ({ used }) => used.statements, 1],
  ['transactions', ({ used }) => used.commits, 1],
  ['WAL bytes, ours', ({ used }) => used.wal, 0],
  ["WAL bytes, Temporal's", ({ used }) => used.stateWal, 0],
];

/** Rows whose ratio to the floor says something: what both have. */
const RATIOS = ROWS.slice(0, 5);

interface Found {
  readonly local: Cycle;
  readonly shown: Cycle;
  readonly ordinary: Cycle;
  readonly late: Cycle;
  readonly asleep: Cycle;
}

function compare(store: StateStore, groups: number, { local, shown, ordinary, late, asleep }: Found): Finding {
  const cycles = [local, shown, ordinary, late, asleep];
  const number = (value: number, digits: number) => (digits === 0 ? whole(value) : value.toFixed(digits));
  return {
    title: `${groups} groups of ${SUBSCRIPTIONS} subscriptions due at the same instant, one worker, for each invoice; Temporal is ${STORE_NAMES[store]}`,
    columns: ['for each', 'empty cycle', 'and shown', 'as activity', 'began late', 'asleep'],
    rows: [
      ...ROWS.map(([what, of, digits]) => [what, ...cycles.map((cycle) => number(of(cycle), digits))]),
      ...RATIOS.map(([what, of]) => [
        `${what}, of the empty cycle`,
        ...cycles.map((cycle) => times(of(cycle), of(local))),
      ]),
      ...RATIOS.map(([what, of]) => [`${what}, of a shown one`, ...cycles.map((cycle) => times(of(cycle), of(shown)))]),
      ['of the machine, others', ...cycles.map(({ disturbance }) => `${Math.round(disturbance * 100)} %`)],
    ],
  };
}
