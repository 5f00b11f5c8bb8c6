import { activityInfo, heartbeat } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { advanceGroups } from '../db/billing/advance-groups.ts';
import { applyCouponsStep } from '../db/billing/apply-coupons.ts';
import { applyCreditsStep } from '../db/billing/apply-credits.ts';
import { applyTaxStep } from '../db/billing/apply-tax.ts';
import { billRun, type Tell } from '../db/billing/bill-runs.ts';
import { blockRun, noteRunReason } from '../db/billing/block.ts';
import { collectCharges, type CollectOutcome } from '../db/billing/collect.ts';
import { issueInvoices, type IssueOutcome } from '../db/billing/issue.ts';
import { type ClockMove, type DueOnClock, moveClock } from '../db/billing/move-clock.ts';
import { type Plan, planStep } from '../db/billing/plan-step.ts';
import type { Database, Tx } from '../db/database.ts';
import { outageOf } from '../db/failures.ts';
import { commandGroup } from '../db/group-commands.ts';
import { findAnswer, storeAnswer, tryLockKey } from '../db/idempotency.ts';
import { wakeGroup, wakeRun } from '../relay/wake.ts';
import type { GroupCommand, GroupInput, RunInput, TestClockInput } from '../workflows/contract.ts';
import { createBatcher } from './batch.ts';
import { toFailure } from './failures.ts';

export interface ActivityDependencies {
  readonly database: Database;
  readonly client: Client;
  readonly taskQueue: string;
  /** Where an operator opens the API; shown in the workflow's details. */
  readonly publicUrl: string;
}

/** A plan, and the base of the links that the Temporal UI shows with it. */
export type GroupPlan = Plan & { readonly publicUrl: string };

export type Activities = ReturnType<typeof createActivities>;

const HEARTBEAT_MS = 5_000;

/** How many groups one transaction takes, and how many such transactions are under way. */
const GROUPS_TOGETHER = 100;
const BATCHES_AT_ONCE = 2;
/** A crowd of tens is waited for as long as it comes this close together, but not longer than `GATHER_MS`. */
const PAUSE_MS = 300;
const CROWD_SIZE = 10;
const GATHER_MS = 2_000;

/**
 * Every activity, one database transaction each. Each may be done twice: what was done before is found and left alone.
 */
export function createActivities({ database, client, taskQueue, publicUrl }: ActivityDependencies) {
  const inTenant = <T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> =>
    alive(() => database.inTenant(tenantId, work));
  const wakeDue = ({ tenantId, testClockId }: TestClockInput, { kind, id }: DueOnClock): Promise<void> =>
    kind === 'GROUP'
      ? wakeGroup(client, taskQueue, { tenantId, groupId: id })
      : wakeRun(client, taskQueue, { tenantId, runId: id, testClockId });
  const advanceTogether = createBatcher<Plan>({
    perform: (tenantId, groupIds) => database.inTenant(tenantId, (tx) => advanceGroups(tx, groupIds)),
    isShared: (error) => {
      const outage = outageOf(error);
      return outage === 'AWAY' || outage === 'DISK_FULL';
    },
    sizeMax: GROUPS_TOGETHER,
    batchesMax: BATCHES_AT_ONCE,
    pauseMs: PAUSE_MS,
    crowdSize: CROWD_SIZE,
    gatherMs: GATHER_MS,
  });
  return {
    /** Bills what is due in a group and tells what comes next: in one transaction with other groups that ask just then. */
    advanceGroup: async ({ tenantId, groupId }: GroupInput): Promise<GroupPlan> => {
      const plan = await alive(() => advanceTogether(tenantId, groupId));
      return { ...plan, publicUrl };
    },
    /** Carries a run through all its steps in one transaction; false when it has to go step by step. */
    billRun: ({ tenantId, runId }: RunInput): Promise<boolean> =>
      inTenant(tenantId, (tx) => billRun(tx, runId, tellHeartbeat)),
    planNextStep: async ({ tenantId, groupId }: GroupInput): Promise<GroupPlan> => {
      const plan = await inTenant(tenantId, (tx) => planStep(tx, groupId));
      return { ...plan, publicUrl };
    },
    commandGroup: (input: GroupInput & { command: GroupCommand }): Promise<void> =>
      inTenant(input.tenantId, (tx) => commandOnce(tx, input)),
    collectCharges: ({ tenantId, runId }: RunInput): Promise<CollectOutcome['outcome']> =>
      inTenant(tenantId, async (tx) => (await collectCharges(tx, runId)).outcome),
    applyCoupons: ({ tenantId, runId }: RunInput): Promise<void> =>
      inTenant(tenantId, (tx) => applyCouponsStep(tx, runId)),
    applyTax: ({ tenantId, runId }: RunInput): Promise<void> => inTenant(tenantId, (tx) => applyTaxStep(tx, runId)),
    applyCredits: ({ tenantId, runId }: RunInput): Promise<void> =>
      inTenant(tenantId, (tx) => applyCreditsStep(tx, runId)),
    issueInvoice: ({ tenantId, runId }: RunInput): Promise<IssueOutcome> =>
      inTenant(tenantId, (tx) => issueInvoices(tx, runId)),
    blockRun: ({ tenantId, runId, reason }: RunInput & { reason: string }): Promise<void> =>
      inTenant(tenantId, (tx) => blockRun(tx, { runId, reason })),
    noteRunReason: ({ tenantId, runId, reason }: RunInput & { reason: string }): Promise<void> =>
      inTenant(tenantId, (tx) => noteRunReason(tx, { runId, reason })),
    /** Moves a clock one step, and wakes what is due there. */
    moveClock: async ({ tenantId, testClockId }: TestClockInput): Promise<ClockMove & { details: string }> => {
      const move = await inTenant(tenantId, (tx) => moveClock(tx, testClockId));
      await alive(() => Promise.all(move.due.map((due) => wakeDue({ tenantId, testClockId }, due))));
      return { ...move, details: `Clock ${testClockId} is ${move.status} at ${move.now}; ${move.due.length} due.` };
    },
  };
}

/** An attempt that was cut off may have committed: another attempt of the same activity finds that, and does nothing. */
async function commandOnce(tx: Tx, { groupId, command }: { groupId: string; command: GroupCommand }): Promise<void> {
  const { activityId, workflowExecution } = activityInfo();
  const scope = { method: 'UPDATE', path: groupId, key: `${workflowExecution?.runId}/${activityId}` };
  if (!(await tryLockKey(tx, scope))) throw new Error('Another attempt of this command is under way.');
  if ((await findAnswer(tx, scope)) !== null) return;
  await commandGroup(tx, groupId, command, 'temporal');
  await storeAnswer(tx, scope, { bodyHash: '', status: 204, response: null });
}

/** Shows an operator which part of a long run is under way. */
const tellHeartbeat: Tell = (part) => {
  if (!activityInfo().isLocal) heartbeat(part);
};

/** Tells the server that an ordinary activity is alive while it works, and its workflow what went wrong. */
async function alive<T>(work: () => Promise<T>): Promise<T> {
  const beat = activityInfo().isLocal ? null : setInterval(heartbeat, HEARTBEAT_MS);
  try {
    return await work();
  } catch (error) {
    throw toFailure(error);
  } finally {
    if (beat !== null) clearInterval(beat);
  }
}
