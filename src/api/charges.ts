import { z } from 'zod';
import { createCharge } from '../db/charges/create.ts';
import { deleteCharge } from '../db/charges/delete.ts';
import { listCharges, readCharge } from '../db/charges/views.ts';
import { resolveCustomerId } from '../db/customers.ts';
import type { Tx } from '../db/database.ts';
import { listOf, listQuery } from './listing.ts';
import { noContent, route } from './route.ts';
import { calendarDate, currency, reference, shown, signedMoney, signedQuantity, text } from './schemas.ts';

const timing = z.enum(['NEXT_INVOICE', 'IMMEDIATE']);

const createBody = z
  .strictObject({
    customerId: reference().meta({ description: 'Who is charged: an id or `externalId:<value>`.' }),
    description: text(500),
    amount: signedMoney().optional().meta({ description: 'Below 0 it is a manual credit line.' }),
    quantity: signedQuantity().optional().meta({ description: 'With `unitAmount`; 1 unless sent.' }),
    unitAmount: signedMoney().optional(),
    currency: currency()
      .optional()
      .meta({ description: "The named group's, else the payer's, else the entity's base." }),
    timing: timing.default('NEXT_INVOICE'),
    chargeOn: calendarDate().optional().meta({ description: 'Due from this day on; today unless sent.' }),
    invoicingCustomerId: reference()
      .optional()
      .meta({ description: 'Who pays; found as for a subscription unless sent.' }),
    billingGroupId: reference().optional(),
    billingEntityId: reference().optional(),
    taxCode: text(100).optional(),
  })
  .superRefine((body, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (body.amount !== undefined && body.unitAmount !== undefined) {
      refuse('unitAmount', 'amount and unitAmount exclude each other. Send one of them.');
    }
    if (body.amount !== undefined && body.quantity !== undefined) {
      refuse('quantity', 'A quantity goes with unitAmount. Send unitAmount instead of amount, or leave quantity out.');
    }
    if (body.amount === undefined && body.unitAmount === undefined) {
      refuse('amount', 'Send an amount, or a unitAmount with a quantity.');
    }
  })
  .meta({
    id: 'NewCharge',
    oneOf: [
      { required: ['amount'], allOf: [{ not: { required: ['unitAmount'] } }, { not: { required: ['quantity'] } }] },
      { required: ['unitAmount'], not: { required: ['amount'] } },
    ],
  });

const charge = z
  .object({
    id: shown.id(),
    customerId: shown.id(),
    payerCustomerId: shown.id(),
    billingGroupId: shown.id().nullable(),
    billingEntityId: shown.id(),
    currency: z.string(),
    description: z.string(),
    quantity: shown.decimal(),
    unitAmount: shown.decimal(),
    amount: shown.amount(),
    taxCode: z.string().nullable(),
    timing,
    chargeOn: shown.date(),
    status: z.enum(['WAITING', 'BILLED']).meta({ description: 'BILLED: an invoice has taken it, be it a draft.' }),
    invoiceId: shown.id().nullable(),
    runId: shown.id().nullable().meta({ description: 'The run that took it, or that was asked to bill it at once.' }),
    createdAt: shown.instant(),
  })
  .meta({ id: 'Charge' });

const tag = 'Charges';

/** A customer named in a filter; absent stays absent. */
const customerOf = async (tx: Tx, named: string | undefined, path: string) =>
  named === undefined ? undefined : await resolveCustomerId(tx, named, path);

export const chargeRoutes = [
  route({
    method: 'GET',
    path: '/charges',
    tag,
    summary: 'List one-time charges',
    scope: 'read',
    query: listQuery(['createdAt'], {
      customerId: reference().optional(),
      payerCustomerId: reference().optional(),
      billingGroupId: reference().optional(),
      billingEntityId: reference().optional(),
      currency: text(3).optional(),
      timing: timing.optional(),
      status: z.enum(['WAITING', 'BILLED']).optional(),
    }),
    response: listOf(charge),
    handler: async ({ tx, query: { sort, ...query } }) =>
      listCharges(tx, {
        ...query,
        descending: sort.descending,
        customerId: await customerOf(tx, query.customerId, 'customerId'),
        payerCustomerId: await customerOf(tx, query.payerCustomerId, 'payerCustomerId'),
      }),
  }),
  route({
    method: 'POST',
    path: '/charges',
    tag,
    summary: 'Charge once',
    description:
      'NEXT_INVOICE: it is on the next invoice of its group, or of the payer when it names none. IMMEDIATE: an invoice of its own, at once; it needs no group.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: charge,
    handler: async ({ tx, body, actor }) => readCharge(tx, await createCharge(tx, body, actor)),
  }),
  route({
    method: 'GET',
    path: '/charges/:chargeId',
    tag,
    summary: 'Read a one-time charge',
    scope: 'read',
    response: charge,
    handler: ({ tx, params }) => readCharge(tx, params.chargeId),
  }),
  route({
    method: 'DELETE',
    path: '/charges/:chargeId',
    tag,
    summary: 'Delete a charge that waits',
    scope: 'write',
    status: 204,
    response: noContent,
    handler: ({ tx, params, actor }) => deleteCharge(tx, params.chargeId, actor),
  }),
];
