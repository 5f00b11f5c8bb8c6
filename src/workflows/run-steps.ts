import {
  ActivityFailure,
  ApplicationFailure,
  patched,
  proxyActivities,
  proxyLocalActivities,
  sleep,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { FAILURE, PATCH, type RunInput } from './contract.ts';
import { isFailed } from './is-failed.ts';
import { UNTIL_DONE } from './until-done.ts';

// A first attempt is local: a run is a few history events. What fails, or is large, becomes an ordinary activity that an
// operator sees in the UI, with its failures.
const local = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

const ordinary = proxyActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '20 seconds',
  retry: {
    maximumAttempts: 5,
    initialInterval: '1 second',
    maximumInterval: '20 seconds',
    nonRetryableErrorTypes: [FAILURE.billing],
  },
});

// A large run as one activity: minutes at most, and no second attempt, for the steps are that.
const once = proxyActivities<Activities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { maximumAttempts: 1 },
});

// What must succeed some day: marking a run needs nothing but the database.
const persistent = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '20 seconds',
  retry: UNTIL_DONE,
});

/** How a run left the workflow: done, held by something that a message will tell of, or failed for now. */
export type RunResult = 'DONE' | 'WAITING' | 'BLOCKED' | 'RETRY';

/** How long a run whose database is away waits before it goes on. */
const DATABASE_WAIT = '15 seconds';

/**
 * Carries a run through its steps: a large one, and one outside any group, in one transaction if that succeeds; else each
 * step is one. Every step may be done twice; a run that stopped anywhere goes on from there.
 */
export async function executeRun({
  isLarge,
  isAlone = false,
  ...run
}: RunInput & { isLarge: boolean; isAlone?: boolean }): Promise<RunResult> {
  const input = { tenantId: run.tenantId, runId: run.runId };
  const step = <R>(summary: string, once: Step<R>, again: Step<R>): Promise<R> =>
    attempt({ summary: `${summary} · ${run.runId}` }, input, isLarge ? again : once, again);
  try {
    if ((isLarge || isAlone) && patched(PATCH.oneTransaction) && (await billAtOnce(input, isLarge))) return 'DONE';
    const collected = await step('collect the charges', local.collectCharges, ordinary.collectCharges);
    if (collected !== 'GO_ON') return collected === 'WAIT' ? 'WAITING' : 'DONE';
    await step('take coupons off', local.applyCoupons, ordinary.applyCoupons);
    await step('add tax', local.applyTax, ordinary.applyTax);
    await step('settle with credits', local.applyCredits, ordinary.applyCredits);
    const issued = await step('number and issue', local.issueInvoice, ordinary.issueInvoice);
    // A draft in review is a person's now: it is sealed or discarded through the API.
    return issued === 'WAIT' ? 'WAITING' : 'DONE';
  } catch (error) {
    return await holdRun(input, error);
  }
}

/** Whether the whole run was carried out at once. What fails is tried again step by step: it changed nothing. */
async function billAtOnce(input: RunInput, isLarge: boolean): Promise<boolean> {
  const summary = `collect, discount, tax, settle and issue · ${input.runId}`;
  const { billRun } = isLarge ? once : local;
  try {
    return await billRun.executeWithOptions({ summary }, [input]);
  } catch (error) {
    if (!isFailed(error)) throw error;
    return false;
  }
}

/** An activity as a step calls it: with a summary for the UI. */
interface Step<R> {
  executeWithOptions(options: { summary: string }, args: [RunInput]): Promise<R>;
}

async function attempt<R>(options: { summary: string }, input: RunInput, once: Step<R>, again: Step<R>): Promise<R> {
  if (once === again) return await again.executeWithOptions(options, [input]);
  try {
    return await once.executeWithOptions(options, [input]);
  } catch (error) {
    if (!isFailed(error)) throw error;
    return await again.executeWithOptions(options, [input]);
  }
}

/** A lost database is waited for, the run stays OPEN; anything else is for an operator to see (O3). */
async function holdRun(input: RunInput, error: unknown): Promise<RunResult> {
  if (!isFailed(error)) throw error;
  const run = { tenantId: input.tenantId, runId: input.runId };
  const failure = error instanceof ActivityFailure ? error.cause : error;
  const cause = failure instanceof ApplicationFailure ? failure : null;
  if (cause?.type === FAILURE.database) {
    await persistent.noteRunReason({ ...run, reason: 'DATABASE' });
    await sleep(DATABASE_WAIT, { summary: 'the database was away; going on soon' });
    return 'RETRY';
  }
  await persistent.blockRun({ ...run, reason: cause?.message ?? error.cause?.message ?? error.message });
  return 'BLOCKED';
}
