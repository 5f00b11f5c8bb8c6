import type { Bed, TemporalHost } from './bed.ts';
import { type Cycle, START_MS } from './cycle.ts';
import { measureFloor } from './floor.ts';
import type { FloorKind } from './floor-workflow.ts';
import { billAsleep, billGroups, type Prepared, prepareGroups } from './groups.ts';
import type { BenchOptions, StateStore } from './options.ts';
import { type Finding, middleOf, times, whole } from './report.ts';

const SUBSCRIPTIONS = 3;
/** The workflows begin at least this much faster than the groups of the first measurement were billed. */
const SAFETY = 1.5;

/** How long the workflows get to fall asleep, by how fast as many groups were billed before. */
export const leadOf = ({ groups, leadMs }: BenchOptions, late: Cycle): number =>
  leadMs ?? START_MS + (SAFETY * 1000 * groups) / late.rate;

/** Groups that are all due at the same instant of real time, by one worker, beside what an empty cycle costs. */
export async function measureGroups(bed: Bed, options: BenchOptions): Promise<Finding[]> {
  const prepared = await prepareGroups(bed, [{ groups: options.groups, subscriptions: SUBSCRIPTIONS }]);
  const findings: Finding[] = [];
  for (const store of options.on) {
    findings.push(compare(store, options, await measureRounds({ bed, store, prepared }, options)));
  }
  return findings;
}

/** The columns of the table. */
const KINDS = ['local', 'shown', 'ordinary', 'late', 'asleep'] as const;

/** By round. No aim is counted from `ordinary` and `late`: they are measured once. */
type Measured = Readonly<Record<(typeof KINDS)[number], readonly Cycle[]>>;

/** Each cycle on a server that has done nothing yet: one grows slower with what it holds, by a tenth for two thousand workflows. */
async function measureRounds(
  { bed, store, prepared }: { bed: Bed; store: StateStore; prepared: Prepared },
  options: BenchOptions,
): Promise<Measured> {
  const onServer = (work: (host: TemporalHost) => Promise<Cycle>) => onStore(bed, store, work);
  const floor = (kind: FloorKind) => onServer((host) => measureFloor(host, kind, options.groups));
  const ordinary = await floor('ordinary');
  const late = await onServer((host) => billGroups(bed, host, prepared, { asleep: false }));
  const [local, shown, asleep]: [Cycle[], Cycle[], Cycle[]] = [[], [], []];
  // One after the other in each round: a machine's speed changes by the minute.
  for (let round = 0; round < options.rounds; round++) {
    local.push(await floor('local'));
    shown.push(await floor('shown'));
    asleep.push(await onServer((host) => billAsleep(bed, host, prepared, leadOf(options, late))));
  }
  return { local, shown, ordinary: [ordinary], late: [late], asleep };
}

/** Lends a Temporal server of a kind to some work. */
async function onStore<T>(bed: Bed, store: StateStore, work: (host: TemporalHost) => Promise<T>): Promise<T> {
  const host = await (store === 'sqlite' ? bed.layOnSqlite() : bed.layOnPostgres({ fairness: true }));
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

function compare(store: StateStore, { groups, rounds }: BenchOptions, measured: Measured): Finding {
  const number = (value: number, digits: number) => (digits === 0 ? whole(value) : value.toFixed(digits));
  /** For each column the median of its rounds. */
  const medians = (of: (cycle: Cycle, round: number) => number): number[] =>
    KINDS.map((kind) => middleOf(measured[kind].map(of), (value) => value));
  const ratios = (of: (cycle: Cycle) => number, to: readonly Cycle[]): string[] =>
    medians((cycle, round) => of(cycle) / of(to[round] as Cycle)).map((ratio) => times(ratio, 1));
  return {
    title:
      `${groups} groups of ${SUBSCRIPTIONS} subscriptions due at the same instant, one worker, for each invoice, ` +
      `the median of ${rounds} (as activity and began late: once); Temporal is ${STORE_NAMES[store]}`,
    columns: ['for each', 'empty cycle', 'and shown', 'as activity', 'began late', 'asleep'],
    rows: [
      ...ROWS.map(([what, of, digits]) => [what, ...medians(of).map((value) => number(value, digits))]),
      ...RATIOS.map(([what, of]) => [`${what}, of the empty cycle`, ...ratios(of, measured.local)]),
      ...RATIOS.map(([what, of]) => [`${what}, of a shown one`, ...ratios(of, measured.shown)]),
      ['of the machine, others', ...medians((cycle) => cycle.disturbance).map((part) => `${Math.round(part * 100)} %`)],
    ],
  };
}
