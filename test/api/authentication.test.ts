import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { routes } from '../../src/api/routes.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { probes } from '../support/probes.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi({ routes: [...routes, ...probes] });
});
beforeEach(async () => {
  client = await api.tenant();
});
afterAll(() => api.close());

const keyWith = async (scopes: string[]): Promise<Client> => {
  const { body } = await client.post('/api-keys', { name: 'narrow', scopes });
  return api.as(body.secret, client.tenantId);
};

test.each([
  { when: 'no key is sent', headers: {} },
  { when: 'another scheme is used', headers: { Authorization: 'Basic YTpi' } },
  { when: 'the key is unknown', headers: { Authorization: 'Bearer trb_test_nobody' } },
  { when: 'the key is empty', headers: { Authorization: 'Bearer ' } },
])('answers 401 when $when', async ({ headers }) => {
  const reply = await api.as(null).get('/tenant', headers);
  expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated', status: 401 } });
  expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer realm="tributary"/);
});

test('a revoked key is unknown from the next request on', async () => {
  const { body: made } = await client.post('/api-keys', { scopes: ['read'] });
  const reader = api.as(made.secret);
  expect((await reader.get('/tenant')).status).toBe(200);
  expect((await client.delete(`/api-keys/${made.id}`)).status).toBe(204);
  expect((await reader.get('/tenant')).status).toBe(401);
});

test.each([
  { scopes: ['read'], reads: 200, writes: 403, administers: 403 },
  { scopes: ['write'], reads: 200, writes: 201, administers: 403 },
  { scopes: ['admin'], reads: 200, writes: 201, administers: 204 },
])('a key with $scopes', async ({ scopes, reads, writes, administers }) => {
  const narrow = await keyWith(scopes);
  expect((await narrow.get('/tenant')).status).toBe(reads);
  expect((await narrow.post('/notes', { id: 'n' })).status).toBe(writes);
  expect((await narrow.delete('/notes/1')).status).toBe(administers);
});

test('the scope is judged before the body', async () => {
  const reader = await keyWith(['read']);
  expect((await reader.post('/notes', { nonsense: 1 })).body).toMatchObject({ status: 403, code: 'forbidden' });
});

test("X-Tenant-Id must be the key's tenant", async () => {
  const other = await api.tenant();
  expect((await client.get('/tenant', { 'X-Tenant-Id': client.tenantId })).body.id).toBe(client.tenantId);
  expect((await client.get('/tenant', { 'X-Tenant-Id': other.tenantId })).status).toBe(404);
});

test('the platform key acts in the tenant that it names', async () => {
  expect((await api.platform.get('/tenant', { 'X-Tenant-Id': client.tenantId })).body.id).toBe(client.tenantId);
  expect((await api.platform.get('/tenant', { 'X-Tenant-Id': 'ten_nobody' })).status).toBe(404);
  expect((await api.platform.get('/tenant')).body).toMatchObject({ status: 400, code: 'request.tenant' });
});

test('a tenant key makes no tenants', async () => {
  expect((await client.post('/tenants', { name: 'x' })).status).toBe(403);
});
