import { z } from 'zod';
import { lockGroupShared } from '../db/billing-groups.ts';
import { resolveCustomerId } from '../db/customers.ts';
import type { Tx } from '../db/database.ts';
import { readGroup } from '../db/group-views.ts';
import { cancelSubscription, type Effective } from '../db/subscriptions/cancel.ts';
import { createSubscription } from '../db/subscriptions/create.ts';
import { moveToGroup } from '../db/subscriptions/move.ts';
import { listSubscriptions, readSubscription } from '../db/subscriptions/views.ts';
import { isCalendarDate, localMidnight, parseInstant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { listOf, listQuery } from './listing.ts';
import { pricesSchema, shownPrice } from './price-schema.ts';
import { route } from './route.ts';
import {
  calendarDate,
  currency,
  instant,
  postalAddress,
  quantity,
  reference,
  shown,
  text,
  wholeNumber,
} from './schemas.ts';

const status = z.enum(['SCHEDULED', 'TRIALING', 'ACTIVE', 'PAUSED', 'CANCELED']);
const midCycleCharges = z.enum(['NEXT_INVOICE', 'IMMEDIATE']);
const TRIAL_DAYS_MAX = 3650;

/** NOW, PERIOD_END, an instant or a local date. */
export const effective = () =>
  z
    .string()
    .transform((value, context): Effective => {
      if (value === 'NOW' || value === 'PERIOD_END') return { kind: value };
      if (isCalendarDate(value)) return { on: value };
      try {
        return { at: parseInstant(value) };
      } catch (error) {
        if (!(error instanceof BillingError)) throw error;
        context.addIssue({
          code: 'custom',
          message: "Send NOW, PERIOD_END, an instant with an offset, or a date 'YYYY-MM-DD'.",
        });
        return z.NEVER;
      }
    })
    .meta({ examples: ['PERIOD_END', '2026-08-01'] });

const createBody = z
  .strictObject({
    customerId: reference(),
    planCode: text(100).optional(),
    prices: pricesSchema().optional(),
    currency: currency().optional(),
    quantity: quantity().optional(),
    quantities: z.record(text(100), quantity()).optional(),
    startAt: instant().optional(),
    startDate: calendarDate().optional(),
    endAt: instant().optional(),
    endDate: calendarDate().optional(),
    trialDays: wholeNumber(0, TRIAL_DAYS_MAX).optional(),
    trialEndsAt: instant().optional(),
    billingEntityId: reference().optional(),
    invoicingCustomerId: reference().optional(),
    billingGroupId: reference().optional(),
    groupedSubscriptionIds: z.array(reference()).max(100, 'At most 100.').optional(),
    shippingAddress: postalAddress().optional(),
    align: z.boolean().default(true),
    proration: z.enum(['DAY', 'SECOND']).default('DAY'),
    coupons: z.array(text(100)).max(20, 'At most 20.').default([]),
    midCycleCharges: midCycleCharges.optional(),
  })
  .superRefine((body, context) => {
    for (const [one, other] of EXCLUSIVE) {
      if (body[one] === undefined || body[other] === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [other],
        message: `${one} and ${other} exclude each other. Send one of them.`,
      });
    }
    if (body.planCode === undefined && body.prices === undefined) {
      context.addIssue({ code: 'custom', path: ['planCode'], message: 'Send a planCode, or prices of its own.' });
    }
    if (body.billingGroupId !== undefined && !body.align) {
      context.addIssue({
        code: 'custom',
        path: ['align'],
        message: 'align: false opens a group of its own. Leave billingGroupId out.',
      });
    }
  })
  .meta({ id: 'NewSubscription' });

const EXCLUSIVE = [
  ['planCode', 'prices'],
  ['startAt', 'startDate'],
  ['endAt', 'endDate'],
  ['trialDays', 'trialEndsAt'],
] as const;

const subscription = z
  .object({
    id: shown.id(),
    customerId: shown.id(),
    planCode: z.string().nullable(),
    planVersion: z.int().nullable(),
    subscriptionType: z.enum(['STANDALONE']),
    status,
    payerCustomerId: shown.id(),
    invoicingCustomerId: shown.id().nullable(),
    billingGroupId: shown.id(),
    billingEntityId: shown.id(),
    currency: z.string(),
    timezone: z.string(),
    startAt: shown.instant(),
    trialEndsAt: shown.instant().nullable(),
    currentPeriodStart: shown.instant().nullable(),
    currentPeriodEnd: shown.instant().nullable(),
    nextBillingAt: shown.instant().nullable(),
    cancelAt: shown.instant().nullable(),
    canceledAt: shown.instant().nullable(),
    endedAt: shown.instant().nullable(),
    proration: z.enum(['DAY', 'SECOND']),
    align: z.boolean(),
    midCycleCharges: midCycleCharges.nullable(),
    shippingAddress: shown.address().nullable(),
    items: z.array(z.object({ priceCode: z.string(), quantity: shown.decimal(), price: shownPrice })),
    createdAt: shown.instant(),
  })
  .meta({ id: 'Subscription' });

const filters = { status: status.optional(), billingEntityId: reference().optional() };
const SORT = ['createdAt'] as const;

