import { defineEntity, p } from '@mikro-orm/core';
import type { InvoiceEntitySnapshot, InvoicePayerSnapshot } from '../../domain/invoice/snapshot.ts';
import { day, exact, flag, id, instant, int, ownTenant, percentage, text } from './columns.ts';

export type InvoiceStatus = 'DRAFT' | 'OPEN' | 'PAID' | 'VOID' | 'UNCOLLECTIBLE';
export type InvoiceKind = 'RECURRING' | 'IMMEDIATE' | 'CORRECTION';
export type LineKind =
  'RECURRING' | 'USAGE' | 'ONE_TIME' | 'SETUP' | 'PRORATION_CHARGE' | 'PRORATION_CREDIT' | 'MINIMUM';

/** An invoice. Once issued it is sealed by triggers: only what follows issue (status, payment) may still move (RN3). */
export const Invoice = defineEntity({
  name: 'Invoice',
  tableName: 'invoices',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  uniques: [
    {
      name: 'invoices_number_unique',
      properties: ['tenantId', 'billingEntityId', 'number'],
      where: 'number is not null',
    },
    {
      name: 'invoices_boundary_unique',
      expression:
        'create unique index "invoices_boundary_unique" on "invoices" ("tenant_id", "billing_group_id", "boundary_at", "kind", coalesce("split_subscription_id", \'\')) where boundary_at is not null and status <> \'VOID\'',
    },
  ],
  indexes: [
    { name: 'invoices_by_creation', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'invoices_payer', properties: ['tenantId', 'payerCustomerId', 'createdAt'] },
    { name: 'invoices_group', properties: ['tenantId', 'billingGroupId', 'boundaryAt'] },
    { name: 'invoices_run', properties: ['tenantId', 'runId'] },
    // Lists: a page is found, and its total counted, in the index of its filter alone.
    { name: 'invoices_by_status', properties: ['tenantId', 'status', 'createdAt', 'id'] },
    { name: 'invoices_by_entity', properties: ['tenantId', 'billingEntityId', 'createdAt', 'id'] },
    { name: 'invoices_by_issue_date', properties: ['tenantId', 'issueDate', 'createdAt', 'id'] },
    { name: 'invoices_by_boundary', properties: ['tenantId', 'boundaryAt', 'createdAt', 'id', 'timezone'] },
    {
      name: 'invoices_of_rare_kind',
      properties: ['tenantId', 'kind', 'createdAt', 'id'],
      where: `kind <> 'RECURRING'`,
    },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    runId: id(),
    kind: text().$type<InvoiceKind>(),
    status: text().$type<InvoiceStatus>(),
    number: text().nullable(),
    billingEntityId: id(),
    payerCustomerId: id(),
    billingGroupId: id().nullable(),
    /** The subscription whose shipping address keeps it off the rollup (G5). */
    splitSubscriptionId: id().nullable(),
    /** Order among the invoices of one run: the rollup first. */
    position: int(),
    currency: text(),
    timezone: text(),
    boundaryAt: instant().nullable(),
    issuedAt: instant().nullable(),
    issueDate: day().nullable(),
    /** The issue date as the document prints it (E8), sealed with the rest. */
    issueDateText: text().nullable(),
    dueDate: day().nullable(),
    purchaseOrder: text().nullable(),
    /** Copied in at issue (RN3); null on a draft. */
    entitySnapshot: p.json<InvoiceEntitySnapshot>().nullable(),
    payerSnapshot: p.json<InvoicePayerSnapshot>().nullable(),
    subtotal: exact(),
    discountTotal: exact(),
    taxTotal: exact(),
    total: exact(),
    creditGranted: exact(),
    creditsApplied: exact(),
    amountPaid: exact(),
    amountDue: exact(),
    hostedToken: text(),
    replacesInvoiceId: id().nullable(),
    replacedByInvoiceId: id().nullable(),
    createdAt: instant(),
    paidAt: instant().nullable(),
    voidedAt: instant().nullable(),
  },
});

/** One line of an invoice. */
export const InvoiceLine = defineEntity({
  name: 'InvoiceLine',
  tableName: 'invoice_lines',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  uniques: [{ name: 'invoice_lines_position_unique', properties: ['tenantId', 'invoiceId', 'position'] }],
  indexes: [
    { name: 'invoice_lines_credits', properties: ['tenantId', 'creditsLineId'], where: 'credits_line_id is not null' },
    { name: 'invoice_lines_subscription', properties: ['tenantId', 'subscriptionId'] },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    invoiceId: id(),
    position: int(),
    kind: text().$type<LineKind>(),
    description: text(),
    subscriptionId: id().nullable(),
    itemId: id().nullable(),
    termsVersion: int().nullable(),
    priceCode: text().nullable(),
    chargeId: id().nullable(),
    /** Billed from: who used it. */
    ownerCustomerId: id(),
    periodStart: instant().nullable(),
    periodEnd: instant().nullable(),
    /** For a late line, the start of the period that the charge belongs to when the line itself has another. */
    sourcePeriodStart: instant().nullable(),
    /** The date that picks its tax rates (RO3). */
    taxPoint: day(),
    taxCode: text().nullable(),
    taxInclusive: flag(),
    quantity: exact().nullable(),
    unitAmount: exact().nullable(),
    amount: exact(),
    discount: exact(),
    taxable: exact(),
    taxPercent: percentage(),
    tax: exact(),
    total: exact(),
    /** The line whose unused time this one gives back (RP5). */
    creditsLineId: id().nullable(),
    /** How it was computed (I4), a sentence a step. */
    explanation: p.json<readonly string[]>(),
  },
});

/** What one coupon took off one line. */
export const LineDiscount = defineEntity({
  name: 'LineDiscount',
  tableName: 'line_discounts',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    lineId: id().primary(),
    redemptionId: id().primary(),
    invoiceId: id(),
    couponCode: text(),
    amount: exact(),
  },
});

/** What one rate put on one line. */
export const LineTax = defineEntity({
  name: 'LineTax',
  tableName: 'line_taxes',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    lineId: id().primary(),
    position: int().primary(),
    invoiceId: id(),
    code: text(),
    name: text(),
    percent: percentage(),
    base: exact(),
    amount: exact(),
    reason: text().nullable(),
  },
});

/** The per-rate summary of an invoice. */
export const InvoiceTax = defineEntity({
  name: 'InvoiceTax',
  tableName: 'invoice_taxes',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    invoiceId: id().primary(),
    position: int().primary(),
    code: text(),
    name: text(),
    percent: percentage(),
    base: exact(),
    amount: exact(),
    reason: text().nullable(),
  },
});

/** Each account with a line on an invoice, with its name as it was (G6, RN3). */
export const InvoiceAccount = defineEntity({
  name: 'InvoiceAccount',
  tableName: 'invoice_accounts',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    invoiceId: id().primary(),
    customerId: id().primary(),
    position: int(),
    externalId: text().nullable(),
    name: text(),
    label: text().$type<'Primary Account' | 'Linked Account'>(),
    subtotal: exact(),
    discount: exact(),
    tax: exact(),
    total: exact(),
  },
});

/** Money received for an invoice. */
export const Payment = defineEntity({
  name: 'Payment',
  tableName: 'payments',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'payments_invoice', properties: ['tenantId', 'invoiceId'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    invoiceId: id(),
    amount: exact(),
    currency: text(),
    method: text(),
    reference: text().nullable(),
    receivedAt: instant(),
  },
});
