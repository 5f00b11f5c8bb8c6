import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { route } from '../../src/api/route.ts';
import { routes } from '../../src/api/routes.ts';
import { text } from '../../src/api/schemas.ts';
import type { Tx } from '../../src/db/database.ts';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';

const run = (tx: Tx, text: string): Promise<unknown> => sql.raw(text).execute(tx.db);

/** What a request does when the database keeps it waiting: each limit is the product's, only shorter. */
const waits: Record<string, (tx: Tx) => Promise<unknown>> = {
  'a lock': async (tx) => {
    await run(tx, `set local lock_timeout = '50ms'`);
    return run(tx, 'lock table tenants in access exclusive mode');
  },
  'a statement': async (tx) => {
    await run(tx, `set local statement_timeout = '50ms'`);
    return run(tx, 'select pg_sleep(60)');
  },
};
const waiting = route({
  method: 'POST',
  path: '/waits',
  tag: 'Probe',
  summary: 'Wait for the database',
  scope: 'write',
  body: z.strictObject({ for: text() }),
  response: z.object({}),
  handler: async ({ tx, body }) => {
    await waits[body.for]?.(tx);
    return {};
  },
});

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi({ routes: [...routes, waiting] });
  client = await api.tenant();
});
afterAll(() => api.close());

const customers = async (): Promise<number> => (await client.get('/customers')).body.totalItems;
const isProblem = ({ headers, body, status }: Reply, code: string): boolean =>
  (headers.get('content-type') ?? '').startsWith('application/problem+json') &&
  body.status === status &&
  body.code === code;

describe('a body', () => {
  const huge = JSON.stringify({ name: 'x'.repeat(17_000_000) });
  const bodies: [string, () => { body: string | Uint8Array; headers?: Record<string, string> }][] = [
    ['sent in full', () => ({ body: huge })],
    ['packed into a few bytes', () => ({ body: gzipSync(huge), headers: { 'Content-Encoding': 'gzip' } })],
  ];
  test.each(bodies)('of more than 16 MB, %s, is 413 and changes nothing', async (_, make) => {
    const { body, headers = {} } = make();
    const before = await customers();
    const key = { 'Idempotency-Key': randomUUID() };
    const reply = await client.send('POST', '/customers', body, { ...key, ...headers });
    expect(reply.status).toBe(413);
    expect(isProblem(reply, 'request.too_large')).toBe(true);
    expect(await customers()).toBe(before);
    // It was not stored under its key either: the same key serves a smaller one.
    expect((await client.post('/customers', { name: 'Small' }, key)).status).toBe(201);
  });

  test('of a stranger is not read: the key is looked at first', async () => {
    for (const body of ['{"name":', huge, '['.repeat(1_000_000)]) {
      const reply = await api.as('unknown').send('POST', '/customers', body);
      expect([reply.status, isProblem(reply, 'unauthenticated')]).toEqual([401, true]);
    }
  });

  test.each([
    ['arrays', '['.repeat(5_000_000)],
    ['whole arrays', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
    ['objects', `${'{"name":'.repeat(500_000)}1${'}'.repeat(500_000)}`],
    ['an array in a field', `{"name":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`],
  ])('nested without end (%s) is refused', async (_, body) => {
    const reply = await client.send('POST', '/customers', body);
    expect(reply.status).toBe(400);
    expect((await client.get('/tenant')).status).toBe(200);
  });

  test('with a hundred thousand unknown fields is refused by the first fifty', async () => {
    const body = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`field${index}`, index]));
    const reply = await client.post('/customers', body);
    expect([reply.status, reply.body.errors.length]).toEqual([400, 50]);
    expect(JSON.stringify(reply.body).length).toBeLessThan(20_000);
  });

  test('with a hundred thousand faults in one field is refused by the first fifty', async () => {
    const reply = await client.post('/customers', { name: 'x', aliases: Array.from({ length: 100_000 }, () => 7) });
    expect(reply.status).toBe(400);
    expect(JSON.stringify(reply.body).length).toBeLessThan(20_000);
  });
});

