import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

const notesOf = (subjectId: string) => api.db.query('select id from audit_events where subject_id = $1', [subjectId]);

describe('the frame', () => {
  test('a path that is not there is 404, a method that is not there 405 with what there is', async () => {
    expect((await client.get('/nothing')).body).toMatchObject({ status: 404, code: 'not_found' });
    const reply = await client.get('/notes/1');
    expect(reply).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(reply.headers.get('allow')).toBe('DELETE, PUT, PATCH, OPTIONS');
    expect((await client.send('PATCH', '/notes/1', { text: 'x' })).status).toBe(200);
  });

  test('a failure tells nothing but the id under which it is logged', async () => {
    const reply = await client.post('/notes', { id: 'x', ending: 'crash' });
    expect(reply).toMatchObject({
      status: 500,
      body: { code: 'internal', instance: reply.headers.get('x-request-id') },
    });
    expect(JSON.stringify(reply.body)).not.toContain('internals');
  });

  test('a read by POST cannot write', async () => {
    expect((await client.post('/previews', { amount: '1', at: now, write: true })).status).toBe(500);
    expect(await notesOf('preview')).toHaveLength(0);
  });

  test('documents, and routes without a key', async () => {
    const reply = await api.as(null).get('/documents/A%20B');
    expect(reply).toMatchObject({ status: 200, body: 'name\nA B\n' });
    expect(reply.headers.get('content-type')).toMatch(/^text\/csv/);
    expect(reply.headers.get('content-disposition')).toBe('attachment; filename=names.csv');
  });

  test('one line in the log for each request, without a secret', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
    const watched = await startTestApi({ log });
    const tenant = await watched.tenant();
    const { body } = await tenant.post('/api-keys', { scopes: ['read'] });
    await watched.as(body.secret).get('/tenant?token=in-the-query');
    await watched.as(null).get('//i/token-of-a-page');
    await watched.close();
    expect(lines.map((line) => JSON.parse(line)).map(({ method, path, status }) => [method, path, status])).toEqual([
      ['POST', '/api/v1/tenants', 201],
      ['POST', '/api/v1/api-keys', 201],
      ['GET', '/api/v1/tenant', 400],
      ['GET', '/i/…', 404],
    ]);
    for (const secret of [body.secret, 'in-the-query', 'token-of-a-page', 'Bearer'])
      expect(lines.join()).not.toContain(secret);
  });

  test('nobody caches answers, and the headers are safe', async () => {
    const { headers } = await client.get('/tenant');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('the page and its parts come from here, with scripts of its own host alone', async () => {
    expect((await client.get('//')).headers.get('location')).toBe('/docs');
    const page = await client.get('//docs');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    for (const [, path] of (page.body as string).matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await client.get(`/${path}`)).status).toBe(200);
    }
  });

  test('the document lists every route, and PATCH beside each PUT', async () => {
    const { body } = await api.as(null).get('/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    const wanted = routes.flatMap(({ method, path }) =>
      (method === 'PUT' ? ['put', 'patch'] : [method.toLowerCase()]).map((verb) => [verb, path] as const),
    );
    const missing = wanted.filter(
      ([verb, path]) => body.paths[`/api/v1${path.replaceAll(/:(\w+)/g, '{$1}')}`]?.[verb]?.responses === undefined,
    );
    expect(missing).toEqual([]);
  });
});

describe('when a part is down', () => {
  test('/healthz is about this process, /readyz about all it needs', async () => {
    const broken = await startTestApi({
      parts: { database: async () => {}, temporal: () => Promise.reject(new Error()) },
    });
    expect((await broken.as(null).get('//healthz')).body).toEqual({ status: 'up' });
    const reply = await broken.as(null).get('//readyz');
    expect(reply).toMatchObject({ status: 503, body: { parts: { database: 'up', temporal: 'down' } } });
    expect(reply.headers.get('retry-after')).toBe('2');
    await broken.close();
    expect((await client.get('//readyz')).body).toEqual({ status: 'ready', parts: { database: 'up' } });
  });

  test('a database that refuses connections is 503 with Retry-After, and then it goes on', async () => {
    const own = await startTestApi();
    const tenant = await own.tenant();
    await own.db.refuse(true);
    const reply = await tenant.post('/billing-entities', {});
    await own.db.refuse(false);
    expect(reply).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(reply.headers.get('retry-after')).toBe('2');
    expect((await tenant.get('/tenant')).status).toBe(200);
    await own.close();
  });

  test('a key that asks too often is told when to come back; another key is not', async () => {
    const strict = await startTestApi({ rateLimit: { requests: 3, seconds: 60 } });
    const [one, two] = [await strict.tenant(), await strict.tenant()];
    for (const _ of [1, 2, 3]) expect((await one.get('/tenant')).status).toBe(200);
    const reply = await one.get('/tenant');
    expect(reply).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await two.get('/tenant')).status).toBe(200);
    await strict.close();
  });
});
