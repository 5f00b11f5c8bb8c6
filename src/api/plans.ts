import { z } from 'zod';
import { archivePlan, changePlan, createPlan } from '../db/catalog.ts';
import { listPlans, listVersions, readPlan } from '../db/plan-views.ts';
import { code } from './code-schema.ts';
import { listOf, listQuery, queryFlag } from './listing.ts';
import { pricesSchema, shownPrice } from './price-schema.ts';
import { route } from './route.ts';
import { currency, money, reference, shown, text } from './schemas.ts';

/** A limit that nothing charges yet is refused, not stored: it would look as if it were in force. */
const unsupported = () =>
  money()
    .nullish()
    .refine((value) => value == null, {
      error: 'Minimum and maximum amounts are not supported; leave them out.',
      params: { code: 'price.invalid' },
    })
    .meta({ type: 'null' });

const editable = {
  name: text(200),
  currency: currency().nullable().meta({ description: 'Null: whatever the subscription is billed in.' }),
  billingEntityId: reference().nullable(),
  minimumAmount: unsupported(),
  maximumAmount: unsupported(),
  taxCode: code().nullable().meta({ description: 'Of each price that has none of its own.' }),
  prices: pricesSchema(),
};

const createBody = z
  .strictObject({ ...editable, code: code() })
  .partial()
  .required({ code: true, prices: true })
  .meta({ id: 'NewPlan' });

const updateBody = z
  .strictObject({ ...editable, code: code() })
  .partial()
  .meta({ id: 'PlanChange' });

const plan = z
  .object({
    id: shown.id(),
    code: z.string(),
    name: z.string(),
    version: z.int().meta({ description: 'From 1; the newest is the one that is sold.' }),
    currency: z.string().nullable(),
    billingEntityId: shown.id().nullable(),
    minimumAmount: shown.amount().nullable(),
    maximumAmount: shown.amount().nullable(),
    taxCode: z.string().nullable(),
    prices: z.array(shownPrice.extend({ id: shown.id() }).meta({ id: 'PlanPrice' })),
    archivedAt: shown.instant().nullable(),
    createdAt: shown.instant(),
    versionCreatedAt: shown.instant(),
  })
  .meta({ id: 'Plan' });

const tag = 'Catalog';

export const planRoutes = [
  route({
    method: 'GET',
    path: '/plans',
    tag,
    summary: 'List plans, each in its newest version',
    scope: 'read',
    query: listQuery(['createdAt', 'code', 'name'], {
      code: text(100).optional(),
      currency: text(3).optional(),
      billingEntityId: reference().optional(),
      archived: queryFlag().optional(),
    }),
    response: listOf(plan),
    handler: ({ tx, query }) => listPlans(tx, query),
  }),
  route({
    method: 'POST',
    path: '/plans',
    tag,
    summary: 'Create a plan',
    description: 'Its first version. The name is the code unless sent.',
    scope: 'write',
    status: 201,
    body: createBody,
    response: plan,
    handler: ({ tx, body, actor }) =>
      createPlan(
        tx,
        {
          code: body.code,
          terms: {
            name: body.name ?? body.code,
            currency: body.currency ?? null,
            billingEntityId: body.billingEntityId ?? null,
            taxCode: body.taxCode ?? null,
            prices: body.prices,
          },
        },
        actor,
      ),
  }),
  route({
    method: 'GET',
    path: '/plans/:planId',
    tag,
    summary: 'Read a plan by its id or its code',
    scope: 'read',
    response: plan,
    handler: ({ tx, params }) => readPlan(tx, params.planId),
  }),
  route({
    method: 'PUT',
    path: '/plans/:planId',
    tag,
    summary: 'Write a new version of a plan',
    description:
      'Only what is sent changes; a list of prices takes the place of the one before. Subscriptions keep the version that ' +
      'they were sold. What changes nothing makes no version.',
    scope: 'write',
    body: updateBody,
    response: plan,
    handler: ({ tx, params, body, actor }) => changePlan(tx, params.planId, body, actor),
  }),
  route({
    method: 'POST',
    path: '/plans/:planId/archive',
    tag,
    summary: 'Take a plan out of sale',
    description: 'For good. What was sold runs on.',
    scope: 'write',
    response: plan,
    handler: ({ tx, params, actor }) => archivePlan(tx, params.planId, actor),
  }),
  route({
    method: 'GET',
    path: '/plans/:planId/versions',
    tag,
    summary: 'List the versions of a plan, the first one first',
    scope: 'read',
    query: listQuery(['version', 'createdAt'], {}),
    response: listOf(plan),
    handler: ({ tx, params, query }) => listVersions(tx, params.planId, query),
  }),
];
