import { proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';

/** How the one activity of the floor is called. */
export type FloorKind = 'local' | 'ordinary';

interface FloorActivities {
  nothing(): Promise<void>;
}

const local = proxyLocalActivities<FloorActivities>({ startToCloseTimeout: '10 seconds' });
const ordinary = proxyActivities<FloorActivities>({ startToCloseTimeout: '1 minute' });

/** The least that anything durable can do at an instant: sleep until then, call one empty activity, and sleep again. */
export async function floorWorkflow({ at, kind }: { at: number; kind: FloorKind }): Promise<void> {
  await sleep(at - Date.now());
  await (kind === 'local' ? local : ordinary).nothing();
  await sleep('30 days');
}
