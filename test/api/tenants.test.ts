import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { revokeApiKey } from '../../src/db/api-keys.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { whileOpen } from '../support/race.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  client = await api.tenant();
});
afterAll(() => api.close());

test('a tenant begins with a default entity, a key that works, and a line in the audit log', async () => {
  const { status, body } = await api.platform.post('/tenants', { name: 'Acme' });
  expect(status).toBe(201);
  expect(body).toEqual({
    id: expect.stringMatching(/^ten_/),
    name: 'Acme',
    mode: 'TEST',
    defaultEntityId: expect.stringMatching(/^ent_/),
    createdAt: expect.any(String),
    apiKey: expect.stringMatching(/^trb_test_.{40,}$/),
  });
  const admin = api.as(body.apiKey);
  expect((await admin.get('/tenant')).body).toMatchObject({ name: 'Acme', mode: 'TEST', logoUrl: null });
  expect((await admin.get(`/billing-entities/${body.defaultEntityId}`)).body).toMatchObject({
    entityCode: 'DEFAULT',
    baseCurrency: 'USD',
    countryCode: 'US',
    billingTimezone: 'UTC',
    invoiceNumberFormat: 'INV-{seq:0000}',
    isDefault: true,
    status: 'ACTIVE',
  });
  expect((await admin.get('/audit-events')).body.items).toMatchObject([
    { action: 'tenant.created', actor: 'platform' },
  ]);
});

test('signing up under one key makes one tenant, and shows its key once', async () => {
  const key = { 'Idempotency-Key': `sign-up-${client.tenantId}` };
  const first = await api.platform.post('/tenants', { name: 'Once', mode: 'LIVE' }, key);
  const again = await api.platform.post('/tenants', { name: 'Once', mode: 'LIVE' }, key);
  expect(first.body.apiKey).toMatch(/^trb_live_/);
  expect(again.body).toEqual({ ...first.body, apiKey: null, secret: null, note: expect.any(String) });
  expect(await api.db.query(`select id from tenants where name = 'Once'`)).toHaveLength(1);
});

test('a tenant changes its name and its logo, and clears it; its mode stays', async () => {
  await client.put('/tenant', { name: 'New name', logoUrl: 'https://acme.example/logo.svg' });
  expect((await client.get('/tenant')).body).toMatchObject({
    name: 'New name',
    logoUrl: 'https://acme.example/logo.svg',
  });
  expect((await client.put('/tenant', { logoUrl: null })).body).toMatchObject({ name: 'New name', logoUrl: null });
  expect((await client.put('/tenant', { mode: 'LIVE' })).body.errors[0].path).toBe('mode');
});

test('keys are listed without their secrets', async () => {
  const { body: made } = await client.post('/api-keys', { name: 'CI', scopes: ['read', 'read', 'write'] });
  expect(made).toMatchObject({ name: 'CI', scopes: ['read', 'write'], hint: made.secret.slice(-4), revokedAt: null });
  const { body: list } = await client.get('/api-keys');
  expect(list).toMatchObject({ totalItems: 2, items: [{ name: 'First key' }, { name: 'CI' }] });
  expect(JSON.stringify(list)).not.toContain(made.secret);
  expect(JSON.stringify(await api.db.query('select * from api_keys'))).not.toContain(made.secret);
});

test('the last admin key stays; revoking twice is no event', async () => {
  const { body: list } = await client.get('/api-keys');
  const first = list.items[0].id;
  expect((await client.delete(`/api-keys/${first}`)).body).toMatchObject({ status: 409, code: 'conflict' });
  const { body: reader } = await client.post('/api-keys', { scopes: ['read'] });
  for (const _ of [1, 2]) expect((await client.delete(`/api-keys/${reader.id}`)).status).toBe(204);
  const { body: log } = await client.get(`/audit-events?subjectId=${reader.id}`);
  expect(log.items.map(({ action }: { action: string }) => action)).toEqual(['api_key.created', 'api_key.revoked']);
  expect((await client.delete('/api-keys/key_nobody')).status).toBe(404);
});

test('two admin keys that revoke each other at once leave one', async () => {
  const { body: made } = await client.post('/api-keys', { scopes: ['admin'] });
  const { body: list } = await client.get('/api-keys');
  const second = await whileOpen(
    api.db,
    client.tenantId,
    (tx) => revokeApiKey(tx, list.items[0].id),
    () => client.delete(`/api-keys/${made.id}`),
  );
  expect(second.body).toMatchObject({ status: 409, code: 'conflict' });
  expect((await api.as(made.secret).get('/tenant')).status).toBe(200);
});

test('the audit log is a feed: read by cursor, filtered, forwards and backwards', async () => {
  for (let n = 0; n < 7; n += 1) await client.put('/tenant', { name: `Name ${n}` });
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const { body } = await client.get(`/audit-events?size=3${cursor === null ? '' : `&cursor=${cursor}`}`);
    if (cursor === null) await client.put('/tenant', { name: 'Meanwhile' });
    seen.push(...body.items.map(({ detail }: { detail: { name?: string } }) => detail.name ?? ''));
    cursor = body.nextCursor;
  } while (cursor !== null);
  const names = [...Array.from({ length: 7 }, (_, n) => `Name ${n}`), 'Meanwhile'];
  expect(seen).toEqual(['Tenant TEST', ...names]);

  const { body: last } = await client.get('/audit-events?sort=-recordedAt&size=2&action=tenant.updated');
  expect(last.items.map(({ detail }: { detail: { name: string } }) => detail.name)).toEqual(['Meanwhile', 'Name 6']);
  const { body: before } = await client.get(
    `/audit-events?sort=-recordedAt&size=2&action=tenant.updated&cursor=${last.nextCursor}`,
  );
  expect(before.items[0].detail.name).toBe('Name 5');
});

test.each(['x', 'bnVsbA', 'WyJhIl0', 'WyJmb28iLCJhIl0'])('a cursor that is none is 400: %s', async (cursor) => {
  const reply = await client.get(`/audit-events?cursor=${cursor}`);
  expect(reply.status).toBe(400);
});
