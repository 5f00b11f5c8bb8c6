import { type CalendarDate, type Instant, withOffset } from '../../domain/calendar.ts';
import type { LineKind } from '../../domain/invoice/line-draft.ts';
import type { InvoiceEntitySnapshot, InvoicePayerSnapshot } from '../../domain/invoice/snapshot.ts';
import { type DecimalString, toAmount, toPercent, toPlain } from '../../domain/money.ts';
import type { InvoiceKind, InvoiceStatus } from '../schema/invoices.table.ts';

/** How many lines an invoice shows by itself; all are under `/lines`. */
export const INLINE_LINES_MAX = 500;

/** The head of an invoice; `Id` is null for one that is only looked ahead to. Amounts in major units, any scale. */
export interface InvoiceHead<Id extends string | null = string> {
  readonly id: Id;
  readonly number: string | null;
  readonly status: InvoiceStatus;
  readonly kind: InvoiceKind;
  /** As they were at issue; of a draft, as they are now. */
  readonly entity: InvoiceEntitySnapshot;
  readonly payer: InvoicePayerSnapshot;
  readonly billingGroupId: string | null;
  readonly splitSubscriptionId: string | null;
  readonly runId: string | null;
  readonly currency: string;
  readonly timezone: string;
  readonly boundaryAt: Instant | null;
  readonly issuedAt: Instant | null;
  readonly issueDate: CalendarDate | null;
  readonly issueDateText: string | null;
  readonly dueDate: CalendarDate | null;
  readonly purchaseOrder: string | null;
  readonly subtotal: DecimalString;
  readonly discountTotal: DecimalString;
  readonly taxTotal: DecimalString;
  readonly total: DecimalString;
  readonly creditGranted: DecimalString;
  readonly creditsApplied: DecimalString;
  readonly amountPaid: DecimalString;
  readonly amountDue: DecimalString;
  readonly replacesInvoiceId: string | null;
  readonly replacedByInvoiceId: string | null;
  readonly createdAt: Instant | null;
  readonly paidAt: Instant | null;
  readonly voidedAt: Instant | null;
}

/** What one rate put on an invoice or a line. */
export interface TaxPart {
  readonly code: string;
  readonly name: string;
  readonly percent: DecimalString;
  readonly base: DecimalString;
  readonly amount: DecimalString;
  readonly reason: string | null;
}

/** What a grant paid. */
export interface CreditPart {
  readonly grantId: string;
  readonly kind: string;
  readonly amount: DecimalString;
}

/** The part of one account. */
export interface AccountPart {
  readonly customerId: string;
  readonly externalId: string | null;
  readonly name: string;
  readonly label: 'Primary Account' | 'Linked Account';
  readonly subtotal: DecimalString;
  readonly discount: DecimalString;
  readonly tax: DecimalString;
  readonly total: DecimalString;
}

/** One line, with the account that it is billed from. */
export interface LinePart<Id extends string | null = string> {
  readonly id: Id;
  readonly kind: LineKind;
  readonly description: string;
  readonly subscriptionId: string | null;
  readonly priceCode: string | null;
  readonly chargeId: string | null;
  readonly owner: NamedAccount;
  readonly periodStart: Instant | null;
  readonly periodEnd: Instant | null;
  readonly quantity: DecimalString | null;
  readonly unitAmount: DecimalString | null;
  readonly amount: DecimalString;
  readonly discount: DecimalString;
  readonly taxable: DecimalString;
  readonly taxPercent: DecimalString;
  readonly tax: DecimalString;
  readonly total: DecimalString;
  readonly creditsLineId: string | null;
  readonly taxes: readonly TaxPart[];
}

/** An account by the names that it had at issue; on a draft, that it has now. */
export interface NamedAccount {
  readonly customerId: string;
  readonly externalId: string | null;
  readonly name: string;
}

/** What hangs on the head of an invoice. */
export interface InvoiceParts<Id extends string | null = string> {
  readonly taxes: readonly TaxPart[];
  readonly credits: readonly CreditPart[];
  readonly accounts: readonly AccountPart[];
  /** Absent where lines are not asked for; else one more than are shown tells that there are more. */
  readonly lines?: readonly LinePart<Id>[];
}

export type InvoiceView<Id extends string | null = string> = ReturnType<typeof renderInvoice<Id>>;
export type LineView<Id extends string | null = string> = ReturnType<typeof renderLine<Id>>;

