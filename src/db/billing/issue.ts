import { sql } from 'kysely';
import { ENTITY_SUSPENDED } from '../../domain/billing-group/plan.ts';
import { decimal, type DecimalString } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { draftLines, hasPassed, type LockedRun, lockRun, setRunStatus, unblockGroups } from './run.ts';
import { sealInvoices } from './seal-invoices.ts';

export type IssueOutcome = 'ISSUED' | 'EMPTY' | 'REVIEW' | 'WAIT';

/** The reason of a run whose drafts wait for somebody to look at them. */
export const IN_REVIEW = 'REVIEW';

/** The reason of a run that came to 0 at an entity that wants no document for it. */
export const CAME_TO_ZERO = 'ZERO';

/**
 * The last step of a run: gives each draft its number and seals it; one transaction (RN1, RN3, RN6, RO4, RO7). Done again
 * it changes nothing. Drafts of a payer under REVIEW stay drafts until `approved`.
 */
export async function issueInvoices(
  tx: Tx,
  runId: string,
  options: { approved?: boolean } = {},
): Promise<IssueOutcome> {
  const run = await lockRun(tx, runId);
  if (hasPassed(run, 'ISSUED')) return run.status === 'EMPTY' ? 'EMPTY' : 'ISSUED';
  if (run.entityStatus === 'SUSPENDED') {
    await setRunStatus(tx, run, 'WAITING', ENTITY_SUSPENDED);
    return 'WAIT';
  }
  if (run.invoicingFlow === 'REVIEW' && options.approved !== true) {
    await setRunStatus(tx, run, 'WAITING', IN_REVIEW);
    await unblockGroups(tx, [run]);
    return 'REVIEW';
  }
  const drafts = await lockDrafts(tx, run.id);
  const byInvoice = Map.groupBy(
    await draftLines(
      tx,
      drafts.map(({ id }) => id),
    ),
    ({ invoiceId }) => invoiceId,
  );
  const kept = drafts.filter((draft) => !isUnwanted(run, draft));
  await dropZeroDrafts(
    tx,
    drafts.filter((draft) => isUnwanted(run, draft)).map(({ id }) => id),
  );
  await sealInvoices(
    tx,
    kept.map((draft) => ({ ...draft, run, lines: byInvoice.get(draft.id) ?? [] })),
  );
  await tx.db.updateTable('billing_runs').set({ step: 'ISSUED', failures: 0 }).where('id', '=', run.id).execute();
  const outcome = kept.length > 0 ? 'ISSUED' : 'EMPTY';
  await setRunStatus(tx, run, outcome, outcome === 'EMPTY' ? CAME_TO_ZERO : null);
  await unblockGroups(tx, [run]);
  return outcome;
}

/** The drafts of a run, locked. */
const lockDrafts = (tx: Tx, runId: string) =>
  tx.db
    .selectFrom('invoices')
    .where('runId', '=', runId)
    .where('status', '=', 'DRAFT')
    .orderBy('position')
    .forUpdate()
    .select(['id', 'total', 'creditGranted', 'creditsApplied', 'amountDue'])
    .execute();

/** RO7: lines but a total of 0, and the entity wants no document for it. A surplus that becomes credit is not nothing. */
export const isUnwanted = (
  run: Pick<LockedRun, 'zeroInvoices'>,
  draft: { total: DecimalString; creditGranted: DecimalString },
): boolean => run.zeroInvoices === 'SKIP' && decimal(draft.total).isZero() && decimal(draft.creditGranted).isZero();

/** The documents never were; their claims stay, so that nothing of them is billed again, and their coupon cycles count. */
export async function dropZeroDrafts(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  if (invoiceIds.length === 0) return;
  const among = sql<string>`any(${invoiceIds}::text[])`;
  await tx.db
    .updateTable('coupon_reservations')
    .set({ status: 'CAPTURED' })
    .where('invoiceId', '=', among)
    .where('status', '=', 'RESERVED')
    .execute();
  await tx.db.updateTable('claims').set({ invoiceId: null, lineId: null }).where('invoiceId', '=', among).execute();
  await deleteDrafts(tx, invoiceIds);
}

/** Removes drafts with their lines. Claims and reservations are the caller's to settle first. */
export async function deleteDrafts(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  for (const table of [
    'line_taxes',
    'line_discounts',
    'invoice_taxes',
    'invoice_accounts',
    'invoice_lines',
    'credit_reservations',
  ] as const) {
    await sql`delete from ${sql.raw(table)} where invoice_id = any(${invoiceIds}::text[])`.execute(tx.db);
  }
  await sql`delete from invoices where id = any(${invoiceIds}::text[]) and status = 'DRAFT'`.execute(tx.db);
}
