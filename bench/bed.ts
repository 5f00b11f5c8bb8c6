import { Client, Connection } from '@temporalio/client';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Logger, pino } from 'pino';
import { type Database, openDatabase } from '../src/db/database.ts';
import { createTenant } from '../src/db/tenants.ts';
import { startPostgres } from '../src/runtime/embedded-postgres.ts';
import { findTemporal } from '../src/runtime/temporal-binary.ts';
import { startTemporal } from '../src/runtime/temporal-server.ts';
import { startServer } from '../src/server.ts';
import { startWorker } from '../src/worker.ts';

/** What measurements stand on: servers of their own, as `npm start` has them, and a fresh database for each. */
export interface Bed {
  readonly temporal: Client;
  /** A migrated database with one tenant. */
  open(): Promise<Ground>;
  stop(): Promise<void>;
}

/** One database with a tenant in it, and what may be started on it. */
export interface Ground {
  readonly database: Database;
  readonly tenantId: string;
  readonly apiKey: string;
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
  const temporal = await startTemporal({
    binary: await findTemporal({ log }),
    dataDir: null,
    namespace: 'default',
    log,
  });
  const connection = await Connection.connect({ address: temporal.address });
  let opened = 0;
  return {
    temporal: new Client({ connection }),
    open: async () => {
      opened += 1;
      const ownerUrl = await createDatabase(postgres.ownerUrl, `bench_${opened}`);
      return ground({ ownerUrl, address: temporal.address, taskQueue: `bench-${opened}`, log });
    },
    stop: async () => {
      await connection.close();
      await temporal.stop();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function createDatabase(clusterUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: clusterUrl });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(clusterUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

async function ground(on: { ownerUrl: string; address: string; taskQueue: string; log: Logger }): Promise<Ground> {
  const { ownerUrl, address, taskQueue, log } = on;
  const database = await openDatabase({ ownerUrl, log });
  const tenant = await database.inTenant('', (tx) => createTenant(tx, { name: 'Bench', mode: 'TEST', actor: 'bench' }));
  const temporal = { address, namespace: 'default', taskQueue, uiUrl: null };
  const started: { stop(): Promise<unknown> }[] = [];
  return {
    database,
    tenantId: tenant.id,
    apiKey: tenant.apiKey,
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
