import { z } from 'zod';
import type { Tx } from '../db/database.ts';
import { assertGroup } from '../db/group-views.ts';
import { listRuns, readRun } from '../db/run-views.ts';
import { feedOf, feedQuery } from './listing.ts';
import { route } from './route.ts';
import { reference, shown } from './schemas.ts';

const tag = 'Billing runs';
const runStatus = z.enum(['OPEN', 'WAITING', 'ISSUED', 'EMPTY', 'SKIPPED', 'BLOCKED']);
const runKind = z.enum(['BOUNDARY', 'IMMEDIATE', 'BILL_NOW']);

const run = z
  .object({
    id: shown.id(),
    kind: runKind,
    billingGroupId: shown.id().nullable(),
    payerCustomerId: shown.id(),
    billingEntityId: shown.id(),
    currency: z.string(),
    timezone: z.string(),
    boundaryAt: shown.instant().nullable(),
    status: runStatus,
    reason: z.string().nullable(),
    invoiceId: shown.id().nullable(),
    invoiceIds: z.array(shown.id()),
    cutOffAt: shown.instant().nullable(),
    retryAt: shown.instant().nullable(),
    failures: z.int(),
    createdAt: shown.instant(),
    finishedAt: shown.instant().nullable(),
    members: z
      .array(
        z.object({
          subscriptionId: shown.id(),
          outcome: z.enum(['COLLECTED', 'NOTHING_DUE', 'EXCLUDED']),
          reason: z.string().nullable(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'BillingRun' });

const SORT = ['createdAt'] as const;
const filters = { status: runStatus.optional(), kind: runKind.optional(), include: z.enum(['members']).optional() };

type Asked = Omit<Parameters<typeof listRuns>[1], 'descending' | 'members' | 'cursor'> & {
  readonly cursor?: string | undefined;
  readonly sort: { readonly descending: boolean };
  readonly include?: 'members' | undefined;
};

const listBy = (tx: Tx, { sort, include, cursor, ...query }: Asked) =>
  listRuns(tx, { ...query, cursor, descending: sort.descending, members: include === 'members' });

export const runRoutes = [
  route({
    method: 'GET',
    path: '/runs',
    tag,
    summary: 'List billing runs',
    scope: 'read',
    query: feedQuery(SORT, {
      ...filters,
      billingGroupId: reference().optional(),
      billingEntityId: reference().optional(),
    }),
    response: feedOf(run),
    handler: ({ tx, query }) => listBy(tx, query),
  }),
  route({
    method: 'GET',
    path: '/runs/:runId',
    tag,
    summary: 'Read a billing run with its members',
    scope: 'read',
    response: run,
    handler: ({ tx, params }) => readRun(tx, params.runId),
  }),
  route({
    method: 'GET',
    path: '/billing-groups/:billingGroupId/runs',
    tag: 'Billing groups',
    summary: 'List the runs of a billing group, with their members',
    scope: 'read',
    query: feedQuery(SORT, filters),
    response: feedOf(run),
    handler: async ({ tx, params, query }) => {
      await assertGroup(tx, params.billingGroupId);
      return listBy(tx, { include: 'members', ...query, billingGroupId: params.billingGroupId });
    },
  }),
];
