import { advanceGroups } from '../../src/db/billing/advance-groups.ts';
import { applyCouponsStep } from '../../src/db/billing/apply-coupons.ts';
import { applyCreditsStep } from '../../src/db/billing/apply-credits.ts';
import { applyTaxStep } from '../../src/db/billing/apply-tax.ts';
import { collectCharges } from '../../src/db/billing/collect.ts';
import { issueInvoices } from '../../src/db/billing/issue.ts';
import { moveClock } from '../../src/db/billing/move-clock.ts';
import type { Plan, PlannedStep } from '../../src/db/billing/plan-step.ts';
import type { Database, Tx } from '../../src/db/database.ts';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import type { Instant } from '../../src/domain/calendar.ts';

/** More steps than any test needs: a group that never comes to rest is a failure, not a hang. */
const STEPS_MAX = 500;

/**
 * Does what a group's workflow does, without one, until nothing more is due at the present of its clock.
 *
 * @returns what the group waits for.
 */
export async function billDue(database: Database, tenantId: string, groupId: string): Promise<PlannedStep> {
  for (let done = 0; done < STEPS_MAX; done += 1) {
    const plans = await database.inTenant(tenantId, (tx) => advanceGroups(tx, [groupId]));
    const { step } = plans.get(groupId) as Plan;
    if (step.kind === 'RUN') await billRun(database, tenantId, step.runId);
    else if (step.kind !== 'AGAIN') return step;
  }
  throw new Error(`Group ${groupId} does not come to rest.`);
}

/** Carries a run through its steps, each in a transaction of its own, or as far as they go. */
export async function billRun(database: Database, tenantId: string, runId: string): Promise<void> {
  const step = <T>(work: (tx: Tx, id: string) => Promise<T>) => database.inTenant(tenantId, (tx) => work(tx, runId));
  const { outcome } = await step(collectCharges);
  if (outcome !== 'GO_ON') return;
  await step(applyCouponsStep);
  await step(applyTaxStep);
  await step(applyCreditsStep);
  await step(issueInvoices);
}

/** Moves a test clock through every due instant to a target, as its workflow does; to the present: bills what is due now. */
export async function billUntil(database: Database, tenantId: string, testClockId: string, to: Instant): Promise<void> {
  await database.inTenant(tenantId, (tx) => advanceTestClock(tx, testClockId, new Date(to).toISOString(), 'test'));
  for (let done = 0; done < STEPS_MAX; done += 1) {
    const { due, status } = await database.inTenant(tenantId, (tx) => moveClock(tx, testClockId));
    if (status === 'FAILED') throw new Error(`Clock ${testClockId} failed on its way to ${to}.`);
    if (status === 'READY') return;
    for (const { kind, id } of due) await (kind === 'RUN' ? billRun : billDue)(database, tenantId, id);
  }
  throw new Error(`Clock ${testClockId} does not arrive at ${to}.`);
}
