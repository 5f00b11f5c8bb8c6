import type { WorkerOptions } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { refreshSignal } from '../src/workflows/contract.ts';
import { WORKFLOW_CODE } from '../src/workflow-code.ts';
import type { Bed, TemporalHost } from './bed.ts';
import { withBundle } from './bundle.ts';
import { type BenchChild, startChild } from './child.ts';
import { prepareGroups } from './groups.ts';
import { endAll, type Histories, readHistories } from './histories.ts';
import { between, type Meter, openMeter, type Reading } from './meter.ts';
import type { BenchOptions } from './options.ts';
import { residentMb } from './processes.ts';
import { type Finding, inParallel, timed, whole } from './report.ts';
import type { SleeperJob } from './sleepers-process.ts';
import { MADE_AT, watchGroups } from './tenants.ts';

const PROCESS = new URL('sleepers-process.ts', import.meta.url);
/** How many times `--groups` sleep: 2 000 unless asked otherwise. */
const FACTOR = 4;
const SIGNALS_AT_ONCE = 16;
const ASLEEP_WITHIN_MS = 20 * 60_000;

/** Settings of the worker, each beside what the product has. */
const TUNINGS: readonly (readonly [what: string, tuning: Partial<WorkerOptions>])[] = [
  ['as it is', {}],
  ['cache of 100', { maxCachedWorkflows: 100 }],
  ['a context for each workflow', { reuseV8Context: false }],
  ['pollers scale by themselves', { workflowTaskPollerBehavior: { type: 'autoscaling' } }],
];

/** What a thousand and more groups cost that wait for a day to come: memory, start, and being told to look again. */
export async function measureSleepers(bed: Bed, options: BenchOptions): Promise<Finding[]> {
  const groups = options.groups * FACTOR;
  const { ownerUrl: prepared } = await prepareGroups(bed, [{ groups, subscriptions: 1 }]);
  return withBundle(WORKFLOW_CODE, async (codePath) => {
    const ownerUrl = await bed.copy(prepared);
    const host = bed.onSqlite;
    const watch = await watchGroups(ownerUrl);
    const workflowIds = await watch.workflowIds();
    await watch.close();
    const taskQueue = `sleepers-${randomUUID()}`;
    const job: SleeperJob = {
      ...{ ownerUrl, address: host.address, taskQueue, codePath, tuning: {} },
      shiftMs: MADE_AT - Date.now(),
    };
    try {
      const first = await fallAsleep(host, job, workflowIds);
      const tunings: Tuned[] = [];
      for (const [what, tuning] of TUNINGS) tunings.push(await tryTuning(host, { ...job, tuning }, workflowIds, what));
      return [first, memoryOf(tunings, groups), wakingOf(tunings, groups)];
    } finally {
      await endAll(host.client, workflowIds);
    }
  });
}

/** The first worker of all begins the workflows. */
async function fallAsleep(host: TemporalHost, job: SleeperJob, workflowIds: readonly string[]): Promise<Finding> {
  const { answer: worker, ms: startMs } = await timed(() => startChild(PROCESS, job));
  const meter = await openMeter({ worker, temporal: host, ownerUrl: job.ownerUrl });
  try {
    const { answer: histories, ms } = await timed(() => untilAllWait(host, meter, workflowIds));
    const count = workflowIds.length;
    const { statements } = await meter.read();
    return {
      title: `${whole(count)} groups begin and fall asleep until a day to come`,
      columns: ['groups', 'start s', 'asleep after s', 'a second', 'events each', 'statements each'],
      rows: [
        [
          ...[whole(count), seconds(startMs), seconds(ms), whole(count / (ms / 1000))],
          ...[(histories.events / count).toFixed(1), (statements / count).toFixed(1)],
        ],
      ],
    };
  } finally {
    await meter.close();
    await worker.stop();
  }
}

