import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../../src/server.ts';
import { createTestDatabase, quietLog, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());

/** Nobody listens on port 9 of this machine: Temporal is down. */
const start = (port = 0) =>
  startServer({
    database: db.database,
    temporal: { address: '127.0.0.1:9', namespace: 'default', taskQueue: 'tributary-billing', uiUrl: null },
    host: '127.0.0.1',
    port,
    platformApiKey: 'platform',
    log: quietLog,
  });

test('takes writes while Temporal is down, and says that it is', async () => {
  const server = await start();
  const { status } = await fetch(`${server.url}/api/v1/tenants`, {
    method: 'POST',
    headers: { Authorization: 'Bearer platform', 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'Acme' }),
  });
  expect(status).toBe(201);
  const ready = await fetch(`${server.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ parts: { database: 'up', temporal: 'down' } });
  await server.stop();
});

test('stops: what is under way is answered, what comes later is refused, and the port is free again', async () => {
  const server = await start();
  const underWay = fetch(`${server.url}/readyz`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server.stop();
  expect((await underWay).status).toBe(503);
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow('fetch failed');
  const again = await start(Number(new URL(server.url).port));
  expect((await fetch(`${again.url}/healthz`)).status).toBe(200);
  await again.stop();
});

test('a port that is taken is told, not waited for', async () => {
  const server = await start();
  await expect(start(Number(new URL(server.url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await server.stop();
});
