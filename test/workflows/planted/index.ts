import { sleep } from '@temporalio/workflow';

/** Not what any history of a test clock says: it waits before it looks. A replay must fail on it. */
export async function testClockWorkflow(): Promise<void> {
  await sleep('1 day');
}