describe('too many requests', () => {
  test.each([
    ['with one key', null],
    ['without a key', ''],
    ['with a wrong key', 'Bearer wrong'],
  ])('%s are 429 with Retry-After, and change nothing', async (_, authorization) => {
    const strict = await startTestApi({ rateLimit: { requests: 2, seconds: 60 } });
    const tenant = await strict.tenant();
    const headers = authorization === null ? {} : { Authorization: authorization };
    const attempt = () => tenant.post('/customers', { name: 'Flood' }, headers);
    const replies = [await attempt(), await attempt(), await attempt(), await attempt()];
    const first = authorization === null ? 201 : 401;
    expect(replies.map(({ status }) => status)).toEqual([first, first, 429, 429]);
    const last = replies[3] as Reply;
    expect(isProblem(last, 'rate_limited')).toBe(true);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    const [stored] = await strict.db.query<{ rows: number }>('select count(*)::int as rows from customers');
    expect(stored?.rows).toBe(authorization === null ? 2 : 0);
    await strict.close();
  });
});

describe('the database', () => {
  test('no connection waits for ever', async () => {
    const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    const settings = `select name, setting::int as ms from pg_settings where name in (${names.map((name) => `'${name}'`).join()})`;
    const { database } = api.db;
    for (const rows of [
      await database.inTenant(client.tenantId, ({ em }) => em.execute<{ ms: number }[]>(settings)),
      await database.acrossTenants(({ em }) => em.execute<{ ms: number }[]>(settings)),
    ]) {
      expect(rows).toHaveLength(names.length);
      for (const { ms } of rows) expect(ms).toBeGreaterThan(0);
    }
  });

  test.each(Object.keys(waits))('%s that takes too long is 503 with Retry-After, and nothing is kept', async (what) => {
    const holder = new pg.Client({ connectionString: api.db.ownerUrl });
    await holder.connect();
    await holder.query('begin; lock table tenants in access share mode');
    const headers = { 'Idempotency-Key': `waits for ${what}` };
    const reply = await client.post('/waits', { for: what }, headers);
    await holder.end();
    expect([reply.status, isProblem(reply, 'unavailable')]).toEqual([503, true]);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await api.db.query('select 1 from idempotency_keys where key = $1', [headers['Idempotency-Key']])).toEqual(
      [],
    );
  });
});

describe('every answer', () => {
  const answers: [string, number, (client: Client) => Promise<Reply>][] = [
    ['a resource', 200, (one) => one.get('/tenant')],
    ['what is not there', 404, (one) => one.get('/nothing')],
    ['no key', 401, (one) => one.get('/tenant', { Authorization: '' })],
    ['a wrong method', 405, (one) => one.delete('/tenant')],
    ['broken JSON', 400, (one) => one.send('POST', '/customers', '{')],
    [
      'a conflict',
      409,
      async (one) => one.post(`/billing-entities/${(await one.get('/tenant')).body.defaultEntityId}/archive`),
    ],
    ['the document', 200, (one) => one.get('/openapi.json')],
    ['the page', 200, (one) => one.get('//docs')],
    ['a script of the page', 200, (one) => one.get('//docs/start.js')],
    ['health', 200, (one) => one.get('//healthz')],
    ['readiness', 200, (one) => one.get('//readyz')],
    ['a path outside', 404, (one) => one.get('//elsewhere')],
    ['a preflight', 204, (one) => one.send('OPTIONS', '/customers', undefined, { Origin: 'https://evil.example' })],
  ];
  test.each(answers)('%s (%i) is safe for a browser, and open to no other origin', async (_, status, ask) => {
    const reply = await ask(client);
    expect(reply.status).toBe(status);
    const { headers } = reply;
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('x-request-id')).toMatch(/^req_/);
    const names = [...headers.keys()];
    expect(names).not.toContain('x-powered-by');
    expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });
});

describe('methods', () => {
  test('OPTIONS tells what a path takes, to anyone, and does nothing', async () => {
    const reply = await api.as(null).send('OPTIONS', '/customers/nobody');
    expect([reply.status, reply.body]).toEqual([204, undefined]);
    expect(reply.headers.get('allow')).toBe('GET, HEAD, PUT, PATCH, OPTIONS');
  });

  test('HEAD answers as GET does, without a body', async () => {
    const [head, get] = [await client.send('HEAD', '/tenant'), await client.get('/tenant')];
    expect([head.status, head.body]).toEqual([200, undefined]);
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
    expect((await api.as(null).send('HEAD', '/tenant')).status).toBe(401);
    expect((await client.send('HEAD', '/test-clocks/x/advance')).status).toBe(405);
  });
});
