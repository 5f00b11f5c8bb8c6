import { z } from 'zod';
import { audit } from '../db/audit.ts';
import { createApiKey, listApiKeys, revokeApiKey } from '../db/api-keys.ts';
import { listOf, listQuery } from './listing.ts';
import { noContent, route } from './route.ts';
import { shown, text } from './schemas.ts';

const keyScope = z.enum(['read', 'write', 'admin']);

const apiKeyView = {
  id: shown.id(),
  name: z.string(),
  hint: z.string().meta({ description: "The secret's last four characters." }),
  scopes: z.array(keyScope),
  createdAt: shown.instant(),
  revokedAt: shown.instant().nullable(),
};
const apiKey = z.object(apiKeyView).meta({ id: 'ApiKey' });
const newApiKey = z
  .object({
    ...apiKeyView,
    secret: z.string().nullable().meta({ description: 'Shown this once. Null in a replay.' }),
    note: z.string().optional(),
  })
  .meta({ id: 'NewApiKey' });

export const apiKeyRoutes = [
  route({
    method: 'GET',
    path: '/api-keys',
    tag: 'Tenants',
    summary: 'List API keys, without their secrets',
    scope: 'admin',
    query: listQuery(['createdAt', 'name'], {}),
    response: listOf(apiKey),
    handler: ({ tx, query }) => listApiKeys(tx, query),
  }),
  route({
    method: 'POST',
    path: '/api-keys',
    tag: 'Tenants',
    summary: 'Make an API key',
    description: 'The secret is in this answer and nowhere else. Scope admin includes write, which includes read.',
    scope: 'admin',
    status: 201,
    secret: 'secret',
    body: z.strictObject({
      name: text(100).default('API key'),
      scopes: z.array(keyScope).min(1, 'Send at least one scope.').max(3),
    }),
    response: newApiKey,
    handler: async ({ tx, tenant, body, actor }) => {
      const key = await createApiKey(tx, { ...body, mode: tenant.mode });
      const detail = { name: key.name, scopes: key.scopes };
      await audit(tx, { actor, action: 'api_key.created', subjectType: 'api_key', subjectId: key.id, detail });
      return key;
    },
  }),
  route({
    method: 'DELETE',
    path: '/api-keys/:apiKeyId',
    tag: 'Tenants',
    summary: 'Revoke an API key',
    description: 'From the next request on it is unknown. The last admin key cannot be revoked: make another first.',
    scope: 'admin',
    status: 204,
    response: noContent,
    handler: async ({ tx, params, actor }) => {
      const revoked = await revokeApiKey(tx, params.apiKeyId);
      if (!revoked) return;
      const subject = { subjectType: 'api_key', subjectId: params.apiKeyId };
      await audit(tx, { actor, action: 'api_key.revoked', ...subject, detail: {} });
    },
  }),
];
