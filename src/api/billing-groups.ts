import { z } from 'zod';
import { createGroup, GROUP_DEFAULTS } from '../db/billing-groups.ts';
import { readCustomerForBinding, resolveCustomerId } from '../db/customers.ts';
import type { Tx } from '../db/database.ts';
import { readDefaultEntity } from '../db/default-entity.ts';
import { bindEntity } from '../db/entity-binding.ts';
import { commandGroup } from '../db/group-commands.ts';
import { changeGroup, listGroups, readGroup, readSchedule } from '../db/group-views.ts';
import { previewInvoices } from '../db/invoices/preview.ts';
import { nowOf } from '../db/time.ts';
import { type GroupCommand, workflowId } from '../workflows/contract.ts';
import { cadence, shownCadence } from './cadence-schema.ts';
import { previewedInvoice } from './invoice-schema.ts';
import { listOf, listQuery, queryNumber } from './listing.ts';
import { type Links, type RequestTenant, route } from './route.ts';
import { boundaryList } from './schedules.ts';
import { calendarDate, currency, instant, reference, shown, text, wholeNumber } from './schemas.ts';

const tag = 'Billing groups';
const groupStatus = z.enum(['ACTIVE', 'PAUSED', 'BLOCKED', 'CLOSED']);
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

const billingGroup = z
  .object({
    id: shown.id(),
    payerCustomerId: shown.id(),
    billingEntityId: shown.id(),
    currency: z.string(),
    timezone: z.string(),
    name: z.string().nullable(),
    isDefault: z.boolean(),
    cadence: shownCadence(),
    anchorDate: shown.date().nullable(),
    nextSchedule: z
      .object({ validFrom: shown.instant(), anchorDate: shown.date().nullable(), cadence: shownCadence() })
      .nullable()
      .meta({ description: 'What a realign has set for later.' }),
    taxAddress: z.enum(['PAYER', 'OWNER']),
    midCycleCharges: z.enum(['NEXT_INVOICE', 'IMMEDIATE']),
    settleMinutes: z.int(),
    graceHours: z.int(),
    purchaseOrder: z.string().nullable(),
    status: groupStatus,
    statusReason: z.string().nullable(),
    nextBillingAt: shown.instant().nullable(),
    lastBoundaryAt: shown.instant().nullable(),
    workflowId: z.string(),
    temporalUrl: z.string().nullable().meta({ description: "The group's workflow in the Temporal UI." }),
    subscriptionCount: z.int().meta({ description: 'Members that have not ended.' }),
    testClockId: shown.id().nullable(),
    createdAt: shown.instant(),
  })
  .meta({ id: 'BillingGroup' });

type Group = Awaited<ReturnType<typeof readGroup>>;

/** With the group's workflow, and where an operator looks at it. */
function linked(group: Group, { tenant, links: { temporalUiUrl } }: { tenant: RequestTenant; links: Links }) {
  const id = workflowId.billingGroup(tenant.id, group.id);
  const temporalUrl =
    temporalUiUrl === null ? null : `${temporalUiUrl}/namespaces/default/workflows/${encodeURIComponent(id)}`;
  return { ...group, workflowId: id, temporalUrl };
}

/** A verb that an operator tells a group; it is carried out here, and the group's workflow looks again. */
const verb = <Body extends z.ZodType>(
  path: `/billing-groups/:billingGroupId/${string}`,
  words: { summary: string; description?: string },
  body: Body,
  toCommand: (body: z.output<Body>) => GroupCommand,
) =>
  route({
    method: 'POST',
    path,
    tag,
    ...words,
    scope: 'write',
    body,
    response: billingGroup,
    handler: async ({ tx, params, body: sent, actor, tenant, links }) => {
      const { billingGroupId } = params as { billingGroupId: string };
      await commandGroup(tx, billingGroupId, toCommand(sent), actor);
      return linked(await readGroup(tx, billingGroupId), { tenant, links });
    },
  });

