import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { startServer } from '../../src/server.ts';
import { type Client, PLATFORM_KEY } from '../support/api.ts';
import { create } from '../support/billing-shapes.ts';
import { createTestDatabase, quietLog, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/stack.ts';
import { closeGate, type Gate } from './support/gate.ts';
import { clientAt } from './support/programs.ts';
import { type Route, startToxiproxy, through, type Toxiproxy } from './support/toxiproxy.ts';

const POOL_SIZE = 3;

let toxiproxy: Toxiproxy;
let route: Route;
let db: TestDatabase;
let far: Database;
let api: { url: string; stop(): Promise<void> };
let client: Client;
beforeAll(async () => {
  toxiproxy = await startToxiproxy();
  db = await createTestDatabase();
  route = await toxiproxy.route(new URL(db.ownerUrl).host);
  far = await openDatabase({ ownerUrl: through(db.ownerUrl, route), log: quietLog, poolSize: POOL_SIZE });
  const temporal = { address: inject('temporalAddress'), namespace: 'default', taskQueue: 'none', uiUrl: null };
  const place = { host: '127.0.0.1', port: 0, platformApiKey: PLATFORM_KEY, log: quietLog };
  api = await startServer({ database: far, temporal, ...place });
  const { apiKey } = await create(clientAt(api.url, PLATFORM_KEY), '/tenants', { name: 'Far away' });
  client = clientAt(api.url, apiKey);
});
afterAll(async () => {
  await api.stop();
  await far.close();
  await db.close();
  await toxiproxy.stop();
});

afterEach(() => route.heal());

const post = (path: string, body: object, idempotencyKey?: string) =>
  client.post(path, body, idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey });

const customers = (name: string) => db.query('select id from customers where name = $1', [name]);

/** Every insert of a customer stops at the gate while the work is done: within its statement, or within its COMMIT. */
async function withGate<T>(where: 'statement' | 'COMMIT', work: (gate: Gate) => Promise<T>): Promise<T> {
  const gate = await closeGate(db, 'customers', where);
  try {
    return await work(gate);
  } finally {
    await gate.open();
  }
}

describe('a connection to the database that is cut', () => {
  test('within COMMIT: 503; the row is there, and the same key finds it instead of making another', async () => {
    await withGate('COMMIT', async (gate) => {
      const first = post('/customers', { name: 'Committed' }, 'key-1');
      await eventually(async () => (await gate.waiting('commit')) === 1, 'the transaction to be within its COMMIT');
      await route.cut();
      const { status, headers, body } = await first;
      expect({ status, code: body.code }).toEqual({ status: 503, code: 'unavailable' });
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
      // Nobody can know whether it was committed, so nobody may be told that nothing was changed.
      expect(body.detail).not.toContain('Nothing was changed');
      expect(body.detail).toContain('Idempotency-Key');

      await route.heal();
      const meanwhile = await post('/customers', { name: 'Committed' }, 'key-1');
      expect({ status: meanwhile.status, code: meanwhile.body.code }).toEqual({
        status: 409,
        code: 'idempotency.in_flight',
      });
      await gate.open();
    });
    const [row] = await eventually(async () => {
      const rows = await customers('Committed');
      return rows.length > 0 ? rows : null;
    }, 'the commit');
    const again = await post('/customers', { name: 'Committed' }, 'key-1');
    expect(again).toMatchObject({ status: 201, body: { id: row?.['id'] } });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await customers('Committed')).toHaveLength(1);
  });

  test('within a statement: 503, nothing is written, and the same key writes it once', async () => {
    await withGate('statement', async (gate) => {
      const first = post('/customers', { name: 'Undone' }, 'key-2');
      await eventually(async () => (await gate.waiting('insert into "customers"')) === 1, 'the insert to be under way');
      await route.cut();
      expect((await first).status).toBe(503);
      await gate.open();
      await eventually(async () => (await gate.waiting()) === 0, 'the server to notice');
    });
    await route.heal();
    expect(await customers('Undone')).toEqual([]);
    expect((await post('/customers', { name: 'Undone' }, 'key-2')).status).toBe(201);
    expect((await post('/customers', { name: 'Undone' }, 'key-2')).status).toBe(201);
    expect(await customers('Undone')).toHaveLength(1);
  });

  test('in the middle of transactions, more of them than the pool has places: it has them all again', async () => {
    for (let cut = 1; cut <= 2; cut += 1) {
      const names = Array.from({ length: POOL_SIZE }, (_, index) => `Cut ${cut}.${index}`);
      await withGate('statement', async (gate) => {
        const answers = Promise.all(names.map((name) => post('/customers', { name })));
        await eventually(
          async () => (await gate.waiting('insert')) === POOL_SIZE,
          'the whole pool to be in transactions',
        );
        await route.cut();
        expect((await answers).map(({ status }) => status)).toEqual(names.map(() => 503));
        await gate.open();
      });
      await route.heal();
      const again = await Promise.all(names.map((name) => post('/customers', { name })));
      expect(again.map(({ status }) => status)).toEqual(names.map(() => 201));
    }
  });
});
