import { advanceTestClock, readTestClock } from '../src/db/test-clocks.ts';
import { workflowId } from '../src/workflows/contract.ts';
import { makeCrowd } from '../test/activities/crowd.ts';
import type { Bed, Ground } from './bed.ts';
import { type Finding, times, whole } from './report.ts';

const BOUNDARIES = 6;

/** Moves a clock through Temporal and waits until it has arrived. */
export async function advance({ database, tenantId }: Ground, testClockId: string, to: string): Promise<void> {
  await database.inTenant(tenantId, (tx) => advanceTestClock(tx, testClockId, to, 'bench'));
  for (;;) {
    const { status, error } = await database.inTenant(tenantId, (tx) => readTestClock(tx, testClockId));
    if (status === 'READY') return;
    if (status === 'FAILED') throw new Error(`The clock failed: ${error}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What a boundary adds to the history of its group's workflow. */
export async function measureHistory(bed: Bed): Promise<Finding> {
  const ground = await bed.open();
  const { database, tenantId } = ground;
  await ground.startWorker();
  const measured: { events: number; bytes: number }[] = [];
  // Beyond 2 000 items and charges a run is an activity of its own.
  for (const children of [1, 2_001]) {
    const crowd = await makeCrowd(database, tenantId, { children, items: 1 });
    const size = async () => {
      const handle = bed.temporal.workflow.getHandle(workflowId.billingGroup(tenantId, crowd.groupId));
      const { historyLength: events, historySize: bytes = 0 } = await handle.describe();
      return { events, bytes };
    };
    await advance(ground, crowd.testClockId, '2026-01-01T00:00:00.000Z');
    const before = await size();
    await advance(ground, crowd.testClockId, `2026-0${BOUNDARIES + 1}-01T00:00:00.000Z`);
    const after = await size();
    measured.push({
      events: (after.events - before.events) / BOUNDARIES,
      bytes: (after.bytes - before.bytes) / BOUNDARIES,
    });
  }
  await ground.close();
  const [small, large] = measured as [(typeof measured)[0], (typeof measured)[0]];
  const row = (name: string, { events, bytes }: typeof small) => [
    name,
    events.toFixed(1),
    times(events, small.events),
    whole(bytes),
    times(bytes, small.bytes),
  ];
  return {
    title: 'What one boundary adds to the history of its group: plan, run, and the wait for the next',
    columns: ['a run', 'events', 'of a small one', 'bytes', 'of a small one'],
    rows: [row('of one item, with its plan', small), row('of 2 001, by itself', large)],
  };
}
