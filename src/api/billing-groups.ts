import { z } from 'zod';
import { resolveCustomerId } from '../db/customers.ts';
import { changeGroup, openNamedGroup } from '../db/group-changes.ts';
import { listGroups, readGroup, readSchedule } from '../db/group-views.ts';
import { previewInvoices } from '../db/invoices/preview.ts';
import { billingGroup, groupStatus, linked } from './billing-group-schema.ts';
import { billingGroupVerbRoutes } from './billing-group-verbs.ts';
import { cadence } from './cadence-schema.ts';
import { previewedInvoice } from './invoice-schema.ts';
import { listOf, listQuery, queryNumber } from './listing.ts';
import { route } from './route.ts';
import { boundaryList } from './schedules.ts';
import { calendarDate, currency, reference, shown, text, wholeNumber } from './schemas.ts';

const tag = 'Billing groups';
const SETTLE_MINUTES_MAX = 1440;
const SCHEDULE_MAX = 500;

const editable = {
  name: text(200).nullish(),
  taxAddress: z.enum(['PAYER', 'OWNER']).optional(),
  midCycleCharges: z.enum(['NEXT_INVOICE', 'IMMEDIATE']).optional(),
  settleMinutes: wholeNumber(0, SETTLE_MINUTES_MAX).optional(),
  graceHours: z
    .literal(0, { error: 'A grace period is not supported yet: send 0, or leave the field out.' })
    .optional(),
  purchaseOrder: text(100).nullish(),
};

const createBody = z
  .strictObject({
    ...editable,
    payerCustomerId: reference(),
    billingEntityId: reference().optional(),
    currency: currency().optional(),
    cadence: cadence().optional(),
    anchorDate: calendarDate().nullish(),
  })
  .meta({ id: 'NewBillingGroup' });

const preview = (method: 'GET' | 'POST') =>
  route({
    method,
    path: '/billing-groups/:billingGroupId/preview',
    tag,
    summary: 'Preview the next invoice',
    description: 'What the next boundary would issue as things stand, from the code that issues it; writes nothing.',
    scope: 'read',
    refusable: true,
    response: z.object({ boundaryAt: shown.instant(), invoices: z.array(previewedInvoice) }),
    handler: ({ tx, params }) => previewInvoices(tx, params.billingGroupId),
  });

export const billingGroupRoutes = [
  route({
    method: 'POST',
    path: '/billing-groups',
    tag,
    summary: 'Create a billing group',
    description: 'Entity, currency and zone are pinned. Without an anchorDate the first subscription gives it.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: billingGroup,
    handler: async ({ tx, body: { graceHours: _, ...body }, actor, tenant, links }) =>
      linked(await readGroup(tx, await openNamedGroup(tx, body, actor)), { tenant, links }),
  }),
  route({
    method: 'GET',
    path: '/billing-groups',
    tag,
    summary: 'List billing groups',
    scope: 'read',
    query: listQuery(['createdAt'], {
      payerCustomerId: reference().optional(),
      billingEntityId: reference().optional(),
      status: groupStatus.optional(),
      currency: currency().optional(),
    }),
    response: listOf(billingGroup),
    handler: async ({ tx, query: { sort, payerCustomerId, ...query }, tenant, links }) => {
      const payer =
        payerCustomerId === undefined ? undefined : await resolveCustomerId(tx, payerCustomerId, 'payerCustomerId');
      const page = await listGroups(tx, { ...query, payerCustomerId: payer, descending: sort.descending });
      return { ...page, items: page.items.map((group) => linked(group, { tenant, links })) };
    },
  }),
  route({
    method: 'GET',
    path: '/billing-groups/:billingGroupId',
    tag,
    summary: 'Read a billing group',
    scope: 'read',
    response: billingGroup,
    handler: async ({ tx, params, tenant, links }) =>
      linked(await readGroup(tx, params.billingGroupId), { tenant, links }),
  }),
  route({
    method: 'PUT',
    path: '/billing-groups/:billingGroupId',
    tag,
    summary: 'Change a billing group',
    description: 'Only what is sent changes. Dates and cadence are moved by realign.',
    scope: 'write',
    body: z.strictObject(editable).meta({ id: 'BillingGroupChange' }),
    response: billingGroup,
    handler: async ({ tx, params, body: { graceHours: _, ...change }, actor, tenant, links }) => {
      await changeGroup(tx, params.billingGroupId, change, actor);
      return linked(await readGroup(tx, params.billingGroupId), { tenant, links });
    },
  }),
  ...billingGroupVerbRoutes,
  preview('GET'),
  preview('POST'),
  route({
    method: 'GET',
    path: '/billing-groups/:billingGroupId/schedule',
    tag,
    summary: 'List the boundaries to come',
    description: 'From the next one on, changes that are set for later included. Without an anchor there are none.',
    scope: 'read',
    query: z.strictObject({ count: queryNumber(1, SCHEDULE_MAX).default(24) }),
    response: boundaryList,
    handler: async ({ tx, params, query }) => ({ items: await readSchedule(tx, params.billingGroupId, query.count) }),
  }),
];
