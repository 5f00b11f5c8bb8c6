import { BillingError } from '../errors.ts';
import { decimal, type DecimalString } from '../money.ts';

/** A draft has no number; OPEN is issued and owed; the other three are how it ends. */
export type InvoiceStatus = 'DRAFT' | 'OPEN' | 'PAID' | 'VOID' | 'UNCOLLECTIBLE';

/**
 * Every legal move (I1).
 *
 * - DRAFT → OPEN           issuing: the number is given, the document sealed.
 * - OPEN → PAID            nothing is due any more; an invoice of 0 makes this move in the transaction that issues it.
 * - OPEN → VOID            taken back.
 * - OPEN → UNCOLLECTIBLE   written off.
 * - PAID → VOID            only while no money was received for it (RN4): see `canVoid`.
 * - UNCOLLECTIBLE → PAID   paid after it was written off.
 */
const MOVES: Readonly<Record<InvoiceStatus, readonly InvoiceStatus[]>> = {
  DRAFT: ['OPEN'],
  OPEN: ['PAID', 'VOID', 'UNCOLLECTIBLE'],
  PAID: ['VOID'],
  VOID: [],
  UNCOLLECTIBLE: ['PAID'],
};

/** Whether the table has the move. */
export function canMove(from: InvoiceStatus, to: InvoiceStatus): boolean {
  return MOVES[from].includes(to);
}

/**
 * Refuses a move that the table does not have.
 *
 * @throws `invoice.status` naming the moves that are open.
 */
export function assertMove(from: InvoiceStatus, to: InvoiceStatus): void {
  if (canMove(from, to)) return;
  const open = MOVES[from].length === 0 ? 'nothing; it is final' : MOVES[from].join(' or ');
  throw new BillingError('invoice.status', `An invoice that is ${from} cannot become ${to}; it can become ${open}.`);
}

/** Whether an invoice can be voided: OPEN or PAID, and nothing was paid for it; one paid in part is credited (RN4). */
export function canVoid(invoice: { status: InvoiceStatus; amountPaid: DecimalString }): boolean {
  return canMove(invoice.status, 'VOID') && decimal(invoice.amountPaid).isZero();
}

/** The status after issuing: an invoice of which nothing is due is paid at once (RO7). */
export function statusAtIssue(amountDue: DecimalString): 'OPEN' | 'PAID' {
  return decimal(amountDue).isZero() ? 'PAID' : 'OPEN';
}
