import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { inject } from 'vitest';
import { type Activities, createActivities } from '../../src/activities/index.ts';
import type { Database } from '../../src/db/database.ts';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import type { Instant } from '../../src/domain/calendar.ts';

/** The steps of a run, in the order in which its workflow calls them. */
export const STEPS = ['collectCharges', 'applyCoupons', 'applyTax', 'applyCredits', 'issueInvoice'] as const;
export type StepName = (typeof STEPS)[number];

const silent = new DefaultLogger('ERROR', () => {});

/**
 * The product's activities, each called as a worker calls it, without a server.
 *
 * @param activityId the same for two attempts of one activity.
 */
export function activitiesOn(database: Database, activityId = 'test'): Activities {
  const client = new Client({ connection: Connection.lazy({ address: inject('temporalAddress') }) });
  const activities = createActivities({ database, client, taskQueue: 'nobody', publicUrl: 'http://api.test' });
  const entries = Object.entries(activities).map(([name, activity]) => [
    name,
    (input: never) =>
      new MockActivityEnvironment({ isLocal: true, activityId }, { logger: silent }).run(
        activity as (given: never) => Promise<unknown>,
        input,
      ),
  ]);
  return Object.fromEntries(entries) as Activities;
}

/** Does what a group's workflow does, until nothing more is due at the present of its clock. */
export async function runDue(activities: Activities, input: { tenantId: string; groupId: string }): Promise<void> {
  for (;;) {
    const { step } = await activities.planNextStep(input);
    if (step.kind !== 'RUN') return;
    await runSteps(activities, { tenantId: input.tenantId, runId: step.runId });
  }
}

/** Carries a run through its steps, or as far as they go. */
export async function runSteps(activities: Activities, input: { tenantId: string; runId: string }): Promise<void> {
  for (const name of STEPS) {
    const outcome = await activities[name](input);
    if (outcome === 'DONE' || outcome === 'WAIT') return;
  }
}

/** Moves a test clock through every due instant to a target, as its workflow does. */
export async function advance(
  database: Database,
  input: { tenantId: string; testClockId: string; to: Instant },
  options: { onDue?: (groupId: string) => Promise<void> } = {},
): Promise<void> {
  const { tenantId, testClockId, to } = input;
  const activities = activitiesOn(database);
  await database.inTenant(tenantId, (tx) => advanceTestClock(tx, testClockId, to, 'test'));
  for (;;) {
    const { due, status } = await activities.moveClock({ tenantId, testClockId });
    if (status === 'FAILED') throw new Error(`Clock ${testClockId} failed.`);
    if (due.length === 0) return;
    for (const { kind, id } of due) {
      if (kind === 'RUN') await runSteps(activities, { tenantId, runId: id });
      else await (options.onDue ?? ((groupId: string) => runDue(activities, { tenantId, groupId })))(id);
    }
  }
}
