import { Decimal, decimal, sum, toAmount, type DecimalString } from '../money.ts';

/** A line's figures once it is discounted and taxed; signed, whole minor units. */
export interface TotalledLine {
  readonly ownerId: string;
  /** Before discount, gross when the price is inclusive. */
  readonly amount: DecimalString;
  /** What coupons took, >= 0. */
  readonly discount: DecimalString;
  readonly tax: DecimalString;
  /** taxable + tax. */
  readonly total: DecimalString;
}

/** The part of one account (a customer whose lines are on the invoice). */
export interface AccountTotals {
  readonly customerId: string;
  readonly label: 'Primary Account' | 'Linked Account';
  readonly subtotal: DecimalString;
  readonly discount: DecimalString;
  readonly tax: DecimalString;
  readonly total: DecimalString;
}

/** The sums of an invoice. */
export interface InvoiceTotals {
  /** Σ amount. */
  readonly subtotal: DecimalString;
  /** Σ discount. */
  readonly discountTotal: DecimalString;
  /** Σ tax, inclusive and exclusive. */
  readonly taxTotal: DecimalString;
  /** Σ line totals + creditGranted, so never below 0 (RO6). */
  readonly total: DecimalString;
  /** What the lines came to below 0: it becomes a credit grant of the payer (RO4). */
  readonly creditGranted: DecimalString;
  /** Every customer with a line, the payer first, then by first line. They add up to total − creditGranted. */
  readonly accounts: AccountTotals[];
}

/** Adds up the lines of an invoice (RO4, RO6). Without lines all sums are 0. */
export function invoiceTotals(input: {
  currency: string;
  payerId: string;
  lines: readonly TotalledLine[];
}): InvoiceTotals {
  const { currency, payerId, lines } = input;
  const figures = addUp(lines, currency);
  const creditGranted = toAmount(Decimal.max(0, decimal(figures.total).negated()), currency);
  return {
    subtotal: figures.subtotal,
    discountTotal: figures.discount,
    taxTotal: figures.tax,
    total: toAmount(sum([figures.total, creditGranted]), currency),
    creditGranted,
    accounts: accountTotals(lines, payerId, currency),
  };
}

/**
 * What is still to be paid, at any moment (RO6): total − credits − payments − what credit notes took off.
 *
 * @returns Whole minor units; below 0 only when more was paid than was due.
 */
export function amountDue(input: {
  currency: string;
  total: DecimalString;
  creditsApplied: DecimalString;
  amountPaid: DecimalString;
  amountCredited: DecimalString;
}): DecimalString {
  const settled = sum([input.creditsApplied, input.amountPaid, input.amountCredited]);
  return toAmount(decimal(input.total).minus(settled), input.currency);
}

function accountTotals(lines: readonly TotalledLine[], payerId: string, currency: string): AccountTotals[] {
  const byOwner = [...Map.groupBy(lines, (line) => line.ownerId)];
  const payerFirst = byOwner.toSorted(([a], [b]) => Number(b === payerId) - Number(a === payerId));
  return payerFirst.map(([customerId, own]) => ({
    customerId,
    label: customerId === payerId ? 'Primary Account' : 'Linked Account',
    ...addUp(own, currency),
  }));
}

const addUp = (lines: readonly TotalledLine[], currency: string) => ({
  subtotal: toAmount(sum(lines.map((line) => line.amount)), currency),
  discount: toAmount(sum(lines.map((line) => line.discount)), currency),
  tax: toAmount(sum(lines.map((line) => line.tax)), currency),
  total: toAmount(sum(lines.map((line) => line.total)), currency),
});
