import { applyCouponsStep } from '../src/db/billing/apply-coupons.ts';
import { applyCreditsStep } from '../src/db/billing/apply-credits.ts';
import { applyTaxStep } from '../src/db/billing/apply-tax.ts';
import { collectCharges } from '../src/db/billing/collect.ts';
import { issueInvoices } from '../src/db/billing/issue.ts';
import type { Tx } from '../src/db/database.ts';
import type { Ground } from './bed.ts';

/** A step of a run, without the workflow that calls it. */
type Step = (tx: Tx, runId: string) => Promise<unknown>;

const BEFORE_ISSUE: readonly Step[] = [collectCharges, applyCouponsStep, applyTaxStep, applyCreditsStep];

const take = ({ database, tenantId }: Ground, step: Step, runId: string): Promise<unknown> =>
  database.inTenant(tenantId, (tx) => step(tx, runId));

/** Carries a run up to its last step, each in a transaction of its own. */
export async function prepare(ground: Ground, runId: string): Promise<void> {
  for (const step of BEFORE_ISSUE) await take(ground, step, runId);
}

/** The last step. */
export const issue = (ground: Ground, runId: string): Promise<unknown> => take(ground, issueInvoices, runId);
