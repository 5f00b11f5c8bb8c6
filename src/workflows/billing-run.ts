import { condition, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { refreshSignal, type RunInput } from './contract.ts';
import { executeRun } from './run-steps.ts';
import { tellClock } from './tell-clock.ts';

/** How long a run that cannot go on waits before it looks again without being told. */
const SLOW_RETRY = '15 minutes';

/** One run outside any group: a charge that is billed at once to a payer who has no group (G4). */
export async function billingRunWorkflow(input: RunInput): Promise<void> {
  let isStale = false;
  setHandler(refreshSignal, () => {
    isStale = true;
  });
  for (;;) {
    isStale = false;
    const result = await executeRun({ ...input, isLarge: false, isAlone: true });
    if (result !== 'RETRY' && input.testClockId != null)
      await tellClock(input.tenantId, input.testClockId, input.runId);
    if (result === 'DONE') return;
    if (result !== 'RETRY')
      await condition(() => isStale, SLOW_RETRY, { summary: 'waiting for an operator, or to try again' });
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof billingRunWorkflow>(input);
  }
}
