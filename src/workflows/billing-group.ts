import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { Activities, GroupPlan } from '../activities/index.ts';
import {
  billNowUpdate,
  closeUpdate,
  FAILURE,
  type GroupCommand,
  type GroupInput,
  type GroupView,
  PATCH,
  pauseUpdate,
  realignUpdate,
  refreshSignal,
  resumeUpdate,
  skipUpdate,
  stateQuery,
} from './contract.ts';
import { isFailed } from './is-failed.ts';
import { executeRun } from './run-steps.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';
import { tellClock } from './tell-clock.ts';
import { UNTIL_DONE } from './until-done.ts';

// A batch that a group is in may wait for one before it.
const local = proxyLocalActivities<Activities>({ startToCloseTimeout: '20 seconds', retry: { maximumAttempts: 1 } });

const { planNextStep, commandGroup } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '20 seconds',
  retry: { ...UNTIL_DONE, nonRetryableErrorTypes: [FAILURE.billing] },
});

/** How long a group that cannot be planned waits before it looks again without being told. */
const SLOW_RETRY = '15 minutes';

/** The search attributes that change, as they were last written. */
type ShownAttributes = Pick<GroupPlan, 'status' | 'nextBillingAt'>;

/**
 * One for each billing group, for ever: asks what is due, waits for it or for a message, does it, and asks again. It holds
 * no state of its own; what it is told is written to the database by the same activity that the API's verbs use.
 */
export async function billingGroupWorkflow(input: GroupInput): Promise<void> {
  let isStale = true;
  let view: GroupView = { waitingFor: 'the first look', status: 'ACTIVE', nextBillingAt: null, runId: null };
  const command = async (group: GroupCommand): Promise<void> => {
    try {
      await commandGroup({ ...input, command: group });
    } catch (error) {
      // The operator reads why, not merely that an activity failed.
      throw error instanceof ActivityFailure && error.cause !== undefined ? error.cause : error;
    }
    isStale = true;
  };
  setHandler(refreshSignal, () => {
    isStale = true;
  });
  setHandler(stateQuery, () => view);
  setHandler(billNowUpdate, () => command({ verb: 'billNow' }));
  setHandler(pauseUpdate, () => command({ verb: 'pause' }));
  setHandler(resumeUpdate, () => command({ verb: 'resume' }));
  setHandler(closeUpdate, () => command({ verb: 'close' }));
  setHandler(skipUpdate, (boundaryAt) =>
    command({ verb: 'skip', ...(boundaryAt === undefined ? {} : { boundaryAt }) }),
  );
  setHandler(realignUpdate, (change) => command({ verb: 'realign', ...change }));

  let shown: ShownAttributes | null = null;
  for (;;) {
    isStale = false;
    const plan = await lookAhead(input);
    if ('refusal' in plan) {
      view = { ...view, waitingFor: plan.refusal, status: 'BLOCKED' };
      shown = showRefusal(input, plan.refusal);
      await condition(() => isStale, SLOW_RETRY, { summary: 'waiting for an operator, or to try again' });
      continue;
    }
    shown = show(input, plan, shown);
    const { step } = plan;
    view = { waitingFor: plan.summary, status: plan.status, nextBillingAt: plan.nextBillingAt, runId: null };
    if (step.kind === 'CLOSED') break;
    if (step.kind === 'RUN') {
      view = { ...view, runId: step.runId };
      const result = await executeRun({ tenantId: input.tenantId, runId: step.runId, isLarge: step.isLarge });
      if (result === 'BLOCKED') shown = null;
    } else if (step.kind !== 'AGAIN') {
      if (plan.testClockId !== null && plan.isClockAdvancing)
        await tellClock(input.tenantId, plan.testClockId, input.groupId);
      if (step.kind === 'SLEEP' && plan.testClockId === null) {
        // The timer's summary says in the UI what is waited for. After it, or a message, the question is asked again.
        await condition(() => isStale, step.waitMs, { summary: plan.summary });
      } else await condition(() => isStale);
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof billingGroupWorkflow>(input);
    }
  }
  await condition(allHandlersFinished);
}

/**
 * Bills what is due and asks what comes next, by one local activity: the fewest events and transactions. When that fails, an
 * ordinary one tells what is due, until it succeeds, and the run goes step by step, which an operator can see.
 */
async function lookAhead(input: GroupInput): Promise<GroupPlan | { refusal: string }> {
  const look = patched(PATCH.oneTransaction) ? local.advanceGroup : local.planNextStep;
  try {
    return await look(input);
  } catch (error) {
    if (!isFailed(error)) throw error;
  }
  try {
    return await planNextStep(input);
  } catch (error) {
    if (!isFailed(error)) throw error;
    // A rule that cannot be followed with what the group holds: somebody has to mend that. The workflow goes on.
    return { refusal: error.cause?.message ?? error.message };
  }
}

/** A group of which it cannot be told what comes next, for an operator to see. */
function showRefusal(input: GroupInput, reason: string): null {
  setCurrentDetails(`**cannot be planned: ${reason}**\n\nGroup ${input.groupId}`);
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.tenant, value: input.tenantId },
    { key: SEARCH_ATTRIBUTES.group, value: input.groupId },
    { key: SEARCH_ATTRIBUTES.status, value: 'BLOCKED' },
  ]);
  return null;
}

/** What the Temporal UI shows of the group. Of the search attributes only what has changed is written: each costs history. */
function show(input: GroupInput, plan: GroupPlan, shown: ShownAttributes | null): ShownAttributes {
  setCurrentDetails(groupDetails(input.groupId, plan));
  const { status, nextBillingAt } = plan;
  const upserts: SearchAttributeUpdatePair[] = [];
  if (shown === null) {
    upserts.push(
      { key: SEARCH_ATTRIBUTES.tenant, value: input.tenantId },
      { key: SEARCH_ATTRIBUTES.group, value: input.groupId },
      { key: SEARCH_ATTRIBUTES.entity, value: plan.entityCode },
      { key: SEARCH_ATTRIBUTES.payer, value: plan.payerCustomerId },
    );
  }
  if (shown?.status !== status) upserts.push({ key: SEARCH_ATTRIBUTES.status, value: status });
  if (shown === null || shown.nextBillingAt !== nextBillingAt) {
    const value = nextBillingAt === null ? null : new Date(nextBillingAt);
    upserts.push({ key: SEARCH_ATTRIBUTES.nextBilling, value });
  }
  if (upserts.length > 0) upsertSearchAttributes(upserts);
  return { status, nextBillingAt };
}

/** Current details of the group, in Markdown: ids and instants, no names. */
const groupDetails = (groupId: string, plan: GroupPlan): string =>
  [
    `**${plan.summary}**`,
    `Group ${groupId} · payer ${plan.payerCustomerId} · entity ${plan.entityCode} · ${plan.status}`,
    `Next billing: ${plan.nextBillingAt ?? 'nothing due'}`,
    `[Runs of this group](${plan.publicUrl}/api/v1/billing-groups/${groupId}/runs)`,
  ].join('\n\n');
