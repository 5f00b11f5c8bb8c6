import { randomUUID } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import { join } from 'node:path';
import { registerSearchAttributes } from '../src/relay/register-search-attributes.ts';
import type { TemporalHost } from './bed.ts';
import { withBundle } from './bundle.ts';
import { startChild } from './child.ts';
import { type Cycle, cycleOf, START_MS, untilAsleep, untilDone, withLead } from './cycle.ts';
import type { FloorJob } from './floor-process.ts';
import { type FloorKind, floorWorkflow } from './floor-workflow.ts';
import { endAll, readHistories } from './histories.ts';
import { openMeter } from './meter.ts';
import { inParallel } from './report.ts';

const PROCESS = new URL('floor-process.ts', import.meta.url);
const WITHIN_MS = 10 * 60_000;
const START_WIDTH = 16;
/** Workflows begun in a second; fewer on a busy machine. */
const BEGUN_A_SECOND = 25;

/** What the engine itself costs: many workflows that wake at one instant, call one empty activity and sleep again. */
export async function measureFloor(host: TemporalHost, kind: FloorKind, count: number): Promise<Cycle> {
  await registerSearchAttributes(host.client.connection as Connection, 'default');
  const leadMs = START_MS + (count / BEGUN_A_SECOND) * 1000;
  return withLead(leadMs, (lead) => measureOnce(host, { kind, count, leadMs: lead }));
}

function measureOnce(
  host: TemporalHost,
  { kind, count, leadMs }: { kind: FloorKind; count: number; leadMs: number },
): Promise<Cycle> {
  return withBundle({ workflowsPath: join(import.meta.dirname, 'floor-workflow.ts') }, async (codePath) => {
    const taskQueue = `floor-${randomUUID()}`;
    const job: FloorJob = { address: host.address, taskQueue, codePath };
    const worker = await startChild(PROCESS, job);
    const meter = await openMeter({ worker, temporal: host, ownerUrl: null });
    const workflowIds = Array.from({ length: count }, (_, index) => `${taskQueue}/${index}`);
    try {
      const at = Date.now() + leadMs;
      await inParallel(workflowIds, START_WIDTH, (workflowId) =>
        host.client.workflow.start(floorWorkflow, { workflowId, taskQueue, args: [{ at, kind }] }),
      );
      const asleep = await untilAsleep({ client: host.client, meter, workflowIds, wakesAt: at });
      const before = await meter.read();
      const done = async () => (await worker.counts())['done'] ?? 0;
      await untilDone(done, count, at - Date.now() + WITHIN_MS);
      await meter.quiet();
      const after = await meter.read();
      const { lastAt = at } = await worker.counts();
      const histories = { before: asleep, after: await readHistories(host.client, workflowIds) };
      return cycleOf({ before, after, histories }, count, lastAt - at);
    } finally {
      await endAll(host.client, workflowIds);
      await meter.close();
      await worker.stop();
    }
  });
}
