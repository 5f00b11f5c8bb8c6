import { sql } from 'kysely';
import { ENTITY_SUSPENDED } from '../../domain/billing-group/plan.ts';
import { documentDate, type Instant } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import { formatNumber } from '../../domain/invoice/number.ts';
import { dueDate } from '../../domain/invoice/payment-terms.ts';
import { statusAtIssue } from '../../domain/invoice/status.ts';
import { decimal } from '../../domain/money.ts';
import { audit } from '../audit.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { enqueue } from '../outbox.ts';
import { takeNumber } from './number-stream.ts';
import { postIssue } from './post-issue.ts';
import { hasPassed, type LockedRun, lockRun, setRunStatus, unblockGroup } from './run.ts';

export type IssueOutcome = 'ISSUED' | 'EMPTY' | 'REVIEW' | 'WAIT';

/** The reason of a run whose drafts wait for somebody to look at them. */
export const IN_REVIEW = 'REVIEW';

/**
 * The last step of a run: gives each draft its number and seals it, captures coupon cycles and credits, grants a surplus,
 * posts to the ledger, and says so in the audit log and the outbox; one transaction (RN1, RN3, RN6, RO4, RO7). Done again
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
    await unblockGroup(tx, run);
    return 'REVIEW';
  }
  let issued = 0;
  for (const draft of await lockDrafts(tx, run.id)) {
    await captureReservations(tx, draft.id, run.now);
    if (isSkipped(run, draft)) await dropZeroDraft(tx, draft.id);
    else {
      await sealInvoice(tx, run, draft);
      issued += 1;
    }
  }
  await tx.db.updateTable('billing_runs').set({ step: 'ISSUED', failures: 0 }).where('id', '=', run.id).execute();
  await setRunStatus(tx, run, issued > 0 ? 'ISSUED' : 'EMPTY', issued > 0 ? null : 'ZERO');
  await unblockGroup(tx, run);
  return issued > 0 ? 'ISSUED' : 'EMPTY';
}

type Draft = Awaited<ReturnType<typeof lockDrafts>>[number];

/** The drafts of a run, locked, with what sealing copies into them. */
const lockDrafts = (tx: Tx, runId: string) =>
  tx.db
    .selectFrom('invoices as v')
    .innerJoin('billing_entities as e', (join) =>
      join.onRef('e.tenantId', '=', 'v.tenantId').onRef('e.id', '=', 'v.billingEntityId'),
    )
    .innerJoin('customers as p', (join) =>
      join.onRef('p.tenantId', '=', 'v.tenantId').onRef('p.id', '=', 'v.payerCustomerId'),
    )
    .leftJoin('billing_groups as g', (join) =>
      join.onRef('g.tenantId', '=', 'v.tenantId').onRef('g.id', '=', 'v.billingGroupId'),
    )
    .where('v.runId', '=', runId)
    .where('v.status', '=', 'DRAFT')
    .orderBy('v.position')
    .forUpdate('v')
    .select([
      'v.id',
      'v.currency',
      'v.timezone',
      'v.total',
      'v.creditGranted',
      'v.creditsApplied',
      'v.amountDue',
      'v.payerCustomerId',
      'v.billingEntityId',
      'e.entityCode',
      'e.displayName',
      'e.legalName',
      'e.countryCode',
      'e.address as entityAddress',
      'e.taxRegistrationNumber',
      'e.taxJurisdiction',
      'e.logoUrl',
      'e.footerText',
      'e.baseCurrency',
      'e.roundingMode',
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
    ])
    .execute();

/** RO7: lines but a total of 0, and the entity wants no document for it. A surplus that becomes credit is not nothing. */
const isSkipped = (run: LockedRun, draft: Draft): boolean =>
  run.zeroInvoices === 'SKIP' && decimal(draft.total).isZero() && decimal(draft.creditGranted).isZero();

async function captureReservations(tx: Tx, invoiceId: string, now: Instant): Promise<void> {
  const captured = { status: 'CAPTURED' as const };
  await tx.db
    .updateTable('coupon_reservations')
    .set(captured)
    .where('invoiceId', '=', invoiceId)
    .where('status', '=', 'RESERVED')
    .execute();
  await tx.db
    .updateTable('credit_reservations')
    .set({ ...captured, settledAt: now })
    .where('invoiceId', '=', invoiceId)
    .where('status', '=', 'RESERVED')
    .execute();
}

