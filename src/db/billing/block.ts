import { plusElapsed } from '../../domain/calendar.ts';
import type { Tx } from '../database.ts';
import { lockRun } from './run.ts';

/** How long a BLOCKED run waits before it tries again by itself; doubled at each failure, at most a day. */
const RETRY_MINUTES_FIRST = 15;
const RETRY_MINUTES_MAX = 24 * 60;

/**
 * Marks a run BLOCKED with the reason for the operator, and its group with it (O3). It is tried again slowly by itself, or at
 * once on resume. One that waits to be tried again was marked before: that is no further failure.
 */
export async function blockRun(tx: Tx, input: { runId: string; reason: string }): Promise<void> {
  const run = await lockRun(tx, input.runId);
  if (run.status === 'ISSUED' || run.status === 'EMPTY' || run.status === 'SKIPPED') return;
  const isMarked = run.status === 'BLOCKED' && run.retryAt !== null && run.retryAt > run.now;
  const failures = isMarked ? run.failures : run.failures + 1;
  const minutes = Math.min(RETRY_MINUTES_MAX, RETRY_MINUTES_FIRST * 2 ** (failures - 1));
  const retryAt = isMarked ? run.retryAt : plusElapsed(run.now, { minutes });
  await tx.db
    .updateTable('billing_runs')
    .set({ status: 'BLOCKED', reason: input.reason, failures, retryAt })
    .where('id', '=', run.id)
    .execute();
  if (run.billingGroupId === null) return;
  await tx.db
    .updateTable('billing_groups')
    .set({ status: 'BLOCKED', statusReason: input.reason })
    .where('id', '=', run.billingGroupId)
    .where('status', 'in', ['ACTIVE', 'BLOCKED'])
    .execute();
}

/** O3: a lost connection keeps the run OPEN and says so, while it is tried again. */
export async function noteRunReason(tx: Tx, input: { runId: string; reason: string }): Promise<void> {
  await tx.db
    .updateTable('billing_runs')
    .set({ reason: input.reason })
    .where('id', '=', input.runId)
    .where('status', '=', 'OPEN')
    .execute();
}
