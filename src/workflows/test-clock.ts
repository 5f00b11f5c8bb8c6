import {
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { refreshSignal, settledSignal, type TestClockInput } from './contract.ts';
import { isFailed } from './is-failed.ts';
import { UNTIL_DONE } from './until-done.ts';

const local = proxyLocalActivities<Activities>({ startToCloseTimeout: '10 seconds', retry: { maximumAttempts: 1 } });

const ordinary = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '20 seconds',
  retry: UNTIL_DONE,
});

/** How long to wait for groups to report before the database is asked again. */
const PATIENCE = '10 seconds';

/**
 * Moves a test clock through every due instant up to its target (O1). At each instant everything on the clock that is due
 * is carried out before the clock goes on, so that `issuedAt` of a boundary's invoice is that boundary.
 */
export async function testClockWorkflow(input: TestClockInput): Promise<void> {
  const settled = new Set<string>();
  let isStale = false;
  setHandler(settledSignal, (id) => {
    settled.add(id);
  });
  setHandler(refreshSignal, () => {
    isStale = true;
  });
  for (;;) {
    isStale = false;
    settled.clear();
    const move = await moveOn(input);
    setCurrentDetails(move.details);
    if (move.due.length === 0) {
      // A new advance may have been asked for while the last one came to its end.
      if (isStale) continue;
      return;
    }
    await condition(() => move.due.every(({ id }) => settled.has(id)), PATIENCE, {
      summary: `waiting for ${move.due.length} to settle`,
    });
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof testClockWorkflow>(input);
  }
}

/** A few events cheaper as a local activity; when that fails, an ordinary one that an operator can see, until it succeeds. */
async function moveOn(input: TestClockInput) {
  try {
    return await local.moveClock(input);
  } catch (error) {
    if (!isFailed(error)) throw error;
    return await ordinary.moveClock(input);
  }
}
