import { z } from 'zod';
import { resolveCustomerId } from '../db/customers.ts';
import type { Tx } from '../db/database.ts';
import { assertGroup } from '../db/group-views.ts';
import { cancelSubscription } from '../db/subscriptions/cancel.ts';
import { createSubscription } from '../db/subscriptions/create.ts';
import { moveToGroup } from '../db/subscriptions/move.ts';
import { listSubscriptions, readSubscription } from '../db/subscriptions/views.ts';
import { BillingError } from '../domain/errors.ts';
import { listOf, listQuery } from './listing.ts';
import { route } from './route.ts';
import { reference } from './schemas.ts';
import { effective, newSubscription, subscription, subscriptionStatus } from './subscription-schema.ts';

const filters = { status: subscriptionStatus.optional(), billingEntityId: reference().optional() };
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
    body: newSubscription,
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
      if (body.billingGroupId !== undefined) {
        await moveToGroup(tx, {
          subscriptionId: params.subscriptionId,
          groupId: body.billingGroupId,
          effective: body.effective,
          actor,
          path: 'billingGroupId',
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
      await assertGroup(tx, params.billingGroupId);
      return listBy(tx, { ...query, billingGroupId: params.billingGroupId });
    },
  }),
];

const payerIsImmutable = (): BillingError => {
  const message =
    'The payer of a subscription is immutable. Cancel it and create one with the right invoicingCustomerId.';
  return new BillingError('subscription.payer_immutable', message, [{ path: 'invoicingCustomerId', message }]);
};