/**
 * An invoice as the API shows it: amounts with their currency's minor digits, unit amounts plain, instants with the offset
 * of the pinned zone. One function for what is stored and what is previewed (RN8).
 */
export function renderInvoice<Id extends string | null>(head: InvoiceHead<Id>, parts: InvoiceParts<Id>) {
  const { currency, timezone } = head;
  const amount = (value: DecimalString) => toAmount(value, currency);
  return {
    ...identity(head),
    subtotal: amount(head.subtotal),
    discountTotal: amount(head.discountTotal),
    taxTotal: amount(head.taxTotal),
    total: amount(head.total),
    creditGranted: amount(head.creditGranted),
    creditsApplied: amount(head.creditsApplied),
    amountPaid: amount(head.amountPaid),
    amountDue: amount(head.amountDue),
    taxes: parts.taxes.map((tax) => renderTax(tax, currency)),
    credits: parts.credits.map((credit) => ({ ...credit, amount: amount(credit.amount) })),
    accounts: parts.accounts.map((account) => renderAccount(account, currency)),
    ...(parts.lines === undefined
      ? {}
      : {
          lines: parts.lines
            .slice(0, INLINE_LINES_MAX)
            .map((line) => renderLine(line, { currency, timezone, payer: head.payer })),
          linesTruncated: parts.lines.length > INLINE_LINES_MAX,
        }),
    hostedUrl: null,
    pdfUrl: null,
    replaces: head.replacesInvoiceId,
    replacedBy: head.replacedByInvoiceId,
  };
}

/** Who, when and under which number. */
function identity<Id extends string | null>(head: InvoiceHead<Id>) {
  const at = (instant: Instant | null) => (instant === null ? null : withOffset(instant, head.timezone));
  return {
    id: head.id,
    number: head.number,
    status: head.status,
    kind: head.kind,
    billingEntity: head.entity,
    payer: head.payer,
    billingGroupId: head.billingGroupId,
    splitSubscriptionId: head.splitSubscriptionId,
    runId: head.runId,
    currency: head.currency,
    timezone: head.timezone,
    boundaryAt: at(head.boundaryAt),
    issuedAt: at(head.issuedAt),
    issueDate: head.issueDate,
    issueDateText: head.issueDateText,
    dueDate: head.dueDate,
    purchaseOrder: head.purchaseOrder,
    createdAt: at(head.createdAt),
    paidAt: at(head.paidAt),
    voidedAt: at(head.voidedAt),
  };
}

/** A line as the API shows it: billed from its owner, to the payer of the invoice. */
export function renderLine<Id extends string | null>(
  line: LinePart<Id>,
  of: { currency: string; timezone: string; payer: InvoicePayerSnapshot },
) {
  const amount = (value: DecimalString) => toAmount(value, of.currency);
  const at = (instant: Instant | null) => (instant === null ? null : withOffset(instant, of.timezone));
  const { id, externalId, name } = of.payer;
  return {
    id: line.id,
    kind: line.kind,
    description: line.description,
    subscriptionId: line.subscriptionId,
    priceCode: line.priceCode,
    chargeId: line.chargeId,
    billedFrom: line.owner,
    billedTo: { customerId: id, externalId, name },
    periodStart: at(line.periodStart),
    periodEnd: at(line.periodEnd),
    quantity: line.quantity === null ? null : toPlain(line.quantity),
    unitAmount: line.unitAmount === null ? null : toPlain(line.unitAmount),
    amount: amount(line.amount),
    discount: amount(line.discount),
    taxable: amount(line.taxable),
    taxPercent: toPercent(line.taxPercent),
    tax: amount(line.tax),
    taxes: line.taxes.map((tax) => renderTax(tax, of.currency)),
    total: amount(line.total),
    creditsLineId: line.creditsLineId,
  };
}

const renderTax = ({ code, name, percent, base, amount, reason }: TaxPart, currency: string) => ({
  code,
  name,
  percent: toPercent(percent),
  base: toAmount(base, currency),
  amount: toAmount(amount, currency),
  reason,
});

const renderAccount = (account: AccountPart, currency: string) => ({
  customerId: account.customerId,
  externalId: account.externalId,
  name: account.name,
  label: account.label,
  subtotal: toAmount(account.subtotal, currency),
  discount: toAmount(account.discount, currency),
  tax: toAmount(account.tax, currency),
  total: toAmount(account.total, currency),
});
