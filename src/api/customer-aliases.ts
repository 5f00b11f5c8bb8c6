import { z } from 'zod';
import { audit } from '../db/audit.ts';
import { addAliases, listAliases, removeAlias } from '../db/customer-aliases.ts';
import { lockCustomer, resolveCustomerId } from '../db/customers.ts';
import type { Tx } from '../db/database.ts';
import { nowOf } from '../db/time.ts';
import { listOf, listQuery } from './listing.ts';
import { noContent, route } from './route.ts';
import { shown, text } from './schemas.ts';

const alias = z.object({ alias: z.string(), createdAt: shown.instant() }).meta({ id: 'Alias' });
const tag = 'Customers';

const record = async (tx: Tx, actor: string, verb: string, customerId: string, value: string): Promise<void> =>
  audit(tx, {
    actor,
    action: `customer.alias_${verb}`,
    subjectType: 'customer',
    subjectId: customerId,
    detail: { alias: value },
    happenedAt: await nowOf(tx, { customerId }),
  });

export const customerAliasRoutes = [
  route({
    method: 'GET',
    path: '/customers/:customerId/aliases',
    tag,
    summary: 'List the external ids of a customer',
    scope: 'read',
    query: listQuery(['createdAt'], {}),
    response: listOf(alias),
    handler: async ({ tx, params, query }) => listAliases(tx, await resolveCustomerId(tx, params.customerId), query),
  }),
  route({
    method: 'POST',
    path: '/customers/:customerId/aliases',
    tag,
    summary: 'Add an external id',
    description: 'Unique in the tenant. The customer may be addressed, and its usage may arrive, under any of them.',
    scope: 'write',
    status: 201,
    body: z.strictObject({ alias: text() }),
    response: z.object({ customerId: shown.id(), alias: z.string() }),
    handler: async ({ tx, params, body, actor }) => {
      const { id } = await lockCustomer(tx, await resolveCustomerId(tx, params.customerId));
      await addAliases(tx, id, [body.alias], 'alias');
      await record(tx, actor, 'added', id, body.alias);
      return { customerId: id, alias: body.alias };
    },
  }),
  route({
    method: 'DELETE',
    path: '/customers/:customerId/aliases/:alias',
    tag,
    summary: 'Remove an external id',
    description: 'Where it was the `externalId`, the customer has none afterwards.',
    scope: 'write',
    status: 204,
    response: noContent,
    handler: async ({ tx, params, actor }) => {
      const { id } = await lockCustomer(tx, await resolveCustomerId(tx, params.customerId));
      await removeAlias(tx, id, params.alias);
      await record(tx, actor, 'removed', id, params.alias);
    },
  }),
];
