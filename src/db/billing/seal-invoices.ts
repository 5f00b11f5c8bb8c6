import { sql } from 'kysely';
import { documentDate } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import { formatNumber } from '../../domain/invoice/number.ts';
import { dueDate } from '../../domain/invoice/payment-terms.ts';
import { statusAtIssue } from '../../domain/invoice/status.ts';
import type { IssuedFigures } from '../../domain/ledger/postings.ts';
import { decimal, type DecimalString, toAmount } from '../../domain/money.ts';
import { auditAll } from '../audit.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { recordEvents } from '../outbox.ts';
import { insertRows, updateRows } from '../rows.ts';
import { type TakenNumber, takeNumbers } from './number-stream.ts';
import { postIssues } from './post-issue.ts';
import type { LockedRun } from './run.ts';

/** A stored draft, its figures final, that is to be issued. */
export interface SealableDraft extends IssuedFigures {
  readonly id: string;
  readonly run: LockedRun;
  readonly amountDue: DecimalString;
}

/**
 * Issues drafts, in the order given: numbers them (RN1), seals them with the texts of this moment (RN3), captures the coupon
 * cycles and credits that they hold (RN9), grants what they came to below 0 (RO4), posts to the ledger (RN6), and says so in
 * the audit log and to whom it may concern. A handful of statements, however many drafts there are.
 *
 * @throws `run.number_repeats` with the cure.
 */
export async function sealInvoices(tx: Tx, drafts: readonly SealableDraft[]): Promise<void> {
  if (drafts.length === 0) return;
  await captureReservations(tx, drafts);
  const taken = await takeNumbers(
    tx,
    drafts.map(({ run }) => run),
  );
  const issued = drafts.map((draft, index) => numbered(draft, taken[index] as TakenNumber));
  await numberedOnce(issued, () => updateRows(tx.db, 'invoices', SEALED, issued.map(sealedRow)));
  await grantSurplus(tx, issued);
  await postIssues(
    tx,
    issued.map(({ run: { currency, rounding, billingEntityId, baseCurrency }, ...invoice }) => ({
      ...invoice,
      currency,
      rounding,
      billingEntityId,
      baseCurrency,
    })),
  );
  await auditAll(
    tx,
    issued.map(({ id, number, total, run, issuedAt }) => ({
      actor: 'system',
      action: 'invoice.issued',
      subjectType: 'invoice',
      subjectId: id,
      detail: { number, total: toAmount(total, run.currency), currency: run.currency, runId: run.id },
      happenedAt: issuedAt,
    })),
  );
  await recordEvents(
    tx,
    issued.map(({ id }) => ({ type: 'invoice.issued', invoiceId: id })),
  );
}

type NumberedDraft = ReturnType<typeof numbered>;

const numbered = (draft: SealableDraft, { sequence, issuedAt, issueDate, abbreviation }: TakenNumber) => ({
  ...draft,
  issuedAt,
  issueDate,
  issueDateText: documentDate(issueDate, abbreviation),
  number: formatNumber({
    format: draft.run.invoiceNumberFormat,
    prefix: draft.run.invoiceNumberPrefix,
    sequence,
    issueDate,
  }),
});

const SEALED = [
  'number',
  'status',
  'issuedAt',
  'issueDate',
  'issueDateText',
  'dueDate',
  'paidAt',
  'purchaseOrder',
  'entitySnapshot',
  'payerSnapshot',
] as const;

function sealedRow({ id, run, number, issuedAt, issueDate, issueDateText, amountDue }: NumberedDraft) {
  const status = statusAtIssue(amountDue);
  return {
    id,
    number,
    status,
    issuedAt,
    issueDate,
    issueDateText,
    dueDate: dueDate(issueDate, run.paymentTermsDays),
    paidAt: status === 'PAID' ? issuedAt : null,
    purchaseOrder: run.purchaseOrder,
    entitySnapshot: entitySnapshot(run),
    payerSnapshot: payerSnapshot(run),
  };
}

async function captureReservations(tx: Tx, drafts: readonly SealableDraft[]): Promise<void> {
  const ids = drafts.map(({ id }) => id);
  await tx.db
    .updateTable('coupon_reservations')
    .set({ status: 'CAPTURED' })
    .where('invoiceId', '=', sql<string>`any(${ids}::text[])`)
    .where('status', '=', 'RESERVED')
    .execute();
  const spending = drafts.filter(({ creditsApplied }) => !decimal(creditsApplied).isZero());
  for (const [now, spent] of Map.groupBy(spending, ({ run }) => run.now)) {
    await tx.db
      .updateTable('credit_reservations')
      .set({ status: 'CAPTURED', settledAt: now })
      .where('invoiceId', '=', sql<string>`any(${spent.map(({ id }) => id)}::text[])`)
      .where('status', '=', 'RESERVED')
      .execute();
  }
}

/** RN1, RN2: a number that is taken cannot be given again; the unique index says so and the operator mends the format. */
async function numberedOnce(drafts: readonly NumberedDraft[], write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if ((error as { constraint?: string }).constraint !== 'invoices_number_unique') throw error;
    const numbers = drafts.map(({ number }) => number).join(', ');
    throw new BillingError(
      'run.number_repeats',
      `The number ${numbers} was given before. Change the entity's number format or prefix so that numbers cannot repeat, then resume.`,
    );
  }
}

/** RO4: what the lines came to below 0 becomes a credit of the payer. */
const grantSurplus = (tx: Tx, drafts: readonly NumberedDraft[]): Promise<void> =>
  insertRows(
    tx.db,
    'credit_grants',
    drafts
      .filter(({ creditGranted }) => !decimal(creditGranted).isZero())
      .map(({ id, run, creditGranted, issuedAt }) => ({
        tenantId: tx.tenantId,
        id: newId('crd'),
        customerId: run.payerCustomerId,
        kind: 'REFUND' as const,
        currency: run.currency,
        amount: creditGranted,
        remaining: creditGranted,
        priority: 100,
        expiresAt: null,
        sourceInvoiceId: id,
        createdAt: issuedAt,
      })),
  );

const entitySnapshot = (run: LockedRun) => ({
  id: run.billingEntityId,
  entityCode: run.entityCode,
  displayName: run.displayName,
  legalName: run.legalName,
  countryCode: run.entityCountry,
  address: run.entityAddress,
  taxRegistrationNumber: run.taxRegistrationNumber,
  taxJurisdiction: run.taxJurisdiction,
  logoUrl: run.logoUrl,
  footerText: run.footerText,
});

const payerSnapshot = (run: LockedRun) => ({
  id: run.payerCustomerId,
  externalId: run.payerExternalId,
  name: run.payerName,
  email: run.payerEmail,
  taxId: run.payerTaxId,
  address: run.payerAddress,
});