const preview = (method: 'GET' | 'POST') =>
  route({
    method,
    path: '/billing-groups/:billingGroupId/preview',
    tag,
    summary: 'Preview the next invoice',
    description: 'What the next boundary would issue as things stand, from the code that issues it; writes nothing.',
    scope: 'read',
    response: z.object({ boundaryAt: shown.instant(), invoices: z.array(previewedInvoice) }),
    handler: ({ tx, params }) => previewInvoices(tx, params.billingGroupId),
  });

async function open(tx: Tx, body: z.output<typeof createBody>, actor: string): Promise<string> {
  const payer = await readCustomerForBinding(tx, body.payerCustomerId, 'payer', 'payerCustomerId');
  const entityId = body.billingEntityId ?? payer.billingEntityId ?? (await readDefaultEntity(tx)).id;
  const entity = await bindEntity(tx, entityId);
  return createGroup(
    tx,
    {
      payerCustomerId: payer.id,
      billingEntityId: entity.id,
      currency: body.currency ?? payer.currency ?? entity.baseCurrency,
      timezone: entity.billingTimezone,
      name: body.name ?? null,
      cadence: body.cadence ?? { interval: 'MONTH', count: 1 },
      anchorDate: body.anchorDate ?? null,
      isDefault: false,
      taxAddress: body.taxAddress ?? GROUP_DEFAULTS.taxAddress,
      midCycleCharges: body.midCycleCharges ?? GROUP_DEFAULTS.midCycleCharges,
      settleMinutes: body.settleMinutes ?? GROUP_DEFAULTS.settleMinutes,
      purchaseOrder: body.purchaseOrder ?? null,
      testClockId: payer.testClockId,
      createdAt: await nowOf(tx, { testClockId: payer.testClockId }),
    },
    actor,
  );
}

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
    handler: async ({ tx, body, actor, tenant, links }) =>
      linked(await readGroup(tx, await open(tx, body, actor)), { tenant, links }),
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
    handler: async ({ tx, params, body: { graceHours: _, ...change }, actor, tenant, links }) =>
      linked(await changeGroup(tx, params.billingGroupId, change, actor), { tenant, links }),
  }),
  verb('/billing-groups/:billingGroupId/pause', { summary: 'Pause a billing group' }, z.strictObject({}), () => ({
    verb: 'pause',
  })),
  verb(
    '/billing-groups/:billingGroupId/resume',
    {
      summary: 'Resume a billing group',
      description: 'Boundaries that were missed run in order; a BLOCKED run is tried again at once.',
    },
    z.strictObject({}),
    () => ({ verb: 'resume' }),
  ),
  verb('/billing-groups/:billingGroupId/close', { summary: 'Close a billing group' }, z.strictObject({}), () => ({
    verb: 'close',
  })),
  verb(
    '/billing-groups/:billingGroupId/bill-now',
    {
      summary: 'Bill what waits',
      description: 'One-time charges, mid-cycle lines and ended periods; never a running one. The schedule stands.',
    },
    z.strictObject({}),
    () => ({ verb: 'billNow' }),
  ),
  verb(
    '/billing-groups/:billingGroupId/skip',
    {
      summary: 'Skip a boundary',
      description: 'The next one unless boundaryAt names another. Its charges move to the one after.',
    },
    z.strictObject({ boundaryAt: instant().optional() }),
    ({ boundaryAt }) => ({ verb: 'skip', ...(boundaryAt === undefined ? {} : { boundaryAt }) }),
  ),
  verb(
    '/billing-groups/:billingGroupId/realign',
    {
      summary: 'Move the schedule',
      description: 'From `effective` on (NOW unless sent) boundaries count from the new anchor, in the new cadence.',
    },
    z
      .strictObject({
        anchorDate: calendarDate().optional(),
        cadence: cadence().optional(),
        effective: z
          .union([z.enum(['NOW', 'PERIOD_END']), calendarDate(), instant()], {
            error: "Send NOW, PERIOD_END, an instant with an offset, or a date 'YYYY-MM-DD'.",
          })
          .optional(),
      })
      .meta({ id: 'Realignment' }),
    ({ anchorDate, cadence: every, effective }) => ({
      verb: 'realign',
      ...(anchorDate === undefined ? {} : { anchorDate }),
      ...(every === undefined ? {} : { cadence: every }),
      ...(effective === undefined ? {} : { effective }),
    }),
  ),
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
