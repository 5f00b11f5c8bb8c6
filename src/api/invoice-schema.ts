import { z } from 'zod';
import { shown } from './schemas.ts';

export const invoiceStatus = z.enum(['DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE']);
export const invoiceKind = z.enum(['RECURRING', 'IMMEDIATE', 'CORRECTION']);

const lineKind = z.enum(['RECURRING', 'USAGE', 'ONE_TIME', 'SETUP', 'PRORATION_CHARGE', 'PRORATION_CREDIT', 'MINIMUM']);

const tax = z
  .object({
    code: z.string(),
    name: z.string(),
    percent: shown.percent(),
    base: shown.amount(),
    amount: shown.amount(),
    reason: z.string().nullable().meta({ description: 'Why no tax is due: EXEMPT.' }),
  })
  .meta({ id: 'InvoiceTax' });

const accountName = z
  .object({ customerId: shown.id(), externalId: z.string().nullable(), name: z.string() })
  .meta({ id: 'InvoiceAccountName', description: 'By the name that it had at issue.' });

const account = z
  .object({
    customerId: shown.id(),
    externalId: z.string().nullable(),
    name: z.string(),
    label: z.enum(['Primary Account', 'Linked Account']),
    subtotal: shown.amount(),
    discount: shown.amount(),
    tax: shown.amount(),
    total: shown.amount(),
  })
  .meta({ id: 'InvoiceAccount' });

const lineFields = {
  kind: lineKind,
  description: z.string(),
  subscriptionId: shown.id().nullable(),
  priceCode: z.string().nullable(),
  chargeId: shown.id().nullable(),
  billedFrom: accountName,
  billedTo: accountName,
  periodStart: shown.instant().nullable(),
  periodEnd: shown.instant().nullable().meta({ description: 'Not inside the period.' }),
  quantity: shown.decimal().nullable().meta({ description: 'Before proration.' }),
  unitAmount: shown.decimal().nullable().meta({ description: 'Before proration.' }),
  amount: shown.amount().meta({ description: 'Before discount, signed; gross where the price is inclusive.' }),
  discount: shown.amount(),
  taxable: shown.amount().meta({ description: 'After discount, without tax.' }),
  taxPercent: shown.percent().meta({ description: 'The sum of its rates.' }),
  tax: shown.amount(),
  taxes: z.array(tax),
  total: shown.amount().meta({ description: 'taxable + tax' }),
  creditsLineId: shown.id().nullable().meta({ description: 'The line whose unused time this one gives back.' }),
};

export const invoiceLine = z.object({ id: shown.id(), ...lineFields }).meta({ id: 'InvoiceLine' });
const previewedLine = z.object({ id: z.null(), ...lineFields }).meta({ id: 'PreviewedInvoiceLine' });

const entitySnapshot = z
  .object({
    id: shown.id(),
    entityCode: z.string(),
    displayName: z.string(),
    legalName: z.string(),
    countryCode: z.string(),
    address: shown.address().nullable(),
    taxRegistrationNumber: z.string().nullable(),
    taxJurisdiction: z.string().nullable(),
    logoUrl: z.string().nullable(),
    footerText: z.string().nullable(),
  })
  .meta({ id: 'InvoiceBillingEntity', description: 'As it was at issue; on a draft, as it is now.' });

const payerSnapshot = z
  .object({
    id: shown.id(),
    externalId: z.string().nullable(),
    name: z.string(),
    email: z.string().nullable(),
    taxId: z.string().nullable(),
    address: shown.address().nullable(),
  })
  .meta({ id: 'InvoicePayer', description: 'As it was at issue; on a draft, as it is now.' });

const head = {
  number: z
    .string()
    .nullable()
    .meta({ description: 'Null on a draft.', examples: ['INV-0001'] }),
  status: invoiceStatus,
  kind: invoiceKind,
  billingEntity: entitySnapshot,
  payer: payerSnapshot,
  billingGroupId: shown.id().nullable(),
  splitSubscriptionId: shown
    .id()
    .nullable()
    .meta({ description: 'Set when a shipping address keeps it off the rollup.' }),
  runId: shown.id().nullable(),
  currency: z.string(),
  timezone: z.string().meta({ description: 'The pinned zone, whose offset its instants carry.' }),
  boundaryAt: shown.instant().nullable().meta({ description: 'The due instant; null for one billed at once.' }),
  issuedAt: shown.instant().nullable(),
  issueDate: shown.date().nullable(),
  issueDateText: z
    .string()
    .nullable()
    .meta({ examples: ['Jul 31, 2026 (JST)'] }),
  dueDate: shown.date().nullable(),
  purchaseOrder: z.string().nullable(),
  createdAt: shown.instant().nullable(),
  paidAt: shown.instant().nullable(),
  voidedAt: shown.instant().nullable(),
  subtotal: shown.amount(),
  discountTotal: shown.amount(),
  taxTotal: shown.amount(),
  total: shown.amount(),
  creditGranted: shown.amount().meta({ description: 'What the lines came to below 0: a credit of the payer.' }),
  creditsApplied: shown.amount(),
  amountPaid: shown.amount(),
  amountDue: shown.amount(),
  taxes: z.array(tax),
  credits: z.array(z.object({ grantId: shown.id(), kind: z.string(), amount: shown.amount() })),
  accounts: z.array(account),
  linesTruncated: z.boolean().optional().meta({ description: 'Whether there are more lines, under `/lines`.' }),
  hostedUrl: z.string().nullable(),
  pdfUrl: z.string().nullable(),
  replaces: shown.id().nullable(),
  replacedBy: shown.id().nullable(),
};

/** An invoice with its first lines; in a list they are absent unless asked for. */
export const invoice = z
  .object({ id: shown.id(), ...head, lines: z.array(invoiceLine).optional() })
  .meta({ id: 'Invoice' });

/** What is not stored has no ids of its own. */
export const previewedInvoice = z
  .object({ id: z.null(), ...head, lines: z.array(previewedLine).optional() })
  .meta({ id: 'PreviewedInvoice' });
