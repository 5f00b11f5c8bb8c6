import type { GroupState, GroupWork, UnfinishedRun } from '../../../src/domain/billing-group/plan.ts';
import { schedule } from './schedules.ts';

/** Something to bill from a day on, and nothing that goes on. */
export const startsOn = (firstStartOn: string): GroupWork => ({ firstStartOn, firstContinuesAt: null });

/** Something that is billed through an instant, and nothing new. */
export const continuesAt = (firstContinuesAt: string): GroupWork => ({ firstStartOn: null, firstContinuesAt });

export const NOTHING: GroupWork = { firstStartOn: null, firstContinuesAt: null };

/** A group in UTC, monthly on the 1st, made on 10 March 2026 for a member that starts that day; changed as told. */
export const group = (changes: Partial<GroupState> = {}): GroupState => ({
  status: 'ACTIVE',
  entityStatus: 'ACTIVE',
  timezone: 'UTC',
  versions: [schedule('2026-01-01')],
  createdAt: '2026-03-10T09:00:00.000Z',
  settleMinutes: 15,
  lastJoinedAt: '2026-03-10T09:00:00.000Z',
  lastBoundaryAt: null,
  work: startsOn('2026-03-10'),
  unfinished: [],
  skipped: [],
  testClock: null,
  ...changes,
});

/** The run of a boundary that is under way; changed as told. */
export const run = (runId: string, changes: Partial<UnfinishedRun> = {}): UnfinishedRun => ({
  runId,
  kind: 'BOUNDARY',
  status: 'OPEN',
  reason: null,
  boundaryAt: '2026-04-01T00:00:00.000Z',
  retryAt: null,
  ...changes,
});
