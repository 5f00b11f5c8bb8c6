import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';

/** What client, relay and workflows share: names, ids and the shapes that travel. Ids and instants only. */

export const WORKFLOW = {
  billingGroup: 'billingGroupWorkflow',
  billingRun: 'billingRunWorkflow',
  testClock: 'testClockWorkflow',
} as const;

export const workflowId = {
  billingGroup: (tenantId: string, groupId: string) => `billing-group/${tenantId}/${groupId}`,
  billingRun: (tenantId: string, runId: string) => `billing-run/${tenantId}/${runId}`,
  testClock: (tenantId: string, testClockId: string) => `test-clock/${tenantId}/${testClockId}`,
} as const;

export interface GroupInput {
  readonly tenantId: string;
  readonly groupId: string;
}

export interface RunInput {
  readonly tenantId: string;
  readonly runId: string;
  /** The clock that waits for this run, when it lives on one. */
  readonly testClockId?: string | null;
}

export interface TestClockInput {
  readonly tenantId: string;
  readonly testClockId: string;
}

/** What an operator may tell a group; the same verbs as the API's, carried out by the same activity. */
export type GroupCommand =
  | { readonly verb: 'billNow' | 'pause' | 'resume' | 'close' }
  | { readonly verb: 'skip'; readonly boundaryAt?: string }
  | {
      readonly verb: 'realign';
      readonly anchorDate?: string;
      readonly cadence?: { readonly interval: string; readonly count: number };
      readonly effective?: string;
    };

/** What the `state` query answers. */
export interface GroupView {
  readonly waitingFor: string;
  readonly status: string;
  readonly nextBillingAt: string | null;
  readonly runId: string | null;
}

/** Something about the group changed: look again. Sent at least once, in any order. */
export const refreshSignal = defineSignal('refresh');
/** A group or run on a test clock has nothing more to do at the clock's instant. */
export const settledSignal = defineSignal<[id: string]>('settled');
export const stateQuery = defineQuery<GroupView>('state');

export const billNowUpdate = defineUpdate<void>('billNow');
export const pauseUpdate = defineUpdate<void>('pause');
export const resumeUpdate = defineUpdate<void>('resume');
export const skipUpdate = defineUpdate<void, [boundaryAt?: string]>('skip');
export const realignUpdate = defineUpdate<
  void,
  [{ anchorDate?: string; cadence?: { interval: string; count: number }; effective?: string }]
>('realign');
export const closeUpdate = defineUpdate<void>('close');

/** Failure types that activities give to workflows. */
export const FAILURE = {
  /** A rule says no: a retry gives the same answer. */
  billing: 'BillingError',
  /** The database cannot be reached: wait, and do it again. */
  database: 'DatabaseUnavailable',
} as const;

/** Changes of workflow code that histories of earlier releases do not know, by the release that brought them. */
export const PATCH = {
  /** 0.2.0: a group's due run is billed by the same local activity that plans, a large run by one ordinary one. */
  oneTransaction: 'bill-in-one-transaction',
} as const;
