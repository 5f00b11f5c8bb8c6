import { z } from 'zod';
import { grantCredit, listGrants, readGrant, readWallet } from '../db/credits.ts';
import { resolveCustomerId } from '../db/customers.ts';
import { listOf, listQuery } from './listing.ts';
import { route } from './route.ts';
import { currency, instant, positiveMoney, reference, shown, text, wholeNumber } from './schemas.ts';

const kind = z.enum(['PAID', 'PROMOTIONAL', 'GIFT_CARD', 'REFUND']);
const PRIORITY_MAX = 1_000_000;

const createBody = z
  .strictObject({
    customerId: reference(),
    amount: positiveMoney(),
    currency: currency().optional().meta({ description: "The customer's, else its entity's base, unless sent." }),
    kind: kind.default('PROMOTIONAL'),
    priority: wholeNumber(0, PRIORITY_MAX).default(100).meta({ description: 'Lower ones are spent first.' }),
    expiresAt: instant().nullish().meta({ description: 'From this instant on what remains is void.' }),
  })
  .meta({ id: 'NewCreditGrant' });

const grant = z
  .object({
    id: shown.id(),
    customerId: shown.id(),
    kind,
    currency: z.string(),
    amount: shown.amount(),
    remaining: shown.amount().meta({ description: 'Less what issued invoices and drafts took.' }),
    priority: z.int(),
    expiresAt: shown.instant().nullable(),
    sourceInvoiceId: shown.id().nullable().meta({ description: 'The invoice whose surplus it was.' }),
    createdAt: shown.instant(),
  })
  .meta({ id: 'CreditGrant' });

const transaction = z
  .object({
    type: z.enum(['GRANTED', 'RESERVED', 'APPLIED', 'RELEASED', 'EXPIRED']),
    at: shown.instant(),
    grantId: shown.id(),
    invoiceId: shown.id().nullable(),
    currency: z.string(),
    amount: shown.amount().meta({ description: 'What it did to the balance: signed.' }),
  })
  .meta({ id: 'WalletTransaction' });

const wallet = z
  .object({
    balances: z
      .array(z.object({ currency: z.string(), amount: shown.amount() }))
      .meta({ description: 'What can be spent now, by currency; expired grants do not count.' }),
    grants: z.array(grant),
    transactions: z
      .array(transaction)
      .meta({ description: 'Oldest first; those of a currency add up to its balance.' }),
  })
  .meta({ id: 'Wallet' });

const tag = 'Credits';

export const creditRoutes = [
  route({
    method: 'GET',
    path: '/credits',
    tag,
    summary: 'List credit grants',
    scope: 'read',
    query: listQuery(['createdAt', 'expiresAt'], {
      customerId: reference().optional(),
      currency: text(3).optional(),
      kind: kind.optional(),
    }),
    response: listOf(grant),
    handler: ({ tx, query }) => listGrants(tx, query),
  }),
  route({
    method: 'POST',
    path: '/credits',
    tag,
    summary: 'Grant credit to a customer',
    description:
      'It settles invoices that the customer pays, in its own currency, after tax: lowest priority first, then the soonest to ' +
      'expire, then the oldest.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: grant,
    handler: ({ tx, body, actor }) => grantCredit(tx, body, actor),
  }),
  route({
    method: 'GET',
    path: '/credits/:creditId',
    tag,
    summary: 'Read a credit grant',
    scope: 'read',
    response: grant,
    handler: ({ tx, params }) => readGrant(tx, params.creditId),
  }),
  route({
    method: 'GET',
    path: '/customers/:customerId/wallet',
    tag,
    summary: 'Read the wallet of a customer',
    description: "What it can spend at its clock's now, every grant, and every transaction.",
    scope: 'read',
    response: wallet,
    handler: async ({ tx, params }) => readWallet(tx, await resolveCustomerId(tx, params.customerId)),
  }),
];