const listBy = (
  tx: Tx,
  { sort, ...query }: Omit<Parameters<typeof listSubscriptions>[1], 'descending'> & { sort: { descending: boolean } },
) => listSubscriptions(tx, { ...query, descending: sort.descending });

/** A customer named in a filter; absent stays absent. */
const customerOf = async (tx: Tx, named: string | undefined, path: string) =>
  named === undefined ? undefined : await resolveCustomerId(tx, named, path);

export const subscriptionRoutes = [
  route({
    method: 'POST',
    path: '/subscriptions',
    tag: 'Subscriptions',
    summary: 'Create a subscription',
    description: 'Its payer, entity, zone and billing group are found and pinned; start may be past, now or future.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: subscription,
    handler: async ({ tx, body, actor }) => readSubscription(tx, await createSubscription(tx, body, actor)),
  }),
  route({
    method: 'GET',
    path: '/subscriptions',
    tag: 'Subscriptions',
    summary: 'List subscriptions',
    scope: 'read',
    query: listQuery(SORT, {
      ...filters,
      customerId: reference().optional(),
      payerCustomerId: reference().optional(),
      billingGroupId: reference().optional(),
    }),
    response: listOf(subscription),
    handler: async ({ tx, query }) =>
      listBy(tx, {
        ...query,
        customerId: await customerOf(tx, query.customerId, 'customerId'),
        payerCustomerId: await customerOf(tx, query.payerCustomerId, 'payerCustomerId'),
      }),
  }),
  route({
    method: 'GET',
    path: '/subscriptions/:subscriptionId',
    tag: 'Subscriptions',
    summary: 'Read a subscription',
    scope: 'read',
    response: subscription,
    handler: ({ tx, params }) => readSubscription(tx, params.subscriptionId),
  }),
  route({
    method: 'PUT',
    path: '/subscriptions/:subscriptionId',
    tag: 'Subscriptions',
    summary: 'Move a subscription to another billing group of its payer',
    description:
      'From the next boundary of its present group on, unless `effective` says otherwise. The payer is immutable.',
    scope: 'write',
    body: z
      .strictObject({
        billingGroupId: reference().optional(),
        effective: effective().optional(),
        invoicingCustomerId: reference().optional(),
      })
      .meta({ id: 'SubscriptionChange' }),
    response: subscription,
    handler: async ({ tx, params, body, actor }) => {
      if (body.invoicingCustomerId !== undefined) throw payerIsImmutable();
      const { timezone } = await readSubscription(tx, params.subscriptionId);
      if (body.billingGroupId !== undefined) {
        await lockGroupShared(tx, body.billingGroupId);
        const at = instantOf(body.effective, timezone, tx);
        await moveToGroup(tx, {
          subscriptionId: params.subscriptionId,
          groupId: body.billingGroupId,
          actor,
          path: 'billingGroupId',
          ...(at === null ? {} : { effective: at }),
        });
      }
      return readSubscription(tx, params.subscriptionId);
    },
  }),
  route({
    method: 'POST',
    path: '/subscriptions/:subscriptionId/cancel',
    tag: 'Subscriptions',
    summary: 'Cancel a subscription',
    description:
      'At the end of the current period unless `effective` says otherwise; unused time is given back unless `prorate` is false.',
    scope: 'write',
    body: z
      .strictObject({
        effective: effective().default({ kind: 'PERIOD_END' }),
        prorate: z.boolean().default(true),
        invoiceNow: z.boolean().default(false),
      })
      .meta({ id: 'Cancellation' }),
    response: subscription,
    handler: async ({ tx, params, body, actor }) => {
      await cancelSubscription(tx, params.subscriptionId, body, actor);
      return readSubscription(tx, params.subscriptionId);
    },
  }),
  route({
    method: 'GET',
    path: '/customers/:customerId/subscriptions',
    tag: 'Customers',
    summary: "List a customer's own subscriptions",
    description: 'Those it owns, whoever pays; `payerCustomerId` says who.',
    scope: 'read',
    query: listQuery(SORT, filters),
    response: listOf(subscription),
    handler: async ({ tx, params, query }) =>
      listBy(tx, { ...query, customerId: await resolveCustomerId(tx, params.customerId) }),
  }),
  route({
    method: 'GET',
    path: '/billing-groups/:billingGroupId/subscriptions',
    tag: 'Billing groups',
    summary: 'List the subscriptions of a billing group',
    scope: 'read',
    query: listQuery(SORT, filters),
    response: listOf(subscription),
    handler: async ({ tx, params, query }) => {
      const { id } = await readGroup(tx, params.billingGroupId);
      return listBy(tx, { ...query, billingGroupId: id });
    },
  }),
];

const payerIsImmutable = (): BillingError => {
  const message =
    'The payer of a subscription is immutable. Cancel it and create one with the right invoicingCustomerId.';
  return new BillingError('subscription.payer_immutable', message, [{ path: 'invoicingCustomerId', message }]);
};

/** Null for the end of the period, which is the default. */
function instantOf(when: Effective | undefined, timezone: string, tx: Tx): string | null {
  if (when === undefined) return null;
  if ('at' in when) return when.at;
  if ('on' in when) return localMidnight(when.on, timezone);
  return when.kind === 'NOW' ? tx.now() : null;
}
