import type { Client } from '@temporalio/client';
import {
  type GroupInput,
  refreshSignal,
  type RunInput,
  type TestClockInput,
  WORKFLOW,
  workflowId,
} from '../workflows/contract.ts';

/** Starts a group's workflow, or tells the one that runs to look again. */
export async function wakeGroup(client: Client, taskQueue: string, input: GroupInput): Promise<void> {
  await client.workflow.signalWithStart(WORKFLOW.billingGroup, {
    workflowId: workflowId.billingGroup(input.tenantId, input.groupId),
    ...shared(taskQueue, input.tenantId),
    args: [input],
    signal: refreshSignal,
  });
}

/** Starts the workflow of a run outside any group, or tells it to look again. */
export async function wakeRun(client: Client, taskQueue: string, input: RunInput): Promise<void> {
  await client.workflow.signalWithStart(WORKFLOW.billingRun, {
    workflowId: workflowId.billingRun(input.tenantId, input.runId),
    ...shared(taskQueue, input.tenantId),
    args: [input],
    signal: refreshSignal,
  });
}

/** Starts the workflow that moves a test clock, or tells it that there is a new target. */
export async function wakeClock(client: Client, taskQueue: string, input: TestClockInput): Promise<void> {
  await client.workflow.signalWithStart(WORKFLOW.testClock, {
    workflowId: workflowId.testClock(input.tenantId, input.testClockId),
    ...shared(taskQueue, input.tenantId),
    args: [input],
    signal: refreshSignal,
  });
}

/** Where the server has fairness, a tenant with many groups due does not delay one with few. */
const shared = (taskQueue: string, tenantId: string) => ({
  taskQueue,
  priority: { fairnessKey: tenantId.slice(0, 64) },
});
