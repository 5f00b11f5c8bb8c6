import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { routes } from '../../src/api/routes.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { crashes, door, probes } from '../support/probes.ts';

let now = '2026-08-01T00:00:00.000Z';
let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => now }, routes: [...routes, ...probes] });
});
beforeEach(async () => {
  door.close();
  client = await api.tenant();
});
afterAll(() => api.close());

const notesOf = (subjectId: string) => api.db.query('select id from audit_events where subject_id = $1', [subjectId]);
const key = (value: string) => ({ 'Idempotency-Key': value });

test('a repeat gets the first answer, byte for byte, and nothing is done twice', async () => {
  const first = await client.post('/notes', { id: 'once' }, key('k'));
  const again = await client.post('/notes', { id: 'once' }, key('k'));
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.status).toBe(first.status);
  expect(Object.keys(again.body).slice(0, 4)).toEqual(Object.keys(first.body));
  expect(await notesOf('once')).toHaveLength(1);
});

test('the order of the fields does not matter, their values do', async () => {
  await client.post('/notes', '{"id":"a","ending":"answer"}', key('k'));
  expect((await client.post('/notes', '{"ending":"answer","id":"a"}', key('k'))).status).toBe(201);
  expect((await client.post('/notes', { id: 'b' }, key('k'))).body).toMatchObject({
    status: 422,
    code: 'idempotency.mismatch',
  });
  expect(await notesOf('b')).toHaveLength(0);
});

test('a secret is not stored, and the replay says so', async () => {
  expect((await client.post('/notes', { id: 's' }, key('k'))).body.password).toBe('shown once');
  const { body } = await client.post('/notes', { id: 's' }, key('k'));
  expect(body).toMatchObject({ id: 's', password: null, secret: null, note: expect.stringContaining('shown once') });
  expect(JSON.stringify(await api.db.query('select * from idempotency_keys'))).not.toContain('"shown once"');
});

test('a refusal is an answer: it is stored, and nothing else is', async () => {
  const first = await client.post('/notes', { id: 'refused', ending: 'refuse' }, key('k'));
  const again = await client.post('/notes', { id: 'refused', ending: 'refuse' }, key('k'));
  expect(first).toMatchObject({ status: 409, body: { code: 'customer.cycle' } });
  expect(again).toMatchObject({ status: 409, body: first.body });
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(await notesOf('refused')).toHaveLength(0);
});

test('what is wrong in itself is not stored: the same key may be used for the mended request', async () => {
  expect((await client.post('/notes', { id: 1 }, key('k'))).status).toBe(400);
  expect((await client.post('/notes', { id: 'mended' }, key('k'))).status).toBe(201);
});

test('a failure of ours is not stored: the repeat does the work', async () => {
  const before = crashes.count;
  for (const _ of [1, 2])
    expect((await client.post('/notes', { id: 'c', ending: 'crash' }, key('k'))).status).toBe(500);
  expect(crashes.count - before).toBe(2);
  expect(await notesOf('c')).toHaveLength(0);
});

test('while the first is in flight the second is told to wait; afterwards it gets the answer', async () => {
  const first = client.post('/notes', { id: 'w', ending: 'wait' }, key('k'));
  await door.reached;
  const second = await client.post('/notes', { id: 'w', ending: 'wait' }, key('k'));
  expect(second).toMatchObject({ status: 409, body: { code: 'idempotency.in_flight' } });
  expect(second.headers.get('retry-after')).toBe('1');
  door.open();
  expect((await first).status).toBe(201);
  expect((await client.post('/notes', { id: 'w', ending: 'wait' }, key('k'))).status).toBe(201);
  expect(await notesOf('w')).toHaveLength(1);
});

test('keys of tenants, paths and methods are apart', async () => {
  const other = await api.tenant();
  await client.post('/notes', { id: 'mine' }, key('k'));
  expect((await other.post('/notes', { id: 'theirs' }, key('k'))).status).toBe(201);
  expect((await client.post('/previews', { amount: '1', at: now }, key('k'))).status).toBe(200);
  expect((await client.put('/notes/1', {}, key('k'))).status).toBe(200);
});

test('a key lives 24 hours', async () => {
  await client.post('/notes', { id: 'day' }, key('k'));
  now = '2026-08-01T23:59:59.999Z';
  expect((await client.post('/notes', { id: 'day' }, key('k'))).headers.get('idempotent-replayed')).toBe('true');
  now = '2026-08-02T00:00:00.000Z';
  expect((await client.post('/notes', { id: 'other' }, key('k'))).status).toBe(201);
  expect((await client.post('/notes', { id: 'other' }, key('k'))).headers.get('idempotent-replayed')).toBe('true');
});

test.each(['', 'x'.repeat(256)])('refuses a key that is none', async (value) => {
  const reply = await client.post('/notes', { id: 'n' }, key(value));
  expect(reply).toMatchObject({ status: 400, body: { code: 'idempotency.key' } });
});

test('ten requests at once do the work once', async () => {
  const replies = await Promise.all(Array.from({ length: 10 }, () => client.post('/notes', { id: 'ten' }, key('k'))));
  expect(replies.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
  expect(await notesOf('ten')).toHaveLength(1);
});
