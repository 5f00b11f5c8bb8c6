import { z } from 'zod';
import { resolveCustomerId } from '../db/customers.ts';
import type { Tx } from '../db/database.ts';
import { discardDraft } from '../db/invoices/discard.ts';
import {
  type BoundaryLimit,
  type InvoiceFilters,
  listInvoiceLines,
  listInvoices,
  readInvoice,
} from '../db/invoices/list.ts';
import { sealDraft } from '../db/invoices/seal.ts';
import { isCalendarDate, parseInstant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { invoice, invoiceKind, invoiceLine, invoiceStatus } from './invoice-schema.ts';
import { feedOf, feedQuery } from './listing.ts';
import { noContent, route } from './route.ts';
import { calendarDate, DATE_FORM, INSTANT_FORM, reference, text } from './schemas.ts';

const tag = 'Invoices';

/** An instant, or a local date in the invoice's zone. */
const boundaryLimit = () =>
  z
    .string()
    .transform((value, context): BoundaryLimit => {
      if (isCalendarDate(value)) return { on: value };
      try {
        return { at: parseInstant(value) };
      } catch (error) {
        if (!(error instanceof BillingError)) throw error;
        context.addIssue({
          code: 'custom',
          message: "Send an instant with an offset, or a date 'YYYY-MM-DD'.",
          params: { code: error.code },
        });
        return z.NEVER;
      }
    })
    .meta({
      description: 'Inclusive.',
      examples: ['2026-08-01T00:00:00Z', '2026-08-01'],
      anyOf: [DATE_FORM, INSTANT_FORM],
    });

const filters = {
  billingGroupId: reference().optional(),
  billingEntityId: reference().optional(),
  subscriptionId: reference().optional().meta({ description: 'Those with a line of the subscription.' }),
  status: invoiceStatus.optional(),
  kind: invoiceKind.optional(),
  number: text(200).optional(),
  boundaryFrom: boundaryLimit().optional(),
  boundaryTo: boundaryLimit().optional(),
  issueDateFrom: calendarDate().optional().meta({ description: 'Inclusive.' }),
  issueDateTo: calendarDate().optional().meta({ description: 'Inclusive.' }),
  include: z.enum(['lines']).optional().meta({ description: '`lines`: with the first 500 lines of each.' }),
};

type Asked = InvoiceFilters & {
  readonly page: number;
  readonly size: number;
  readonly cursor?: string | undefined;
  readonly sort: { readonly descending: boolean };
  readonly include?: 'lines' | undefined;
};

const listBy = (tx: Tx, { sort, include, ...query }: Asked) =>
  listInvoices(tx, { ...query, descending: sort.descending, lines: include === 'lines' });

export const invoiceRoutes = [
  route({
    method: 'GET',
    path: '/invoices',
    tag,
    summary: 'List invoices',
    description:
      'In the order of their creation. Drafts are among them: filter by status. Items lack `lines` unless asked for.',
    scope: 'read',
    query: feedQuery(['createdAt'], { payerCustomerId: reference().optional(), ...filters }),
    response: feedOf(invoice),
    handler: async ({ tx, query: { payerCustomerId: payer, ...query } }) =>
      listBy(tx, {
        ...query,
        payerCustomerId: payer === undefined ? undefined : await resolveCustomerId(tx, payer, 'payerCustomerId'),
      }),
  }),
  route({
    method: 'GET',
    path: '/customers/:customerId/invoices',
    tag: 'Customers',
    summary: 'List the invoices billed to a customer',
    description: 'Those it pays, with the lines of the accounts that bill to it.',
    scope: 'read',
    query: feedQuery(['createdAt'], filters),
    response: feedOf(invoice),
    handler: async ({ tx, params, query }) =>
      listBy(tx, { ...query, payerCustomerId: await resolveCustomerId(tx, params.customerId) }),
  }),
  route({
    method: 'GET',
    path: '/invoices/:invoiceId',
    tag,
    summary: 'Read an invoice',
    description: 'With its first 500 lines; `linesTruncated` says whether there are more.',
    scope: 'read',
    response: invoice,
    handler: ({ tx, params }) => readInvoice(tx, params.invoiceId),
  }),
  route({
    method: 'GET',
    path: '/invoices/:invoiceId/lines',
    tag,
    summary: 'List the lines of an invoice',
    description: 'All of them, in the order of the document.',
    scope: 'read',
    query: feedQuery(['position'], {}),
    response: feedOf(invoiceLine),
    handler: ({ tx, params, query: { sort, ...query } }) =>
      listInvoiceLines(tx, params.invoiceId, { ...query, descending: sort.descending }),
  }),
  route({
    method: 'POST',
    path: '/invoices/:invoiceId/issue',
    tag,
    summary: 'Issue a draft that waits for review',
    description:
      'Coupons, tax and credits are computed anew; the drafts of its run are issued together, the rollup first. A draft of 0 of an entity that skips those is dropped and shown as it last stood.',
    scope: 'write',
    response: invoice,
    handler: ({ tx, params, actor }) => sealDraft(tx, params.invoiceId, actor),
  }),
  route({
    method: 'DELETE',
    path: '/invoices/:invoiceId',
    tag,
    summary: 'Discard a draft',
    description: 'What it holds is released: its charges are billed by the next event of the group, or by bill-now.',
    scope: 'write',
    status: 204,
    response: noContent,
    handler: ({ tx, params, actor }) => discardDraft(tx, params.invoiceId, actor),
  }),
];
