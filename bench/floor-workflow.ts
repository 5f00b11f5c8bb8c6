import type { SearchAttributeUpdatePair } from '@temporalio/common';
import {
  proxyActivities,
  proxyLocalActivities,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../src/workflows/search-attributes.ts';

/**
 * How the one activity of the floor is called; `shown` is the local one of a workflow that has the search attributes of a
 * group, of which one tells after each call when the next will be: the workflow design asks that of every group.
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
  if (kind === 'shown') upsertSearchAttributes(shownFor(at));
  await sleep(at - Date.now());
  await (kind === 'ordinary' ? ordinary : local).nothing();
  if (kind === 'shown') upsertSearchAttributes([nextAt(at + NEXT_MS)]);
  await sleep(NEXT_MS);
}

const nextAt = (at: number) => ({ key: SEARCH_ATTRIBUTES.nextBilling, value: new Date(at) });

/** As long as those of a group. */
function shownFor(at: number): SearchAttributeUpdatePair[] {
  const { tenant, group, payer, entity, status } = SEARCH_ATTRIBUTES;
  const ids = [tenant, group, payer].map((key) => ({
    key,
    value: `${key.name.slice(-3)}_${workflowInfo().runId.slice(0, 26)}`,
  }));
  return [...ids, { key: entity, value: 'DEFAULT' }, { key: status, value: 'ACTIVE' }, nextAt(at)];
}
