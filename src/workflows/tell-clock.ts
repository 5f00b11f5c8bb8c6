import { getExternalWorkflowHandle } from '@temporalio/workflow';
import { settledSignal, workflowId } from './contract.ts';

/** A clock that is being moved waits until everything due on it has nothing more to do at its instant. */
export async function tellClock(tenantId: string, testClockId: string, id: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId.testClock(tenantId, testClockId)).signal(settledSignal, id);
  } catch {
    // The clock's workflow has just ended. It looks into the database by itself, so nothing is lost.
  }
}
