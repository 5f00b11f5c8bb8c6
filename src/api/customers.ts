import { z } from 'zod';
import { changeCustomer, createCustomer, moveCustomer } from '../db/customer-changes.ts';
import { readHierarchy } from '../db/customer-tree.ts';
import { listCustomers, readCustomer } from '../db/customer-views.ts';
import { resolveCustomerId } from '../db/customers.ts';
import { contact, contactBody } from './customer-contacts.ts';
import { listOf, listQuery } from './listing.ts';
import { route } from './route.ts';
import { country, currency, email, percent, postalAddress, reference, shown, text, wholeNumber } from './schemas.ts';

const billTo = z.enum(['PARENT', 'SELF']);
const invoicingFlow = z.enum(['AUTOMATIC', 'REVIEW']);
const customerStatus = z.enum(['ACTIVE', 'ARCHIVED']);
const ALIASES_MAX = 100;
const CONTACTS_MAX = 100;

/** What PUT may change, each field as it must be when it is sent. */
const editable = {
  externalId: text().nullable().meta({ description: 'One of its aliases; the one shown on documents.' }),
  name: text(200),
  email: email().nullable(),
  firstName: text(100).nullable(),
  lastName: text(100).nullable(),
  currency: currency().nullable(),
  address: postalAddress().nullable(),
  taxRate: percent().nullable().meta({ description: 'Its own rate in per cent; null leaves it to /tax-rates.' }),
  taxExempt: z.boolean(),
  taxId: text(50).nullable(),
  taxCountry: country().nullable(),
  billingEntityId: reference().nullable(),
  parentCustomerId: reference().nullable().meta({ description: 'An id or `externalId:<value>`; null for none.' }),
  billTo,
  paymentTermsDays: wholeNumber(0, 3650).meta({ description: 'Net N; 30 unless sent.' }),
  autoPay: z.boolean(),
  invoicingFlow,
  aliases: z.array(text()).max(ALIASES_MAX, `At most ${ALIASES_MAX}.`).meta({ description: 'On PUT: all of them.' }),
  contacts: z
    .array(contactBody)
    .max(CONTACTS_MAX, `At most ${CONTACTS_MAX}.`)
    .meta({ description: 'On PUT: all of them.' }),
  testClockId: reference().nullable().meta({ description: 'Set at creation, immutable.' }),
};

const createBody = z.strictObject(editable).partial().required({ name: true }).meta({ id: 'NewCustomer' });
const updateBody = z.strictObject(editable).partial().meta({ id: 'CustomerChange' });

const named = z
  .object({ id: shown.id(), externalId: z.string().nullable(), name: z.string() })
  .meta({ id: 'NamedCustomer' });

export const customer = z
  .object({
    id: shown.id(),
    externalId: z.string().nullable(),
    name: z.string(),
    email: z.string().nullable(),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    currency: z.string().nullable(),
    address: shown.address().nullable(),
    taxRate: shown.percent().nullable(),
    taxExempt: z.boolean(),
    taxId: z.string().nullable(),
    taxCountry: z.string().nullable(),
    billingEntityId: shown.id().nullable(),
    parentCustomerId: shown.id().nullable(),
    parent: named.nullable(),
    billTo,
    payerCustomerId: shown.id().meta({ description: 'Who pays for its new subscriptions unless they say otherwise.' }),
    billingNotice: z
      .object({ subscriptions: z.string(), invoices: z.string() })
      .nullable()
      .meta({ description: 'Set when another customer pays: the texts to show beside subscriptions and invoices.' }),
    paymentTermsDays: z.int(),
    autoPay: z.boolean(),
    invoicingFlow,
    aliases: z.array(z.string()),
    contacts: z.array(contact),
    status: customerStatus,
    testClockId: shown.id().nullable(),
    createdAt: shown.instant(),
  })
  .meta({ id: 'Customer' });

const treeNode = z
  .object({
    id: shown.id(),
    externalId: z.string().nullable(),
    name: z.string(),
    status: customerStatus,
    billTo,
    payerCustomerId: shown.id(),
    get children() {
      return z.array(treeNode);
    },
  })
  .meta({ id: 'CustomerTreeNode' });

const tag = 'Customers';
const filters = {
  status: customerStatus.optional(),
  externalId: text().optional(),
  email: text().optional(),
  currency: text(3).optional(),
  billingEntityId: reference().optional(),
  testClockId: reference().optional(),
  search: text(100).optional(),
};

/** One verb of the life cycle. */
const action = (verb: 'archive' | 'reactivate', summary: string, description: string) =>
  route({
    method: 'POST',
    path: `/customers/:customerId/${verb}`,
    tag,
    summary,
    description,
    scope: 'write',
    response: customer,
    handler: async ({ tx, params, actor, tenant }) =>
      moveCustomer(tx, await resolveCustomerId(tx, params.customerId), verb, { actor, mode: tenant.mode }),
  });

export const customerRoutes = [
  route({
    method: 'GET',
    path: '/customers',
    tag,
    summary: 'List customers',
    scope: 'read',
    query: listQuery(['createdAt', 'name'], { ...filters, parentCustomerId: reference().optional() }),
    response: listOf(customer),
    handler: ({ tx, query }) => listCustomers(tx, query),
  }),
  route({
    method: 'POST',
    path: '/customers',
    tag,
    summary: 'Create a customer',
    description: 'A child inherits the test clock of its parent. A parent needs no preparation.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: customer,
    handler: ({ tx, body, actor, tenant }) => createCustomer(tx, body, { actor, mode: tenant.mode }),
  }),
  route({
    method: 'GET',
    path: '/customers/:customerId',
    tag,
    summary: 'Read a customer',
    scope: 'read',
    response: customer,
    handler: async ({ tx, params }) => readCustomer(tx, await resolveCustomerId(tx, params.customerId)),
  }),
  route({
    method: 'PUT',
    path: '/customers/:customerId',
    tag,
    summary: 'Change a customer',
    description:
      'Only what is sent changes. A new parent is noticed by future subscriptions alone; nothing issued moves.',
    scope: 'write',
    body: updateBody,
    response: customer,
    handler: async ({ tx, params, body, actor, tenant }) =>
      changeCustomer(tx, await resolveCustomerId(tx, params.customerId), body, { actor, mode: tenant.mode }),
  }),
  action('archive', 'Archive a customer', 'It can be owner, payer or parent of nothing new; what runs goes on.'),
  action('reactivate', 'Reactivate a customer', 'It can be used again.'),
  route({
    method: 'GET',
    path: '/customers/:customerId/children',
    tag,
    summary: 'List the direct children of a customer',
    scope: 'read',
    query: listQuery(['createdAt', 'name'], filters),
    response: listOf(customer),
    handler: ({ tx, params, query }) => listCustomers(tx, { ...query, parentCustomerId: params.customerId }),
  }),
  route({
    method: 'GET',
    path: '/customers/:customerId/hierarchy',
    tag,
    summary: 'Read the whole tree that a customer stands in',
    scope: 'read',
    response: z
      .object({ customerId: shown.id(), ancestors: z.array(named), tree: treeNode })
      .meta({ id: 'CustomerHierarchy' }),
    handler: async ({ tx, params }) => readHierarchy(tx, await resolveCustomerId(tx, params.customerId)),
  }),
];
