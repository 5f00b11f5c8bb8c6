import { BillingError } from '../../domain/errors.ts';
import { assertMove } from '../../domain/invoice/status.ts';
import { type LoadedGroup, loadGroups } from '../billing/group-state.ts';
import { type LockedRun, lockRun } from '../billing/run.ts';
import type { Tx } from '../database.ts';
import { enqueue } from '../outbox.ts';
import type { InvoiceStatus } from '../schema/invoices.table.ts';
import { missingInvoice } from './list.ts';

/** A draft that somebody has taken in hand: its group, its run and itself are locked, in this order (RN1). */
export interface HeldDraft {
  readonly id: string;
  readonly run: LockedRun;
  /** Null for an IMMEDIATE charge outside any group. */
  readonly group: LoadedGroup | null;
}

/**
 * Locks a draft with its group and run.
 *
 * @param wanted  what it is to become: OPEN, or gone.
 * @throws `not_found`; `invoice.status` when it is issued already, or its run is at work on it.
 */
export async function holdDraft(tx: Tx, invoiceId: string, wanted: 'OPEN' | 'DISCARDED'): Promise<HeldDraft> {
  const invoice = await tx.db
    .selectFrom('invoices')
    .where('id', '=', invoiceId)
    .select(['runId', 'billingGroupId'])
    .executeTakeFirstOrThrow(missingInvoice(invoiceId));
  const groupIds = invoice.billingGroupId === null ? [] : [invoice.billingGroupId];
  const [group] = await loadGroups(tx, groupIds, { lock: 'update' });
  const run = await lockRun(tx, invoice.runId);
  const locked = await tx.db
    .selectFrom('invoices')
    .where('id', '=', invoiceId)
    .select('status')
    .forUpdate()
    .executeTakeFirstOrThrow(missingInvoice(invoiceId));
  assertDraft(locked.status, wanted);
  if (run.status === 'OPEN') {
    throw new BillingError(
      'invoice.status',
      `Invoice ${invoiceId} is being billed at this moment. Look again in a few seconds.`,
    );
  }
  return { id: invoiceId, run, group: group ?? null };
}

function assertDraft(status: InvoiceStatus, wanted: 'OPEN' | 'DISCARDED'): void {
  if (status === 'DRAFT') return;
  if (wanted === 'OPEN') assertMove(status, 'OPEN');
  throw new BillingError(
    'invoice.status',
    `An invoice that is ${status} is sealed and cannot be deleted. Void or credit it instead.`,
  );
}

/** Lets the workflow that waits for a run look again, after commit. */
export const wakeRunOf = (tx: Tx, { run }: HeldDraft): Promise<void> =>
  run.billingGroupId === null
    ? enqueue(tx, { topic: 'run.start', dedupeKey: run.id, payload: { runId: run.id, testClockId: run.testClockId } })
    : enqueue(tx, {
        topic: 'group.refresh',
        dedupeKey: run.billingGroupId,
        payload: { billingGroupId: run.billingGroupId },
      });
