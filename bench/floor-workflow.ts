import { proxyActivities, proxyLocalActivities, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../src/workflows/search-attributes.ts';

/**
 * How the one activity of the floor is called; `shown` is the local one, and then a search attribute tells when it will be
 * called next, which the workflow design asks of every group.
 */
export type FloorKind = 'local' | 'shown' | 'ordinary';

interface FloorActivities {
  nothing(): Promise<void>;
}

const local = proxyLocalActivities<FloorActivities>({ startToCloseTimeout: '10 seconds' });
const ordinary = proxyActivities<FloorActivities>({ startToCloseTimeout: '1 minute' });

const NEXT_MS = 30 * 86_400_000;

/** The least that anything durable can do at an instant: sleep until then, call one empty activity, and sleep again. */
export async function floorWorkflow({ at, kind }: { at: number; kind: FloorKind }): Promise<void> {
  await sleep(at - Date.now());
  await (kind === 'ordinary' ? ordinary : local).nothing();
  if (kind === 'shown') upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.nextBilling, value: new Date(at + NEXT_MS) }]);
  await sleep(NEXT_MS);
}
