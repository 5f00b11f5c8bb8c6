import { Client, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { findTemporal } from '../src/runtime/temporal-binary.ts';
import { startTemporal } from '../src/runtime/temporal-server.ts';
import { WORKFLOW_CODE } from '../src/workflow-code.ts';
import type { Bed } from './bed.ts';
import { withBundle } from './bundle.ts';
import { startChild } from './child.ts';
import { untilDone } from './cycle.ts';
import { type Prepared, prepareGroups } from './groups.ts';
import { readHistories } from './histories.ts';
import type { BenchOptions } from './options.ts';
import type { Finding } from './report.ts';
import { BOUNDARY, watchGroups } from './tenants.ts';
import type { WorkerJob } from './worker-process.ts';

const PROCESS = new URL('worker-process.ts', import.meta.url);
/** Until the boundary, for the groups to fall asleep: a start, and so long for each. */
const START_MS = 60_000;
const EACH_MS = 150;
/** The boundary has passed for so long when what was stopped starts again. */
const OUTAGE_MS = 2_000;
const WITHIN_MS = 20 * 60_000;

/** What is away when the boundary comes. */
type Away = 'the worker' | 'Temporal' | 'both';

/** Groups sleep, something stops, their boundary passes, it starts again: how long until all is on time again. */
export async function measureRecovery(bed: Bed, options: BenchOptions): Promise<Finding> {
  const { groups } = options;
  const prepared = await prepareGroups(bed, [{ groups, subscriptions: 1 }]);
  const rows: string[][] = [];
  for (const away of ['the worker', 'Temporal', 'both'] as const)
    rows.push([away, ...(await recover(bed, prepared, away, options))]);
  return {
    title: `${groups} groups sleep, something is away when their boundary comes, and starts again`,
    columns: ['away', 'started s', 'first invoice s', 'half s', 'all s', 'a second', 'statements each'],
    rows,
  };
}

async function recover(bed: Bed, prepared: Prepared, away: Away, { groups, leadMs }: BenchOptions): Promise<string[]> {
  const ownerUrl = await bed.copy(prepared.ownerUrl);
  const [tenantId] = prepared.tenantIds as [string];
  const folder = await mkdtemp(join(tmpdir(), 'tributary-recovery-'));
  const log = pino({ level: 'error' }, pino.destination(2));
  const binary = await findTemporal({ log });
  const startServer = () => startTemporal({ binary, dataDir: folder, namespace: 'default', log });
  return withBundle(WORKFLOW_CODE, async (codePath) => {
    let server = await startServer();
    const wakesAt = Date.now() + (leadMs ?? START_MS + EACH_MS * groups);
    const shiftMs = BOUNDARY.at - wakesAt;
    const job: WorkerJob = { ownerUrl, address: server.address, taskQueue: randomUUID(), shiftMs, codePath };
    const watch = await watchGroups(ownerUrl);
    let worker = await startChild(PROCESS, job);
    const stopServer = async () => server.stop();
    try {
      await untilAsleep(server.address, await watch.workflowIds(), wakesAt);
      if (away !== 'Temporal') await worker.stop();
      if (away !== 'the worker') await server.stop();
      await delay(wakesAt + OUTAGE_MS - Date.now());
      const before = away === 'Temporal' ? ((await worker.counts())['statements'] ?? 0) : 0;
      const startedAt = Date.now();
      if (away !== 'the worker') server = await startServer();
      if (away !== 'Temporal') worker = await startChild(PROCESS, job);
      const startMs = Date.now() - startedAt;
      await untilDone(watch.issued, groups, WITHIN_MS);
      await watch.assertBilled();
      const statements = ((await worker.counts())['statements'] ?? 0) - before;
      const issued = (await watch.issuedAt(tenantId)).map((at) => at - shiftMs - startedAt);
      const at = (share: number) => seconds(issued[Math.ceil(share * groups) - 1] ?? 0);
      const rate = groups / ((issued.at(-1) ?? 1) / 1000);
      return [
        seconds(startMs),
        seconds(issued[0] ?? 0),
        at(0.5),
        at(1),
        rate.toFixed(1),
        (statements / groups).toFixed(1),
      ];
    } finally {
      await watch.close();
      await worker.stop();
      await stopServer();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** @throws when the boundary comes first. */
async function untilAsleep(address: string, workflowIds: readonly string[], wakesAt: number): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    for (;;) {
      const { waiting, events } = await readHistories(new Client({ connection }), workflowIds);
      // Each has begun, looked, and set its timer.
      if (waiting === workflowIds.length && events >= 5 * waiting) return;
      if (Date.now() > wakesAt) throw new Error(`Only ${waiting} slept when it was time: give more with --lead=.`);
      await delay(1_000);
    }
  } finally {
    await connection.close();
  }
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
