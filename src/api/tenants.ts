import { z } from 'zod';
import { audit } from '../db/audit.ts';
import { createTenant, readTenant, updateTenant } from '../db/tenants.ts';
import { route } from './route.ts';
import { shown, text, webUrl } from './schemas.ts';

const mode = z.enum(['TEST', 'LIVE']);

const tenant = z
  .object({
    id: shown.id(),
    name: z.string(),
    mode: mode.meta({ description: 'Test clocks exist in TEST alone.' }),
    defaultEntityId: shown.id(),
    logoUrl: z.string().nullable(),
    createdAt: shown.instant(),
  })
  .meta({ id: 'Tenant' });

const newTenant = z
  .object({
    id: shown.id(),
    name: z.string(),
    mode,
    defaultEntityId: shown.id(),
    createdAt: shown.instant(),
    apiKey: z.string().nullable().meta({ description: 'An admin key, shown this once. Null in a replay.' }),
    secret: z.null().optional(),
    note: z.string().optional(),
  })
  .meta({ id: 'NewTenant' });

export const tenantRoutes = [
  route({
    method: 'POST',
    path: '/tenants',
    tag: 'Tenants',
    summary: 'Sign up a tenant',
    description: 'It gets a default billing entity (DEFAULT, USD, US, UTC) and an admin key, shown once.',
    scope: 'platform',
    status: 201,
    secret: 'apiKey',
    body: z.strictObject({ name: text(200), mode: mode.default('TEST') }),
    response: newTenant,
    handler: ({ tx, body, actor }) => createTenant(tx, { ...body, actor }),
  }),
  route({
    method: 'GET',
    path: '/tenant',
    tag: 'Tenants',
    summary: 'Read the tenant of this key',
    scope: 'read',
    response: tenant,
    handler: ({ tx }) => readTenant(tx),
  }),
  route({
    method: 'PUT',
    path: '/tenant',
    tag: 'Tenants',
    summary: 'Change the tenant of this key',
    description: 'Only what is sent changes. The mode never does.',
    scope: 'admin',
    body: z.strictObject({ name: text(200), logoUrl: webUrl().nullable() }).partial(),
    response: tenant,
    handler: async ({ tx, body, actor, tenant: { id } }) => {
      const changed = await updateTenant(tx, body);
      await audit(tx, { actor, action: 'tenant.updated', subjectType: 'tenant', subjectId: id, detail: body });
      return changed;
    },
  }),
];
