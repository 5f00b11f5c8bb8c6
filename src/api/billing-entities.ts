import { z } from 'zod';
import { listEntities, readEntity } from '../db/billing-entities.ts';
import { changeEntity, createEntity, moveEntity } from '../db/entity-changes.ts';
import { NO_CONTROL } from './code-schema.ts';
import { listOf, listQuery } from './listing.ts';
import { route } from './route.ts';
import { country, currency, postalAddress, shown, text, timezone, webUrl, wholeNumber } from './schemas.ts';

const entityStatus = z.enum(['ACTIVE', 'SUSPENDED', 'ARCHIVED']);
const numberReset = z.enum(['NEVER', 'YEARLY', 'MONTHLY']);
const roundingMode = z.enum(['HALF_UP', 'HALF_EVEN']);
const zeroInvoices = z.enum(['ISSUE', 'SKIP']);

const entityCode = () =>
  z
    .string()
    .regex(/^[A-Z0-9_-]{1,20}$/, 'Send 1 to 20 of A-Z, 0-9, "_" and "-", such as "EU".')
    .meta({ description: 'Immutable: it anchors the invoice numbers.', examples: ['JP'] });
/** Empty for numbers that begin with something else. */
const prefix = () =>
  z
    .string()
    .max(40, 'Too long: at most 40 characters.')
    .refine((value) => !/\p{Cc}/u.test(value), 'Holds a control character.')
    .meta({ pattern: NO_CONTROL });
const format = () =>
  text(64).meta({
    description: 'Tokens: {prefix}, {seq}, {seq:0000}, {YYYY}, {YY}, {MM}, {DD}.',
    examples: ['{prefix}-{YYYY}-{seq:0000}'],
  });

/** What PUT may change, each field as it must be when it is sent. */
const editable = {
  displayName: text(200),
  legalName: text(300),
  reportingCurrency: currency().nullable(),
  countryCode: country(),
  billingTimezone: timezone(),
  taxRegistrationNumber: text(100).nullable(),
  taxJurisdiction: text(100).nullable(),
  address: postalAddress().nullable(),
  invoiceNumberPrefix: prefix(),
  invoiceNumberFormat: format(),
  creditNotePrefix: prefix(),
  creditNoteFormat: format(),
  numberReset,
  firstNumber: wholeNumber(1, 1_000_000_000).meta({ description: 'Until the first issue only.' }),
  roundingMode,
  zeroInvoices,
  logoUrl: webUrl().nullable(),
  footerText: text(2000).nullable(),
  isDefault: z.boolean(),
};

const createBody = z
  .strictObject({ ...editable, entityCode: entityCode(), baseCurrency: currency() })
  .partial()
  .required({ entityCode: true, displayName: true, baseCurrency: true, countryCode: true })
  .meta({ id: 'NewBillingEntity' });

const updateBody = z
  .strictObject({ ...editable, entityCode: entityCode(), baseCurrency: currency() })
  .partial()
  .meta({ id: 'BillingEntityChange' });

const billingEntity = z
  .object({
    id: shown.id(),
    entityCode: z.string(),
    displayName: z.string(),
    legalName: z.string(),
    baseCurrency: z.string(),
    reportingCurrency: z.string().nullable(),
    countryCode: z.string(),
    billingTimezone: z.string(),
    taxRegistrationNumber: z.string().nullable(),
    taxJurisdiction: z.string().nullable(),
    address: shown.address().nullable(),
    invoiceNumberPrefix: z.string(),
    invoiceNumberFormat: z.string(),
    creditNotePrefix: z.string(),
    creditNoteFormat: z.string(),
    numberReset,
    firstNumber: z.int(),
    roundingMode,
    zeroInvoices,
    logoUrl: z.string().nullable(),
    footerText: z.string().nullable(),
    isDefault: z.boolean(),
    status: entityStatus,
    createdAt: shown.instant(),
  })
  .meta({ id: 'BillingEntity' });

const tag = 'Billing entities';

/** One verb of the life cycle (E4). */
const action = (verb: 'set-default' | 'suspend' | 'reactivate' | 'archive', summary: string, description: string) =>
  route({
    method: 'POST',
    path: `/billing-entities/:entityId/${verb}`,
    tag,
    summary,
    description,
    scope: 'write',
    response: billingEntity,
    handler: ({ tx, params, actor }) => moveEntity(tx, params.entityId, verb, actor),
  });

const readOne = route({
  method: 'GET',
  path: '/billing-entities/:entityId',
  tag,
  summary: 'Read a billing entity',
  scope: 'read',
  response: billingEntity,
  handler: ({ tx, params }) => readEntity(tx, params.entityId),
});

export const internalBillingEntityRoutes = [readOne];

export const billingEntityRoutes = [
  route({
    method: 'GET',
    path: '/billing-entities',
    tag,
    summary: 'List billing entities',
    scope: 'read',
    query: listQuery(['createdAt', 'entityCode', 'displayName'], {
      status: entityStatus.optional(),
      entityCode: text(20).optional(),
    }),
    response: listOf(billingEntity),
    handler: ({ tx, query }) => listEntities(tx, query),
  }),
  route({
    method: 'POST',
    path: '/billing-entities',
    tag,
    summary: 'Create a billing entity',
    description:
      'Code and base currency are for ever. With `isDefault` it takes over as the default in the same transaction.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: billingEntity,
    handler: ({ tx, body, actor }) => createEntity(tx, body, actor),
  }),
  readOne,
  route({
    method: 'PUT',
    path: '/billing-entities/:entityId',
    tag,
    summary: 'Change a billing entity',
    description: 'Only what is sent changes. A new timezone reaches new subscriptions alone.',
    scope: 'write',
    body: updateBody,
    response: billingEntity,
    handler: ({ tx, params, body, actor }) => changeEntity(tx, params.entityId, body, actor),
  }),
  action('set-default', 'Make it the default', 'The one before is it no more, in the same transaction.'),
  action('suspend', 'Suspend', 'Its billing runs wait and catch up in order on reactivation. Not the default.'),
  action('reactivate', 'Reactivate', 'Runs that waited are billed, oldest first.'),
  action(
    'archive',
    'Archive',
    'For good: nothing new is bound to it; what is bound is billed until it ends. Not the default.',
  ),
];
