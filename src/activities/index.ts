import { activityInfo, heartbeat } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { applyCouponsStep } from '../db/billing/apply-coupons.ts';
import { applyCreditsStep } from '../db/billing/apply-credits.ts';
import { applyTaxStep } from '../db/billing/apply-tax.ts';
import { blockRun, noteRunReason } from '../db/billing/block.ts';
import { collectCharges, type CollectOutcome } from '../db/billing/collect.ts';
import { issueInvoices, type IssueOutcome } from '../db/billing/issue.ts';
import { type ClockMove, type DueOnClock, moveClock } from '../db/billing/move-clock.ts';
import { type Plan, planStep } from '../db/billing/plan-step.ts';
import type { Database, Tx } from '../db/database.ts';
import { commandGroup } from '../db/group-commands.ts';
import { findAnswer, storeAnswer, tryLockKey } from '../db/idempotency.ts';
import { wakeGroup, wakeRun } from '../relay/wake.ts';
import type { GroupCommand, GroupInput, RunInput, TestClockInput } from '../workflows/contract.ts';
import { toFailure } from './failures.ts';

export interface ActivityDependencies {
  readonly database: Database;
  readonly client: Client;
  readonly taskQueue: string;
  /** Where an operator opens the API; shown in the workflow's details. */
  readonly publicUrl: string;
}

/** A plan with what the Temporal UI shows of it. */
export type GroupPlan = Plan & { readonly details: string };

export type Activities = ReturnType<typeof createActivities>;

const HEARTBEAT_MS = 5_000;

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
  return {
    planNextStep: async ({ tenantId, groupId }: GroupInput): Promise<GroupPlan> => {
      const plan = await inTenant(tenantId, (tx) => planStep(tx, groupId));
      return { ...plan, details: groupDetails(groupId, plan, publicUrl) };
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

/** Current details of a group's workflow, in Markdown: ids and instants, no names. */
const groupDetails = (groupId: string, plan: Plan, publicUrl: string): string =>
  [
    `**${plan.summary}**`,
    `Group ${groupId} · payer ${plan.payerCustomerId} · entity ${plan.entityCode} · ${plan.status}`,
    `Next billing: ${plan.nextBillingAt ?? 'nothing due'}`,
    `[Runs of this group](${publicUrl}/api/v1/billing-groups/${groupId}/runs)`,
  ].join('\n\n');