/** The document never was; its claims stay, so that nothing of it is billed again. */
async function dropZeroDraft(tx: Tx, invoiceId: string): Promise<void> {
  await tx.db.updateTable('claims').set({ invoiceId: null, lineId: null }).where('invoiceId', '=', invoiceId).execute();
  await deleteDraft(tx, invoiceId);
}

/** Removes a draft with its lines. Claims and reservations are the caller's to settle first. */
export async function deleteDraft(tx: Tx, invoiceId: string): Promise<void> {
  for (const table of ['line_taxes', 'line_discounts', 'invoice_taxes', 'invoice_accounts', 'invoice_lines'] as const) {
    await sql`delete from ${sql.raw(table)} where invoice_id = ${invoiceId}`.execute(tx.db);
  }
  await tx.db.deleteFrom('credit_reservations').where('invoiceId', '=', invoiceId).execute();
  await tx.db.deleteFrom('invoices').where('id', '=', invoiceId).where('status', '=', 'DRAFT').execute();
}

async function sealInvoice(tx: Tx, run: LockedRun, draft: Draft): Promise<void> {
  const { sequence, issuedAt, issueDate, abbreviation } = await takeNumber(tx, draft, run.testClockId);
  const number = formatNumber({
    format: draft.invoiceNumberFormat,
    prefix: draft.invoiceNumberPrefix,
    sequence,
    issueDate,
  });
  const status = statusAtIssue(draft.amountDue);
  await numberedOnce(number, () =>
    tx.db
      .updateTable('invoices')
      .set({
        number,
        status,
        issuedAt,
        issueDate,
        issueDateText: documentDate(issueDate, abbreviation),
        dueDate: dueDate(issueDate, draft.paymentTermsDays),
        paidAt: status === 'PAID' ? issuedAt : null,
        purchaseOrder: draft.purchaseOrder,
        entitySnapshot: entitySnapshot(draft),
        payerSnapshot: payerSnapshot(draft),
      })
      .where('id', '=', draft.id)
      .execute(),
  );
  await grantSurplus(tx, draft, issuedAt);
  await postIssue(tx, draft, issuedAt);
  const detail = { number, total: draft.total, currency: draft.currency, runId: run.id };
  await audit(tx, {
    actor: 'system',
    action: 'invoice.issued',
    subjectType: 'invoice',
    subjectId: draft.id,
    detail,
    happenedAt: issuedAt,
  });
  await enqueue(tx, {
    topic: 'event',
    dedupeKey: `invoice.issued:${draft.id}`,
    payload: { type: 'invoice.issued', invoiceId: draft.id },
  });
}

/** RN1, RN2: a number that is taken cannot be given again; the unique index says so and the operator mends the format. */
async function numberedOnce(number: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if ((error as { constraint?: string }).constraint !== 'invoices_number_unique') throw error;
    throw new BillingError(
      'run.number_repeats',
      `The number ${number} was given before. Change the entity's number format or prefix so that numbers cannot repeat, then resume.`,
    );
  }
}

/** RO4: what the lines came to below 0 becomes a credit of the payer. */
async function grantSurplus(tx: Tx, draft: Draft, issuedAt: Instant): Promise<void> {
  if (decimal(draft.creditGranted).isZero()) return;
  await tx.db
    .insertInto('credit_grants')
    .values({
      tenantId: tx.tenantId,
      id: newId('crd'),
      customerId: draft.payerCustomerId,
      kind: 'REFUND',
      currency: draft.currency,
      amount: draft.creditGranted,
      remaining: draft.creditGranted,
      priority: 100,
      expiresAt: null,
      sourceInvoiceId: draft.id,
      createdAt: issuedAt,
    })
    .execute();
}

const entitySnapshot = (draft: Draft) => ({
  id: draft.billingEntityId,
  entityCode: draft.entityCode,
  displayName: draft.displayName,
  legalName: draft.legalName,
  countryCode: draft.countryCode,
  address: draft.entityAddress,
  taxRegistrationNumber: draft.taxRegistrationNumber,
  taxJurisdiction: draft.taxJurisdiction,
  logoUrl: draft.logoUrl,
  footerText: draft.footerText,
});

const payerSnapshot = (draft: Draft) => ({
  id: draft.payerCustomerId,
  externalId: draft.payerExternalId,
  name: draft.payerName,
  email: draft.payerEmail,
  taxId: draft.payerTaxId,
  address: draft.payerAddress,
});
