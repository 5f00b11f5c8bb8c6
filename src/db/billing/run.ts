import { sql } from 'kysely';
import type { Instant } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import type { RoundingMode } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import type { RunStep } from '../schema/groups.table.ts';

/** A run as its steps see it, its row locked, with what its entity, payer and clock say at this moment. */
export type LockedRun = Awaited<ReturnType<typeof runRow>> & { readonly now: Instant };

const STEPS: readonly RunStep[] = ['OPENED', 'COLLECTED', 'COUPONS', 'TAX', 'CREDITS', 'ISSUED'];

/**
 * Locks a run. Every step takes this lock first, so that two attempts of one step come one after the other.
 *
 * @throws `not_found`.
 */
export async function lockRun(tx: Tx, runId: string): Promise<LockedRun> {
  const row = await runRow(tx, runId);
  return { ...row, now: row.clockNowAt ?? tx.now() };
}

const runRow = async (tx: Tx, runId: string) => {
  const row = await tx.db
    .selectFrom('billing_runs as r')
    .innerJoin('billing_entities as e', (join) =>
      join.onRef('e.tenantId', '=', 'r.tenantId').onRef('e.id', '=', 'r.billingEntityId'),
    )
    .innerJoin('customers as p', (join) =>
      join.onRef('p.tenantId', '=', 'r.tenantId').onRef('p.id', '=', 'r.payerCustomerId'),
    )
    .leftJoin('test_clocks as c', (join) =>
      join.onRef('c.tenantId', '=', 'r.tenantId').onRef('c.id', '=', 'r.testClockId'),
    )
    .where('r.id', '=', runId)
    .select([
      'r.id',
      'r.kind',
      'r.billingGroupId',
      'r.payerCustomerId',
      'r.billingEntityId',
      'r.currency',
      'r.timezone',
      'r.boundaryAt',
      'r.scope',
      'r.status',
      'r.step',
      'r.reason',
      'r.cutOffAt',
      'r.retryAt',
      'r.failures',
      'r.testClockId',
      'e.roundingMode',
      'e.status as entityStatus',
      'e.zeroInvoices',
      'e.countryCode as entityCountry',
      'p.invoicingFlow',
      'c.nowAt as clockNowAt',
    ])
    .forUpdate('r')
    .executeTakeFirst();
  if (row === undefined) throw new BillingError('not_found', `There is no billing run '${runId}'.`);
  return { ...row, rounding: row.roundingMode satisfies RoundingMode };
};

/** Whether the run has a step behind it already: doing it again changes nothing. */
export const hasPassed = (run: { step: RunStep }, step: RunStep): boolean =>
  STEPS.indexOf(run.step) >= STEPS.indexOf(step);

/** Records that a step is done. */
export async function passStep(tx: Tx, runId: string, step: RunStep): Promise<void> {
  await tx.db.updateTable('billing_runs').set({ step }).where('id', '=', runId).execute();
}

/** Ends or holds a run. A run that goes on again loses its reason; one that ends says when, by its clock. */
export async function setRunStatus(
  tx: Tx,
  run: { id: string; now: Instant },
  status: 'OPEN' | 'WAITING' | 'ISSUED' | 'EMPTY' | 'SKIPPED',
  reason: string | null = null,
): Promise<void> {
  const isOver = status === 'ISSUED' || status === 'EMPTY' || status === 'SKIPPED';
  await tx.db
    .updateTable('billing_runs')
    .set({ status, reason, retryAt: null, finishedAt: isOver ? run.now : null })
    .where('id', '=', run.id)
    .execute();
}

/** A run that came through takes the mark of an earlier failure off its group. */
export async function unblockGroup(tx: Tx, run: { billingGroupId: string | null }): Promise<void> {
  if (run.billingGroupId === null) return;
  await tx.db
    .updateTable('billing_groups')
    .set({ status: 'ACTIVE', statusReason: null })
    .where('id', '=', run.billingGroupId)
    .where('status', '=', 'BLOCKED')
    .execute();
}

/** The drafts of a run, the rollup first. */
export const draftsOf = (tx: Tx, runId: string) =>
  tx.db
    .selectFrom('invoices')
    .where('runId', '=', runId)
    .where('status', '=', 'DRAFT')
    .orderBy('position')
    .select(['id', 'position', 'payerCustomerId', 'billingEntityId', 'currency', 'timezone', 'splitSubscriptionId'])
    .execute();

/** Lines of an invoice as the pure steps take them, in order. */
export const draftLines = async (tx: Tx, invoiceIds: readonly string[]) =>
  tx.db
    .selectFrom('invoice_lines')
    .where('invoiceId', '=', sql<string>`any(${invoiceIds}::text[])`)
    .orderBy('invoiceId')
    .orderBy('position')
    .select([
      'id',
      'invoiceId',
      'ownerCustomerId as ownerId',
      'subscriptionId',
      'amount',
      'discount',
      'taxable',
      'taxPercent',
      'tax',
      'total',
      'taxCode',
      'taxPoint',
      'taxInclusive as inclusive',
      'creditsLineId',
    ])
    .execute();
