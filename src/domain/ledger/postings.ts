import { BillingError } from '../errors.ts';
import {
  type Decimal,
  decimal,
  roundToAmount,
  sum,
  toAmount,
  type DecimalString,
  type RoundingMode,
} from '../money.ts';

/** Accounts that issuing an invoice moves. */
export const LEDGER_ACCOUNTS = {
  /** What customers owe for issued invoices. */
  receivable: 'RECEIVABLE',
  /** What was sold, before discount, without tax. */
  revenue: 'REVENUE',
  /** What coupons took off it, without tax. */
  discounts: 'DISCOUNTS',
  /** Tax collected for the authority. */
  taxPayable: 'TAX_PAYABLE',
  /** Credits that customers have not spent: a liability. */
  customerCredit: 'CUSTOMER_CREDIT',
} as const;

export type LedgerAccount = (typeof LEDGER_ACCOUNTS)[keyof typeof LEDGER_ACCOUNTS];

/** One line of a balanced set: an amount above 0, debit or credit. */
export interface Posting {
  readonly account: LedgerAccount;
  readonly direction: 'DEBIT' | 'CREDIT';
  readonly amount: DecimalString;
}

/** A balanced set in one currency: debits = credits. */
export interface LedgerEntry {
  readonly currency: string;
  readonly postings: Posting[];
}

/** What the ledger needs of an issued invoice: a `Settlement` has it. */
export interface IssuedFigures {
  readonly total: DecimalString;
  readonly creditGranted: DecimalString;
  readonly creditsApplied: DecimalString;
  readonly lines: readonly {
    readonly inclusive: boolean;
    readonly discount: DecimalString;
    readonly taxable: DecimalString;
    readonly taxPercent: DecimalString;
    readonly tax: DecimalString;
  }[];
}

/**
 * The entry for issuing an invoice (RN6): the total is owed and earns revenue and tax; credits applied settle part of it
 * out of the customer's credit; a negative invoice grants credit instead.
 *
 * Revenue is before discount; what inclusive lines were discounted is stated without the tax in it, rounded once. An account
 * whose balance goes the other way (revenue of a negative invoice) is posted on its other side. Zero is not posted: the
 * entry of an invoice of 0 may be empty.
 *
 * @throws `ledger.unbalanced` when total and creditGranted are not those of the lines.
 */
export function postingsOfIssue(input: {
  currency: string;
  rounding: RoundingMode;
  invoice: IssuedFigures;
}): LedgerEntry {
  const { currency, rounding, invoice } = input;
  const { receivable, revenue, discounts, taxPayable, customerCredit } = LEDGER_ACCOUNTS;
  const discount = roundToAmount(sum(invoice.lines.map(netDiscount)), currency, rounding);
  const taxable = sum(invoice.lines.map((line) => line.taxable));
  const postings = [
    ...post(receivable, 'DEBIT', invoice.total, currency),
    ...post(discounts, 'DEBIT', discount, currency),
    ...post(revenue, 'CREDIT', taxable.plus(discount), currency),
    ...post(taxPayable, 'CREDIT', sum(invoice.lines.map((line) => line.tax)), currency),
    ...post(customerCredit, 'CREDIT', invoice.creditGranted, currency),
    ...post(customerCredit, 'DEBIT', invoice.creditsApplied, currency),
    ...post(receivable, 'CREDIT', invoice.creditsApplied, currency),
  ];
  assertBalanced(postings);
  return { currency, postings };
}

/** Debits less credits of a set of postings in one currency: 0 when it balances. */
export function imbalance(postings: readonly Posting[]): Decimal {
  return sum(
    postings.map(({ direction, amount }) => (direction === 'DEBIT' ? decimal(amount) : decimal(amount).neg())),
  );
}

/**
 * Refuses a set of postings in one currency that does not balance.
 *
 * @throws `ledger.unbalanced` with the difference.
 */
export function assertBalanced(postings: readonly Posting[]): void {
  const difference = imbalance(postings);
  if (difference.isZero()) return;
  throw new BillingError('ledger.unbalanced', `Debits exceed credits by ${difference}.`);
}

/** A line's discount without the tax that an inclusive price has in it; unrounded. */
const netDiscount = ({ inclusive, discount, taxPercent }: IssuedFigures['lines'][number]): Decimal =>
  inclusive ? decimal(discount).times(100).div(decimal(taxPercent).plus(100)) : decimal(discount);

function post(
  account: LedgerAccount,
  direction: Posting['direction'],
  value: Decimal | DecimalString,
  currency: string,
): Posting[] {
  const amount = decimal(value);
  if (amount.isZero()) return [];
  const opposite = direction === 'DEBIT' ? 'CREDIT' : 'DEBIT';
  return [{ account, direction: amount.isNegative() ? opposite : direction, amount: toAmount(amount.abs(), currency) }];
}