async function untilAllWait(host: TemporalHost, meter: Meter, workflowIds: readonly string[]): Promise<Histories> {
  const deadline = Date.now() + ASLEEP_WITHIN_MS;
  for (;;) {
    await meter.quiet();
    const histories = await readHistories(host.client, workflowIds);
    if (histories.waiting === workflowIds.length) return histories;
    if (Date.now() > deadline) throw new Error(`Only ${histories.waiting} of ${workflowIds.length} fell asleep.`);
    await delay(500);
  }
}

/** What all of them being told to look again cost, and left behind. */
interface Waking {
  readonly used: Reading;
  readonly events: number;
  readonly ms: number;
}

interface Tuned {
  readonly what: string;
  readonly startMs: number;
  /** Statements from the start until nothing more was to be done: what a restart costs. */
  readonly restStatements: number;
  readonly emptyMb: number;
  readonly fullMb: number;
  readonly heapMb: number;
  /** The worker does not know them yet: each history is read and replayed. */
  readonly unknown: Waking;
  readonly cached: Waking;
}

async function tryTuning(
  host: TemporalHost,
  job: SleeperJob,
  workflowIds: readonly string[],
  what: string,
): Promise<Tuned> {
  const { answer: worker, ms: startMs } = await timed(() => startChild(PROCESS, job));
  const meter = await openMeter({ worker, temporal: host, ownerUrl: job.ownerUrl });
  try {
    await meter.quiet();
    const { statements: restStatements } = await meter.read();
    const emptyMb = residentMb(worker.pid);
    const unknown = await wakeAll(host, meter, workflowIds);
    const { fullMb, heapMb } = await memoryNow(worker);
    const cached = await wakeAll(host, meter, workflowIds);
    return { what, startMs, restStatements, emptyMb, fullMb, heapMb, unknown, cached };
  } finally {
    await meter.close();
    await worker.stop();
  }
}

const memoryNow = async (worker: BenchChild) => ({
  fullMb: residentMb(worker.pid),
  heapMb: (await worker.counts())['heapMb'] ?? 0,
});

/** @throws when any did not look. */
async function wakeAll(host: TemporalHost, meter: Meter, workflowIds: readonly string[]): Promise<Waking> {
  const { client } = host;
  const histories = await readHistories(client, workflowIds);
  const before = await meter.read();
  const { answer: after, ms } = await timed(async () => {
    await inParallel(workflowIds, SIGNALS_AT_ONCE, (id) => client.workflow.getHandle(id).signal(refreshSignal));
    return untilAllWait(host, meter, workflowIds);
  });
  const used = between(before, await meter.read());
  const events = after.events - histories.events;
  if (events < 4 * workflowIds.length) throw new Error(`Told to look again, they wrote ${events} events only.`);
  return { used, events, ms };
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

const memoryOf = (tunings: readonly Tuned[], groups: number): Finding => ({
  title: `A worker that knows ${whole(groups)} sleeping groups`,
  columns: ['worker', 'start s', 'statements', 'MB at first', 'MB knowing all', 'KB a group', 'heap MB'],
  rows: tunings.map(({ what, startMs, restStatements, emptyMb, fullMb, heapMb }) => [
    ...[what, seconds(startMs), whole(restStatements), whole(emptyMb), whole(fullMb)],
    ...[(((fullMb - emptyMb) * 1024) / groups).toFixed(1), whole(heapMb)],
  ]),
});

const wakingOf = (tunings: readonly Tuned[], groups: number): Finding => ({
  title: `Told to look again, for each of ${whole(groups)} groups`,
  columns: ['worker', 'a second', 'worker ms', 'Temporal ms', 'PostgreSQL ms', 'statements', 'events'],
  rows: tunings.flatMap(({ what, unknown, cached }) =>
    (
      [
        ['unknown', unknown],
        ['cached', cached],
      ] as const
    ).map(([state, { used, events, ms }]) => [
      `${what}, ${state}`,
      whole(groups / (ms / 1000)),
      ...[used.worker, used.temporal, used.postgres, used.statements, events].map((all) => (all / groups).toFixed(1)),
    ]),
  ),
});
