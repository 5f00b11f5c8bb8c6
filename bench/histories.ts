import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { inParallel } from './report.ts';

/** What workflows hold together. */
export interface Histories {
  readonly events: number;
  readonly bytes: number;
  /** Each is one durable write of the server. */
  readonly transitions: number;
  /** Those that wait for a timer or a message, with no task of theirs under way. */
  readonly waiting: number;
}

const WIDTH = 16;

/** Adds up the histories of workflows; one that is not there yet counts nothing. */
export async function readHistories(client: Client, workflowIds: readonly string[]): Promise<Histories> {
  const sum = { events: 0, bytes: 0, transitions: 0, waiting: 0 };
  await inParallel(workflowIds, WIDTH, async (workflowId) => {
    const raw = await describe(client, workflowId);
    if (raw === null) return;
    const { historyLength, historySizeBytes, stateTransitionCount } = raw.workflowExecutionInfo ?? {};
    sum.events += Number(historyLength ?? 0);
    sum.bytes += Number(historySizeBytes ?? 0);
    sum.transitions += Number(stateTransitionCount ?? 0);
    const isWaiting = raw.pendingWorkflowTask == null && (raw.pendingActivities ?? []).length === 0;
    sum.waiting += isWaiting ? 1 : 0;
  });
  return sum;
}

const GRPC_NOT_FOUND = 5;

async function describe(client: Client, workflowId: string) {
  try {
    return await client.workflowService.describeWorkflowExecution({ namespace: 'default', execution: { workflowId } });
  } catch (error) {
    if ((error as { code?: number }).code === GRPC_NOT_FOUND) return null;
    throw error;
  }
}

/** Ends workflows: their ids may be used again, and none wakes in a later measurement. One that never began is left alone. */
export const endAll = (client: Client, workflowIds: readonly string[]): Promise<void> =>
  inParallel(workflowIds, WIDTH, async (workflowId) => {
    try {
      await client.workflow.getHandle(workflowId).terminate('measured');
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  });
