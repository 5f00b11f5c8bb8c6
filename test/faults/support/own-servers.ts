import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Clock } from '../../../src/db/clock.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { type RunningPostgres, startPostgres } from '../../../src/runtime/embedded-postgres.ts';
import { findTemporal } from '../../../src/runtime/temporal-binary.ts';
import { type RunningTemporal, startTemporal } from '../../../src/runtime/temporal-server.ts';
import { quietLog, type TestDatabase } from '../../support/database.ts';

/** A PostgreSQL cluster of the test's own, with its guarantees on: it may be killed in any way. */
export interface OwnPostgres {
  /** Its database as the tests of the shared cluster know theirs; migrated. */
  readonly db: TestDatabase;
  /** Sends the server a signal; whoever supervises it starts it again on the same port. */
  signal(signal: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
  /** After `stop`, with the same data on the same port. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** A folder that is cleared by the next test run when this one is killed. */
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), `tributary-test-${process.pid}-`));
  await chmod(folder, 0o755);
  return folder;
};

/** Starts a durable PostgreSQL in a folder of its own. */
export async function startOwnPostgres(options: { clock?: Clock } = {}): Promise<OwnPostgres> {
  const dataDir = await newFolder();
  const start = (): Promise<RunningPostgres> => startPostgres({ dataDir, durable: true, log: quietLog });
  let server = await start();
  const { ownerUrl } = server;
  const database = await openDatabase({ ownerUrl, log: quietLog, ...options });
  const owner = new pg.Pool({ connectionString: ownerUrl, max: 2 }).on('error', () => {});
  const close = async (): Promise<void> => {
    await owner.end();
    await database.close();
  };
  return {
    db: {
      database,
      ownerUrl,
      query: async (text, values) => (await owner.query(text, values)).rows,
      refuse: () => Promise.reject(new Error('Stop the server instead.')),
      close,
    },
    signal: async (signal) => {
      const [pid] = (await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), signal);
    },
    stop: () => server.stop(),
    start: async () => {
      server = await start();
      if (server.ownerUrl !== ownerUrl) throw new Error('Somebody took the port of the PostgreSQL that was stopped.');
    },
    remove: async () => {
      await close();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A Temporal server of the test's own that keeps its data in a file. */
export interface OwnTemporal {
  /** `host:port`, the same after every start. */
  readonly address: string;
  stop(): Promise<void>;
  /** After `stop`, with the same data on the same port. */
  start(): Promise<void>;
  /** After `stop`: all that the server knew is gone. */
  forget(): Promise<void>;
  remove(): Promise<void>;
}

export async function startOwnTemporal(): Promise<OwnTemporal> {
  const dataDir = await newFolder();
  const binary = await findTemporal({ log: quietLog });
  const start = (): Promise<RunningTemporal> => startTemporal({ binary, dataDir, namespace: 'default', log: quietLog });
  let server = await start();
  const { address } = server;
  return {
    address,
    stop: () => server.stop(),
    start: async () => {
      server = await start();
      if (server.address !== address) throw new Error('Somebody took the port of the Temporal that was stopped.');
    },
    forget: async () => {
      const file = join(dataDir, 'temporal', 'temporal.db');
      for (const part of ['', '-wal', '-shm', '-journal']) await rm(`${file}${part}`, { force: part !== '' });
    },
    remove: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
