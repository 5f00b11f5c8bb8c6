import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { type RunningPostgres, startPostgres } from '../../src/runtime/embedded-postgres.ts';
import { startServer } from '../../src/server.ts';
import { PLATFORM_KEY } from '../support/api.ts';
import { quietLog } from '../support/database.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { clientAt, type Program, startProgram } from './support/programs.ts';
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

  const makeTenant = (name: string) =>
    clientAt(api.url, PLATFORM_KEY).post('/tenants', { name }, { 'Idempotency-Key': name });

  test('the server crashes, requests get 503; with room again it recovers and every run goes on by itself', async () => {
    const db = {
      query,
      database,
      ownerUrl: postgres.ownerUrl,
      refuse: () => Promise.reject(),
      close: () => Promise.reject(),
    };
    const worlds = busyWorlds(seed, WORLDS);
    const reference = await undisturbed(worlds, SOME_MONTHS_ON);
    const inhabited = await inhabit(database, worlds);
    await sendClocks(database, inhabited, SOME_MONTHS_ON);
    await eventually(
      async () => (await query(`select 1 from billing_runs where status = 'ISSUED' limit 1`)).length > 0,
      'the first runs',
    );
    expect((await makeTenant('Before')).status).toBe(201);

    await disk?.fill();
    const crashed = async (): Promise<boolean> => {
      await query('select pg_switch_wal()').catch(() => undefined);
      return /PANIC|FATAL.*No space left/s.test(await readFile(join(dataDir, 'postgres.log'), 'utf8'));
    };
    await eventually(crashed, 'the log to need room that is not there', 120);
    const refused = await eventually(async () => {
      const answer = await makeTenant('Meanwhile');
      return answer.status === 503 ? answer : null;
    }, 'a request to be refused');
    expect(refused.body).toMatchObject({ code: 'unavailable' });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');

    await disk?.empty();
    await eventually(async () => (await makeTenant('Meanwhile')).status === 201, 'the server to be back', 120);
    expect(await query(`select name from tenants where name in ('Before', 'Meanwhile')`)).toHaveLength(2);
    await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);
    for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
  });
});
