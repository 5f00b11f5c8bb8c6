import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { type RunningPostgres, startPostgres } from '../../src/runtime/embedded-postgres.ts';
import { startServer } from '../../src/server.ts';
import { rowsOf } from '../activities/dump.ts';
import type { Reply } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { clientAt, PLATFORM_KEY, type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks } from './support/proof.ts';
import { seedOf } from './support/seed.ts';
import { mountSmallDisk } from './support/small-disk.ts';

const WORLDS = 4;
/** Three boundaries of a monthly group. */
const SOME_MONTHS_ON = '2026-06-15T12:00:00.000Z';
/** A cluster takes 40 MB, and what it logs until it is full some segments of 16. */
const DISK_MB = 320;

const disk = await mountSmallDisk(DISK_MB);
const seed = seedOf('disk-full-log');
const temporalAddress = inject('temporalAddress');
const taskQueue = `disk-${randomUUID()}`;

describe.skipIf(disk === null)('a disk on which PostgreSQL cannot write its log', () => {
  let dataDir: string;
  let postgres: RunningPostgres;
  let database: Database;
  let owner: pg.Pool;
  let db: TestDatabase;
  let api: { url: string; stop(): Promise<void> };
  let worker: Program;
  const query = async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> =>
    (await owner.query<Row>(text, values)).rows;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), `tributary-test-${process.pid}-`));
    await chmod(dataDir, 0o755);
    await symlink(disk?.folder ?? '', join(dataDir, 'postgres'));
    postgres = await startPostgres({ dataDir, durable: true, log: quietLog });
    const { ownerUrl } = postgres;
    database = await openDatabase({ ownerUrl, log: quietLog });
    owner = new pg.Pool({ connectionString: ownerUrl, max: 2 }).on('error', () => {});
    const unused = () => Promise.reject(new Error('Not of a server of our own.'));
    db = { query, database, ownerUrl, refuse: unused, close: unused };
    const temporal = { address: temporalAddress, namespace: 'default', taskQueue, uiUrl: null };
    const place = { host: '127.0.0.1', port: 0, platformApiKey: PLATFORM_KEY, log: quietLog };
    api = await startServer({ database, temporal, ...place });
    worker = startProgram('worker', { databaseUrl: ownerUrl, temporalAddress, taskQueue });
    await worker.ready;
  });
  afterAll(async () => {
    await worker.end('SIGKILL');
    await api.stop();
    await database.close();
    await owner.end();
    await postgres.stop();
    await rm(dataDir, { recursive: true });
    await disk?.unmount();
  });

  /** A tenant of its own, and how it sends the same kind of request over and over: a subscription, in a group for itself. */
  async function openTenant() {
    const { id, apiKey } = await create(clientAt(api.url, PLATFORM_KEY), '/tenants', { name: 'Subscribes' });
    const client = clientAt(api.url, apiKey, id);
    const { id: customerId } = await create(client, '/customers', { name: 'Subscriber' });
    // Nothing is due for years: only requests write.
    const request = { customerId, align: false, startDate: '2090-01-01', prices: [flat('base', '31.00')] };
    const subscribe = (key: string) => client.post('/subscriptions', request, { 'Idempotency-Key': key });
    return { tenantId: id as string, subscribe };
  }

  /** How many rows the tenant has in each table but the outbox, where a message is until it is delivered. */
  const sizesOf = async (tenantId: string): Promise<Record<string, number>> => {
    const { outbox_messages: _, ...tables } = await rowsOf(db, tenantId);
    return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [name, rows.length]));
  };

  test('the server crashes, requests get 503; with room again it recovers and every run goes on by itself', async () => {
    const worlds = busyWorlds(seed, WORLDS);
    const reference = await undisturbed(worlds, SOME_MONTHS_ON);
    const inhabited = await inhabit(database, worlds);
    await sendClocks(database, inhabited, SOME_MONTHS_ON);
    await eventually(
      async () => (await query(`select 1 from billing_runs where status = 'ISSUED' limit 1`)).length > 0,
      'the first runs',
    );
    const { tenantId, subscribe } = await openTenant();
    const none = await sizesOf(tenantId);
    expect((await subscribe('subscription 1')).status).toBe(201);
    const one = await sizesOf(tenantId);
    /** What so many whole requests leave in all tables. */
    const sizesAfter = (requests: number) =>
      Object.fromEntries(
        Object.entries(none).map(([name, size]) => [name, size + requests * ((one[name] ?? 0) - size)]),
      );

    await disk?.fill();
    const crashed = async (): Promise<boolean> => {
      await query('select pg_switch_wal()').catch(() => undefined);
      return /PANIC|FATAL.*No space left/s.test(await readFile(join(dataDir, 'postgres.log'), 'utf8'));
    };
    let sent = 1;
    const untilRefused = async (): Promise<Reply> => {
      for (;;) {
        const answer = await subscribe(`subscription ${(sent += 1)}`);
        if (answer.status !== 201) return answer;
      }
    };
    const [refused] = await Promise.all([
      untilRefused(),
      eventually(crashed, 'the log to need room that is not there', 120),
    ]);
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');

    await disk?.empty();
    const back = await eventually(() => sizesOf(tenantId).catch(() => null), 'the server to be back', 120);
    // The last one is there whole or not at all: of a commit whose answer was lost nobody can tell.
    expect([sizesAfter(sent - 1), sizesAfter(sent)]).toContainEqual(back);
    await eventually(async () => (await subscribe(`subscription ${sent}`)).status === 201, 'the request to serve', 120);
    expect(await sizesOf(tenantId)).toEqual(sizesAfter(sent));
    await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);
    for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
  });
});
