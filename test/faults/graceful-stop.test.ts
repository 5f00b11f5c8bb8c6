import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { choosePorts } from '../../src/runtime/ports.ts';
import { until } from '../../src/runtime/until.ts';
import type { Client, Reply } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { closeGate } from './support/gate.ts';
import { clientAt, PLATFORM_KEY, type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks } from './support/proof.ts';
import { chances, seedOf } from './support/seed.ts';
import { openWrites } from './support/under-way.ts';

// SIGTERM, as a deployment sends it to every process that it replaces, in the middle of the work.

const seed = seedOf('graceful-stop');
const random = chances(seed, 999_999);
const below = (limit: number): number => random.next().value % limit;
const STOPPED = { code: 0, signal: null };

let db: TestDatabase;
let programs: Program[] = [];
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(programs.map((program) => program.end('SIGKILL')));
  programs = [];
  await db.close();
});

async function start(name: 'api' | 'worker', taskQueue: string, port = 0): Promise<Program> {
  const where = { databaseUrl: db.ownerUrl, temporalAddress: inject('temporalAddress'), taskQueue, port };
  const program = startProgram(name, where);
  programs.push(program);
  await program.ready;
  return program;
}

/** An API in a process of its own, and a tenant in it. */
async function startApi() {
  const { port } = await choosePorts(null, ['port']);
  const again = () => start('api', 'graceful-stop', port);
  const program = await again();
  const url = `http://127.0.0.1:${port}`;
  const { id, apiKey } = await create(clientAt(url, PLATFORM_KEY), '/tenants', { name: 'Under load' });
  return { program, port, again, apiKey: apiKey as string, client: clientAt(url, apiKey, id) };
}

/** Adds a customer whose name is the key: what became of a request can be found by either. */
const add = (client: Client, key: string): Promise<Reply> =>
  client.post('/customers', { name: key }, { 'Idempotency-Key': key });

const stored = async (): Promise<{ id: string; name: string }[]> =>
  db.query('select id, name from customers order by name');

const isRefused = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
};

