import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../../src/server.ts';
import { createTestDatabase, quietLog, type TestDatabase } from '../support/database.ts';

// Clients that keep a connection open and send little or nothing. The server's patience is the product's, only shorter.

let db: TestDatabase;
let server: Awaited<ReturnType<typeof startServer>>;
let port: number;
beforeAll(async () => {
  db = await createTestDatabase();
  server = await startServer({
    database: db.database,
    temporal: { address: '127.0.0.1:9', namespace: 'default', taskQueue: 'limits', uiUrl: null },
    host: '127.0.0.1',
    port: 0,
    platformApiKey: 'platform',
    log: quietLog,
    patience: { headersMs: 500, requestMs: 1_000, keepAliveMs: 300, silentMs: 60_000 },
  });
  port = Number(new URL(server.url).port);
});
afterAll(async () => {
  await server.stop();
  await db.close();
});

async function open(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** What the server says until it hangs up. */
async function said(socket: Socket): Promise<{ status: number; headers: string; problem: any }> {
  const whole = await text(socket);
  const [head = '', body = ''] = whole.split('\r\n\r\n');
  return {
    status: Number(head.split(' ')[1]),
    headers: head.toLowerCase(),
    problem: body === '' ? null : JSON.parse(body),
  };
}

const tenants = async () => (await db.query('select id from tenants')).length;
const signUp =
  'POST /api/v1/tenants HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer platform\r\nContent-Type: application/json\r\n';
const isAlive = async () => expect((await fetch(`${server.url}/healthz`)).status).toBe(200);

describe('a request that never comes to its end is 408, and its connection is closed', () => {
  test.each([
    ['nothing but a line', 'GET /api/v1/tenant HTTP/1.1\r\n'],
    ['half a header', 'GET /api/v1/tenant HTTP/1.1\r\nHost: api\r\nAuthorization: Bea'],
    ['a body shorter than announced', `${signUp}Content-Length: 100\r\n\r\n{"name":`],
    ['chunks without a last one', `${signUp}Transfer-Encoding: chunked\r\n\r\n8\r\n{"name":\r\n`],
  ])('%s', async (_, start) => {
    const before = await tenants();
    const socket = await open();
    socket.write(start);
    const { status, headers, problem } = await said(socket);
    expect([status, problem.code, problem.status]).toEqual([408, 'request.timeout', 408]);
    expect(headers).toContain('content-type: application/problem+json');
    expect(headers).toContain('connection: close');
    expect(await tenants()).toBe(before);
    await isAlive();
  });

  test('one that drips is no exception', async () => {
    const socket = await open();
    socket.write('GET /healthz HTTP/1.1\r\nHost: api\r\n');
    const drip = setInterval(() => socket.write('X: y\r\n'), 50);
    socket.on('error', () => {});
    const { status } = await said(socket).finally(() => clearInterval(drip));
    expect(status).toBe(408);
  });

  test('a hundred of them leave the others room, and hold no connection of the database', async () => {
    const slow = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = await open();
        socket.write(`${signUp}Content-Length: 100\r\n\r\n{"name":`);
        return { answer: said(socket) };
      }),
    );
    await isAlive();
    const inTransaction = `select 1 from pg_stat_activity where state like '%in transaction%' and datname = current_database()`;
    expect(await db.query(inTransaction)).toEqual([]);
    expect(new Set((await Promise.all(slow.map(({ answer }) => answer))).map(({ status }) => status))).toEqual(
      new Set([408]),
    );
  });
});

describe('what is no request', () => {
  test.each([
    [
      'headers of 20 kB',
      `GET /healthz HTTP/1.1\r\nHost: api\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'request.headers_too_large',
    ],
    ['a URL of 20 kB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: api\r\n\r\n`, 431, 'request.headers_too_large'],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'request.malformed'],
    ['two lengths', `${signUp}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'request.malformed'],
    [
      'a length and chunks',
      `${signUp}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
      400,
      'request.malformed',
    ],
  ])('%s: %i', async (_, bytes, status, code) => {
    const before = await tenants();
    const socket = await open();
    socket.on('error', () => {});
    socket.write(bytes, 'latin1');
    const answer = await said(socket);
    expect([answer.status, answer.problem.code]).toEqual([status, code]);
    expect(await tenants()).toBe(before);
    await isAlive();
  });
});

test('a connection that is kept alive and not used again is closed', async () => {
  const socket = await open();
  socket.write('GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n');
  expect(await text(socket)).toContain('HTTP/1.1 200');
});

test('a client that goes away in the middle of its request changes nothing', async () => {
  const before = await tenants();
  const socket = await open();
  socket.end(`${signUp}Content-Length: 100\r\n\r\n{"name": "Gone"`);
  socket.resume();
  await once(socket, 'close');
  await isAlive();
  expect(await tenants()).toBe(before);
});
