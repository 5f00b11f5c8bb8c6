import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startServer } from '../../src/server.ts';
import { createTestDatabase, quietLog, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());

/** Nobody listens on port 9 of this machine: there Temporal is down. */
const start = (port = 0, address = '127.0.0.1:9') =>
  startServer({
    database: db.database,
    temporal: { address, namespace: 'default', taskQueue: 'tributary-billing', uiUrl: null },
    host: '127.0.0.1',
    port,
    platformApiKey: 'platform',
    log: quietLog,
  });

const signUp = (url: string) =>
  fetch(`${url}/api/v1/tenants`, {
    method: 'POST',
    headers: { Authorization: 'Bearer platform', 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Acme' }),
  });

test('takes writes while Temporal is down, and says that it is', async () => {
  const server = await start();
  expect((await signUp(server.url)).status).toBe(201);
  const ready = await fetch(`${server.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ parts: { database: 'up', temporal: 'down' } });
  await server.stop();
});

test('is ready when the database and Temporal answer', async () => {
  const server = await start(0, inject('temporalAddress'));
  const ready = async () => (await fetch(`${server.url}/readyz`)).json();
  // Its first word with Temporal may take longer than it waits for an answer.
  await expect.poll(ready, { timeout: 15_000 }).toEqual({ status: 'ready', parts: { database: 'up', temporal: 'up' } });
  await server.stop();
});

test('stops: what is under way is answered, what comes later is refused, and the port is free again', async () => {
  const server = await start();
  const blocker = new pg.Client({ connectionString: db.ownerUrl });
  await blocker.connect();
  await blocker.query('begin; lock table tenants in access exclusive mode');
  const underWay = signUp(server.url);
  const waits = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  await expect.poll(async () => (await db.query(waits)).length, { timeout: 10_000 }).toBe(1);
  const stopped = server.stop();
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow('fetch failed');
  await blocker.query('rollback');
  expect((await underWay).status).toBe(201);
  await stopped;
  await blocker.end();
  const again = await start(Number(new URL(server.url).port));
  expect((await fetch(`${again.url}/healthz`)).status).toBe(200);
  await again.stop();
});

test('a port that is taken is told, not waited for', async () => {
  const server = await start();
  await expect(start(Number(new URL(server.url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await server.stop();
});
