import { Client, Connection } from '@temporalio/client';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Logger, pino } from 'pino';
import { type Clock, wallClock } from '../src/db/clock.ts';
import { type Database, openDatabase } from '../src/db/database.ts';
import { createTenant } from '../src/db/tenants.ts';
import { startPostgres } from '../src/runtime/embedded-postgres.ts';
import { findTemporal } from '../src/runtime/temporal-binary.ts';
import { startTemporal } from '../src/runtime/temporal-server.ts';
import { startServer } from '../src/server.ts';
import { startWorker } from '../src/worker.ts';
import { childWith } from './processes.ts';
import { startTemporalOnPostgres } from './temporal-on-postgres.ts';

/** A Temporal server that measurements use. */
export interface TemporalHost {
  readonly address: string;
  readonly client: Client;
  readonly pid: number;
  /** The superuser's connection to the PostgreSQL that keeps its state; null when it keeps it in SQLite, in itself. */
  readonly stateUrl: string | null;
  stop(): Promise<void>;
}

/** What measurements stand on: servers of their own, as `npm start` has them, and a fresh database for each. */
export interface Bed {
  readonly temporal: Client;
  /** The same development server as `temporal`, in memory. */
  readonly onSqlite: TemporalHost;
  /** Lays one more development server, that has done nothing yet; the caller stops it. */
  layOnSqlite(): Promise<TemporalHost>;
  /** Lays one that keeps its state in a PostgreSQL of its own; the caller stops it. */
  layOnPostgres(options: { fairness: boolean }): Promise<TemporalHost>;
  /** A migrated database with one tenant. */
  open(options?: OpenOptions): Promise<Ground>;
  /** A copy of a database that nobody is connected to. */
  copy(ownerUrl: string): Promise<string>;
  stop(): Promise<void>;
}

export interface OpenOptions {
  readonly clock?: Clock;
}

/** One database with a tenant in it, and what may be started on it. */
export interface Ground {
  readonly database: Database;
  readonly tenantId: string;
  readonly apiKey: string;
  /** Signs one more tenant up and returns its id. */
  addTenant(): Promise<string>;
  /** One worker with its relay, on a task queue of its own. */
  startWorker(): Promise<void>;
  /** @returns the base of its paths. */
  startApi(): Promise<string>;
  close(): Promise<void>;
}

/** Starts PostgreSQL with its guarantees on and a Temporal server in memory, both on loopback, in a folder that is removed. */
export async function layBed(): Promise<Bed> {
  const log = pino({ level: 'warn' }, pino.destination(2));
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
  await chmod(dataDir, 0o755);
  const postgres = await startPostgres({ dataDir, log });
  const onSqlite = await layOnSqlite(log);
  const { address } = onSqlite;
  let opened = 0;
  let laid = 0;
  const name = () => `bench_${++opened}`;
  return {
    temporal: onSqlite.client,
    onSqlite,
    layOnSqlite: () => layOnSqlite(log),
    layOnPostgres: async ({ fairness }) =>
      layOnPostgres({ dataDir: join(dataDir, `temporal-${++laid}`), fairness, log }),
    open: async ({ clock = wallClock } = {}) => {
      const ownerUrl = await createDatabase(postgres.ownerUrl, name());
      return ground({ ownerUrl, address, taskQueue: `bench-${opened}`, log, clock });
    },
    copy: (ownerUrl) => createDatabase(postgres.ownerUrl, name(), new URL(ownerUrl).pathname.slice(1)),
    stop: async () => {
      await onSqlite.stop();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function layOnSqlite(log: Logger): Promise<TemporalHost> {
  const binary = await findTemporal({ log });
  const { address, stop } = await startTemporal({ binary, dataDir: null, namespace: 'default', log });
  const pid = childWith(`--port ${address.split(':')[1]} `);
  return { ...(await connect(address, stop)), pid, stateUrl: null };
}

async function layOnPostgres(on: { dataDir: string; fairness: boolean; log: Logger }): Promise<TemporalHost> {
  const { address, pid, stateUrl, stop } = await startTemporalOnPostgres(on);
  return { ...(await connect(address, stop)), pid, stateUrl };
}

async function connect(address: string, stopServer: () => Promise<void>) {
  const connection = await Connection.connect({ address });
  const stop = async () => {
    await connection.close();
    await stopServer();
  };
  return { address, client: new Client({ connection }), stop };
}

async function createDatabase(clusterUrl: string, name: string, template = 'template1'): Promise<string> {
  const client = new pg.Client({ connectionString: clusterUrl });
  await client.connect();
  await client.query(`create database ${name} template ${template}`);
  await client.end();
  const url = new URL(clusterUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

async function ground(on: {
  ownerUrl: string;
  address: string;
  taskQueue: string;
  log: Logger;
  clock: Clock;
}): Promise<Ground> {
  const { ownerUrl, address, taskQueue, log, clock } = on;
  const database = await openDatabase({ ownerUrl, log, clock });
  const addTenant = () =>
    database.inTenant('', (tx) => createTenant(tx, { name: 'Bench', mode: 'TEST', actor: 'bench' }));
  const tenant = await addTenant();
  const temporal = { address, namespace: 'default', taskQueue, uiUrl: null };
  const started: { stop(): Promise<unknown> }[] = [];
  return {
    database,
    tenantId: tenant.id,
    apiKey: tenant.apiKey,
    addTenant: async () => (await addTenant()).id,
    startWorker: async () => {
      started.push(await startWorker({ database, temporal, log, publicUrl: 'http://api.bench' }));
    },
    startApi: async () => {
      const platformApiKey = 'bench-platform-key';
      const api = await startServer({ database, temporal, host: '127.0.0.1', port: 0, platformApiKey, log });
      started.push(api);
      return `${api.url}/api/v1`;
    },
    close: async () => {
      for (const one of started.toReversed()) await one.stop();
      await database.close();
    },
  };
}