describe('an API that is told to stop', () => {
  const AT_ONCE = 12;

  test('answers what is under way, the half-sent too, takes nothing new, and ends with 0', async () => {
    const { program, port, apiKey, client } = await startApi();
    const gate = await closeGate(db, 'customers');
    const keys = Array.from({ length: AT_ONCE }, (_, index) => `under way ${String(index).padStart(2, '0')}`);
    const underWay = keys.map((key) => add(client, key));
    await eventually(async () => (await gate.waiting()) === AT_ONCE, 'every request to be in the middle of its write');
    const body = '{"name": "half-sent"}';
    const half = connect(port, '127.0.0.1');
    half.write(
      `POST /api/v1/customers HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer ${apiKey}\r\nIdempotency-Key: half-sent\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
    );
    await once(half, 'ready');
    // The server has it when it has answered another request on a later connection.
    expect((await client.get('/tenant')).status).toBe(200);

    const ended = program.end('SIGTERM');
    await eventually(() => isRefused(port), 'the port to be closed');
    half.write(body.slice(9));
    await eventually(async () => (await gate.waiting()) === AT_ONCE + 1, 'the half-sent request to go on');
    expect(await stored()).toEqual([]);
    await gate.open();

    const replies = await Promise.all(underWay);
    const last = await text(half);
    expect(replies.map(({ status }) => status)).toEqual(keys.map(() => 201));
    expect(new Set(replies.map(({ headers }) => headers.get('connection')))).toEqual(new Set(['close']));
    expect(last).toMatch(/^HTTP\/1\.1 201 [^]*\r\nConnection: close\r\n/);
    expect(await ended).toEqual(STOPPED);
    expect((await stored()).map(({ name }) => name)).toEqual(['half-sent', ...keys]);
  });

  test('cuts off what does not end, which leaves nothing behind: the same keys serve once it is back', async () => {
    const { program, again, client } = await startApi();
    const gate = await closeGate(db, 'customers');
    const keys = ['cut off 1', 'cut off 2'];
    const cut = keys.map((key) =>
      add(client, key).then(
        ({ status }) => status,
        () => 'closed',
      ),
    );
    await eventually(async () => (await gate.waiting()) === keys.length, 'both requests to wait');
    const ended = program.end('SIGTERM');
    // A database that is waited for in vain is given up after twenty seconds, an open connection after ten.
    expect(['closed', 503]).toContain(await cut[0]);
    expect(['closed', 503]).toContain(await cut[1]);
    expect(await ended).toEqual(STOPPED);
    await gate.open();
    await eventually(async () => (await gate.waiting()) === 0, 'what waited to be gone');
    expect(await stored()).toEqual([]);
    await again();
    for (const key of keys) expect((await add(client, key)).status).toBe(201);
    expect((await stored()).map(({ name }) => name)).toEqual(keys);
  });

  test('again and again under load: every key has its one row, and every answer was true', async () => {
    const api = await startApi();
    const { again, client } = api;
    let { program } = api;
    const WRITERS = 16;
    const ROUNDS = 5;
    let isOver = false;
    const tally = { answered: 0, again: 0, replayed: 0 };
    const answers = new Map<string, string>();

    /** Sends the same key until it has its answer, as a careful client does. */
    const persist = async (key: string): Promise<void> => {
      for (;;) {
        const reply = await add(client, key).catch(() => null);
        if (reply !== null && reply.status < 500 && reply.status !== 409) {
          expect(reply.status).toBe(201);
          if (reply.headers.get('idempotent-replayed') !== null) tally.replayed += 1;
          tally.answered += 1;
          answers.set(key, reply.body.id);
          return;
        }
        tally.again += 1;
        await delay(20);
      }
    };
    const write = async (writer: number): Promise<void> => {
      for (let turn = 0; !isOver; turn += 1) await persist(`writer ${writer} turn ${turn}`);
    };
    const writers = Array.from({ length: WRITERS }, (_, index) => write(index));
    for (let round = 0; round < ROUNDS; round += 1) {
      const { answered } = tally;
      await eventually(async () => tally.answered > answered + WRITERS, 'the load');
      await delay(below(300));
      expect(await program.end('SIGTERM')).toEqual(STOPPED);
      program = await again();
    }
    isOver = true;
    await Promise.all(writers);
    process.stderr.write(`graceful-stop: ${JSON.stringify(tally)}\n`);

    const rows = await stored();
    expect(rows.map(({ name }) => name)).toEqual([...answers.keys()].toSorted());
    for (const { id, name } of rows) expect(answers.get(name)).toBe(id);
    expect(tally.again, 'requests that met the stop').toBeGreaterThan(0);
  });
});

test('a worker that is told to stop in the middle of a transaction carries it through before it ends', async () => {
  const { client } = await startApi();
  const payer = await create(client, '/customers', { name: 'Due today' });
  const anchorDate = new Date().toISOString().slice(0, 10);
  const group = { payerCustomerId: payer.id, anchorDate, settleMinutes: 0 };
  const { id: billingGroupId } = await create(client, '/billing-groups', group);
  await create(client, '/subscriptions', { customerId: payer.id, billingGroupId, prices: [flat('base', '31.00')] });
  const gate = await closeGate(db, 'number_streams');
  const worker = await start('worker', `graceful-${randomUUID()}`);
  await eventually(async () => (await gate.waiting()) === 1, 'the run to wait for its number');
  const relays = () =>
    db.query(
      `select 1 from pg_stat_activity where datname = current_database() and application_name = 'tributary relay'`,
    );
  expect(await relays()).toHaveLength(1);

  const ended = worker.end('SIGTERM');
  // Its relay is stopped last before what Temporal gave it.
  await eventually(async () => (await relays()).length === 0, 'the worker to be stopping');
  const runs = () => db.query(`select status from billing_runs where billing_group_id = $1`, [billingGroupId]);
  expect(await runs()).not.toContainEqual({ status: 'ISSUED' });
  await gate.open();
  expect(await ended).toEqual(STOPPED);
  // Nobody else was there to do it.
  expect(await runs()).toEqual([{ status: 'ISSUED' }]);
});

test('a worker that is told to stop in the middle of runs ends with 0, and the next one goes on: no double, no gap', async () => {
  const WORLDS = 4;
  const STOPS_MAX = 4;
  const worlds = busyWorlds(seed, WORLDS);
  const reference = await undisturbed(worlds);
  const inhabited = await inhabit(db.database, worlds);
  const taskQueue = `graceful-${randomUUID()}`;
  let worker = await start('worker', taskQueue);
  await sendClocks(db.database, inhabited);
  let stops = 0;
  while (stops < STOPS_MAX && (await clocksOnTheWay(db)) > 0) {
    await delay(100 + below(1_500));
    // In the middle of a transaction, or when there will be none any more.
    const ask = async () => (await openWrites(db)).length > 0 || (await clocksOnTheWay(db)) === 0;
    await until({ ask, withinMs: 120_000, everyMs: 1 });
    expect(await worker.end('SIGTERM')).toEqual(STOPPED);
    expect(worker.log().filter((line) => /did not stop/.test(line))).toEqual([]);
    stops += 1;
    worker = await start('worker', taskQueue);
  }
  await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);
  process.stderr.write(`graceful-stop: ${stops} workers stopped\n`);
  for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
  expect(stops).toBeGreaterThanOrEqual(2);
});
