import { Context } from '@temporalio/activity';
import type { Database } from '../../src/db/database.ts';

/** What a transaction that is cut off ends with. */
export const BEFORE_COMMIT = 'crash before commit';
export const AFTER_COMMIT = 'crash after commit';

/** A database whose transactions do all their work, and fail at the end. */
export const crashing = (database: Database): Database => ({
  ...database,
  inTenant: (tenantId, work, options) =>
    database.inTenant(
      tenantId,
      async (tx) => {
        await work(tx);
        throw new Error(BEFORE_COMMIT);
      },
      options,
    ),
});

/** A database that commits, and whose caller never hears of it. */
export const silenced = (database: Database): Database => ({
  ...database,
  inTenant: async (...transaction) => {
    await database.inTenant(...transaction);
    throw new Error(AFTER_COMMIT);
  },
});

/** A database on which activities of these names fail before they have begun; every other one works. */
export const without = (database: Database, activities: readonly string[]): Database => ({
  ...database,
  inTenant: async (...transaction) => {
    const activity = activityUnderWay();
    if (activities.includes(activity)) throw new Error(`${activity} fails, as it was told`);
    return database.inTenant(...transaction);
  },
});

/** The name of the activity that the caller is a part of; empty outside any. */
function activityUnderWay(): string {
  try {
    return Context.current().info.activityType;
  } catch {
    return '';
  }
}
