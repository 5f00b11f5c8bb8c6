import { type Client, isGrpcServiceError, NamespaceNotFoundError, ServiceError } from '@temporalio/client';
import {
  type GroupInput,
  refreshSignal,
  type RunInput,
  type TestClockInput,
  WORKFLOW,
  workflowId,
} from '../workflows/contract.ts';

/** Status codes of gRPC. */
const [INVALID_ARGUMENT, ALREADY_EXISTS, FAILED_PRECONDITION, OUT_OF_RANGE] = [3, 6, 9, 11] as const;

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

/** What the server says of a call itself; any other failure has to do with the server, the network or the load. */
const REFUSALS: ReadonlySet<number> = new Set([INVALID_ARGUMENT, ALREADY_EXISTS, FAILED_PRECONDITION, OUT_OF_RANGE]);

/** Whether a call failed because nobody was there to take it, so that others would fail as well. */
export function isAway(error: unknown): boolean {
  // Of a call that never got through the cause is no status; a server without our namespace is one that is being set up.
  if (error instanceof NamespaceNotFoundError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) ? !REFUSALS.has(cause.code) : error instanceof ServiceError;
}
