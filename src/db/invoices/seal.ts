import { BillingError } from '../../domain/errors.ts';
import { audit } from '../audit.ts';
import { applyCouponsStep } from '../billing/apply-coupons.ts';
import { applyCreditsStep } from '../billing/apply-credits.ts';
import { applyTaxStep } from '../billing/apply-tax.ts';
import { IN_REVIEW, issueInvoices } from '../billing/issue.ts';
import type { Tx } from '../database.ts';
import { holdDraft, wakeRunOf, type HeldDraft } from './drafts.ts';
import { readInvoice } from './list.ts';
import type { InvoiceView } from './view.ts';

/**
 * RN9: seals a reviewed draft, and with it the other drafts of its run, in this one transaction: coupons, tax and credits
 * are computed anew, then each gets its number, the rollup first.
 *
 * @returns the invoice as it was issued. A draft that comes to 0 at an entity that wants no document for it (RO7) is gone;
 *          it is returned as it last stood.
 * @throws  `not_found`; `invoice.status`, `entity.suspended` with what to do.
 */
export async function sealDraft(tx: Tx, invoiceId: string, actor: string): Promise<InvoiceView> {
  const draft = await holdDraft(tx, invoiceId, 'OPEN');
  assertReviewed(draft);
  const { run } = draft;
  await applyCouponsStep(tx, run.id, { anew: true });
  await applyTaxStep(tx, run.id, { anew: true });
  await applyCreditsStep(tx, run.id, { anew: true });
  const last = await readInvoice(tx, invoiceId);
  await issueInvoices(tx, run.id, { approved: true });
  await audit(tx, {
    actor,
    action: 'invoice.approved',
    subjectType: 'invoice',
    subjectId: invoiceId,
    detail: { runId: run.id },
    happenedAt: run.now,
  });
  await wakeRunOf(tx, draft);
  return (await isStored(tx, invoiceId)) ? readInvoice(tx, invoiceId) : last;
}

/** Only what waits for somebody to look at it; anything else that holds a run has a cure of its own. */
function assertReviewed({ id, run }: HeldDraft): void {
  if (run.entityStatus === 'SUSPENDED') {
    throw new BillingError(
      'entity.suspended',
      `The billing entity of invoice ${id} is suspended. Reactivate it, then issue.`,
    );
  }
  if (run.status === 'WAITING' && run.reason === IN_REVIEW) return;
  throw new BillingError(
    'invoice.status',
    `Invoice ${id} does not wait for review: its run is ${run.status} (${run.reason ?? 'no reason given'}). Mend the cause and resume the run.`,
  );
}

const isStored = async (tx: Tx, invoiceId: string): Promise<boolean> =>
  (await tx.db.selectFrom('invoices').where('id', '=', invoiceId).select('id').executeTakeFirst()) !== undefined;
