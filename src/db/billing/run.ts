import { sql } from 'kysely';
import type { Instant } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import type { RoundingMode } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { FENCE } from '../kysely.ts';
import { updateRows } from '../rows.ts';
import type { RunStatus, RunStep } from '../schema/groups.table.ts';

/** A run as its steps see it, its row locked, with what its entity, payer, group and clock say at this moment. */
export type LockedRun = Awaited<ReturnType<typeof runRows>>[number] & { readonly now: Instant };

const STEPS: readonly RunStep[] = ['OPENED', 'COLLECTED', 'COUPONS', 'TAX', 'CREDITS', 'ISSUED'];

/**
 * Locks a run. Every step takes this lock first, so that two attempts of one step come one after the other.
 *
 * @throws `not_found`.
 */
export async function lockRun(tx: Tx, runId: string): Promise<LockedRun> {
  const [run] = await lockRuns(tx, [runId]);
  if (run === undefined) throw new BillingError('not_found', `There is no billing run '${runId}'.`);
  return run;
}

/** Locks runs in order of their ids. One that does not exist is left out. */
export async function lockRuns(tx: Tx, runIds: readonly string[]): Promise<LockedRun[]> {
  const rows = await runRows(tx, runIds);
  return rows.map((row) => ({ ...row, now: row.clockNowAt ?? tx.now() }));
}

const runRows = async (tx: Tx, runIds: readonly string[]) => {
  const rows = await tx.db
    .selectFrom('billing_runs as r')
    .innerJoin('billing_entities as e', (join) =>
      join.onRef('e.tenantId', '=', 'r.tenantId').onRef('e.id', '=', 'r.billingEntityId'),
    )
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom('customers')
          .whereRef('customers.tenantId', '=', 'r.tenantId')
          .whereRef('customers.id', '=', 'r.payerCustomerId')
          .selectAll()
          .offset(FENCE)
          .as('p'),
      (join) => join.onTrue(),
    )
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('billing_groups')
          .whereRef('billing_groups.tenantId', '=', 'r.tenantId')
          .whereRef('billing_groups.id', '=', 'r.billingGroupId')
          .selectAll()
          .offset(FENCE)
          .as('g'),
      (join) => join.onTrue(),
    )
    .leftJoin('test_clocks as c', (join) =>
      join.onRef('c.tenantId', '=', 'r.tenantId').onRef('c.id', '=', 'r.testClockId'),
    )
    .where('r.id', '=', sql<string>`any(${runIds}::text[])`)
    .orderBy('r.id')
    .select([...RUN_COLUMNS, ...SEALED_COLUMNS])
    .forUpdate('r')
    .execute();
  return rows.map((row) => ({
    ...row,
    rounding: row.roundingMode satisfies RoundingMode,
    // A charge outside any group is taxed by its payer's address.
    taxAddress: row.taxAddress ?? ('PAYER' as const),
  }));
};

const RUN_COLUMNS = [
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
  'p.invoicingFlow',
  'c.nowAt as clockNowAt',
] as const;

/** What sealing copies into an invoice (RN3), and what numbers it. */
const SEALED_COLUMNS = [
  'e.entityCode',
  'e.displayName',
  'e.legalName',
  'e.countryCode as entityCountry',
  'e.address as entityAddress',
  'e.taxRegistrationNumber',
  'e.taxJurisdiction',
  'e.logoUrl',
  'e.footerText',
  'e.baseCurrency',
  'e.invoiceNumberFormat',
  'e.invoiceNumberPrefix',
  'e.numberReset',
  'p.externalId as payerExternalId',
  'p.name as payerName',
  'p.email as payerEmail',
  'p.taxId as payerTaxId',
  'p.address as payerAddress',
  'p.paymentTermsDays',
  'g.purchaseOrder',
  'g.taxAddress',
] as const;

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

/** Records with one statement how runs left a transaction that took them through all their steps. */
export async function endRuns(
  tx: Tx,
  runs: readonly {
    run: { id: string; now: Instant };
    status: 'WAITING' | 'ISSUED' | 'EMPTY';
    reason: string | null;
    step: RunStep;
  }[],
): Promise<void> {
  await updateRows(
    tx.db,
    'billing_runs',
    ['cutOffAt', 'step', 'status', 'reason', 'failures', 'retryAt', 'finishedAt'],
    runs.map(({ run, ...left }) => ({
      id: run.id,
      ...left,
      cutOffAt: run.now,
      failures: 0,
      retryAt: null,
      finishedAt: left.status === 'WAITING' ? null : run.now,
    })),
  );
}

/** Whether a run has come to its end. */
export const isOver = ({ status }: { status: RunStatus }): boolean =>
  status === 'ISSUED' || status === 'EMPTY' || status === 'SKIPPED';

/** Runs that came through take the mark of an earlier failure off their groups. */
export async function unblockGroups(tx: Tx, runs: readonly { billingGroupId: string | null }[]): Promise<void> {
  const groupIds = runs.map(({ billingGroupId }) => billingGroupId).filter((id) => id !== null);
  if (groupIds.length === 0) return;
  await tx.db
    .updateTable('billing_groups')
    .set({ status: 'ACTIVE', statusReason: null })
    .where('id', '=', sql<string>`any(${groupIds}::text[])`)
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
