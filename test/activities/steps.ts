import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { inject } from 'vitest';
import { type Activities, createActivities } from '../../src/activities/index.ts';
import type { Database } from '../../src/db/database.ts';

/** The steps of a run, in the order in which its workflow calls them. */
export const STEPS = ['collectCharges', 'applyCoupons', 'applyTax', 'applyCredits', 'issueInvoice'] as const;

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
      new MockActivityEnvironment({ isLocal: true, activityType: name, activityId }, { logger: silent }).run(
        activity as (given: never) => Promise<unknown>,
        input,
      ),
  ]);
  return Object.fromEntries(entries) as Activities;
}
