import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { routes } from '../../src/api/routes.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { probes } from '../support/probes.ts';

const now = '2026-08-01T00:00:00.000Z';
let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi({ routes: [...routes, ...probes] });
});
beforeEach(async () => {
  client = await api.tenant();
});
afterAll(() => api.close());

test.each([
  { when: 'JSON is broken', body: '{"id":', type: 'application/json', status: 400, code: 'request.malformed' },
  { when: 'JSON is no object', body: '"id"', type: 'application/json', status: 400, code: 'request.malformed' },
  {
    when: 'the form is a form',
    body: 'id=1',
    type: 'application/x-www-form-urlencoded',
    status: 415,
    code: 'request.media_type',
  },
  { when: 'no type is named', body: '{}', type: '', status: 415, code: 'request.media_type' },
  {
    when: 'the charset is strange',
    body: '{}',
    type: 'application/json; charset=klingon',
    status: 415,
    code: 'request.media_type',
  },
  {
    when: 'it is huge',
    body: JSON.stringify({ id: 'x'.repeat(17_000_000) }),
    type: 'application/json',
    status: 413,
    code: 'request.too_large',
  },
])('answers $status when $when', async ({ body, type, status, code }) => {
  const reply = await client.send('POST', '/notes', body, { 'Content-Type': type });
  expect(reply).toMatchObject({ status, body: { status, code, type: `urn:tributary:problem:${code}` } });
  expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
});

test('an empty body is refused where something is required, and by PUT', async () => {
  expect((await client.post('/notes')).body.errors).toEqual([{ path: 'id', message: 'Required: send a string.' }]);
  expect((await client.send('PUT', '/notes/1')).body).toMatchObject({ status: 400, code: 'request.malformed' });
});

test.each([
  { field: 'id', value: 'a\0b' },
  { field: 'id', value: 'a\ud800b' },
  { field: 'id', value: '   ' },
  { field: 'id', value: 'x'.repeat(256) },
  { field: 'id', value: 7 },
  { field: 'id', value: null },
  { field: 'ending', value: 'else' },
  { field: 'nonsense', value: 1 },
])('names the field: $field = $value', async ({ field, value }) => {
  const { status, body } = await client.post('/notes', { id: 'good', [field]: value });
  expect({ status, path: body.errors[0].path }).toEqual({ status: 400, path: field });
});

test('a name of a field that cannot be stored, and one that would be a prototype', async () => {
  expect((await client.send('POST', '/notes', '{"id":"x","a\\u0000":1}')).status).toBe(400);
  expect((await client.send('POST', '/notes', '{"id":"x","__proto__":{"ending":"crash"}}')).status).toBe(400);
});

test('money as a number is refused with the reason', async () => {
  const { body } = await client.post('/previews', { amount: 19, at: now });
  expect(body.errors).toEqual([
    { path: 'amount', message: 'Send amounts as decimal strings such as "19.00"; a JSON number loses cents.' },
  ]);
});

test.each([
  { amount: '1e3' },
  { amount: '1,50' },
  { amount: '-1' },
  { amount: '1.' },
  { amount: '0.1234567890123' },
  { amount: '1234567890123456' },
  { at: '2026-08-01' },
  { at: '2026-08-01T00:00:00' },
  { at: '1899-12-31T23:59:59Z' },
  { at: '+010000-01-01T00:00:00Z' },
  { quantity: 'many' },
  { quantity: 1e300 },
  { quantity: -1 },
])('refuses %o', async (wrong) => {
  const { status, body } = await client.post('/previews', { amount: '1', at: now, ...wrong });
  expect({ status, path: body.errors[0].path }).toEqual({ status: 400, path: Object.keys(wrong)[0] });
});

test('an instant comes out in UTC, a quantity as text', async () => {
  const { body } = await client.post('/previews', { amount: '1', at: '2026-08-01T09:00:00+09:00', quantity: 1e-7 });
  expect(body).toEqual({ amount: '1', at: '2026-08-01T00:00:00.000Z', quantity: '0.0000001' });
});

test.each(['/notes/%00', '/notes/%ff', `/notes/${'x'.repeat(301)}`])('a path that names nothing: %s', async (path) => {
  expect((await client.delete(path)).status).toBe(400);
});
