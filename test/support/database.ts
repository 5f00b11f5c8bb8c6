import pg from 'pg';
import { pino } from 'pino';
import { inject } from 'vitest';
import type { Clock } from '../../src/db/clock.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';

export interface TestDatabase {
  readonly database: Database;
  /** Connects as the owner, whom row-level security does not bind. */
  readonly ownerUrl: string;
  /** Runs SQL as the owner: to look behind the product, or to break something on purpose. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Makes the database refuse connections, cutting those there are, and accept them again. */
  refuse(refused: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What the product would log; tests that expect a failure would otherwise fill the screen. */
export const quietLog = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });

let made = 0;

/** A migrated database of its own on the cluster of the whole test run. */
export async function createTestDatabase(options: { clock?: Clock } = {}): Promise<TestDatabase> {
  made += 1;
  const name = `test_${process.pid}_${made}_${Math.random().toString(36).slice(2, 8)}`;
  const clusterUrl = inject('ownerUrl');
  await asOwner(clusterUrl, (client) => client.query(`create database ${name}`));
  const ownerUrl = withDatabase(clusterUrl, name);
  const database = await openDatabase({ ownerUrl, log: quietLog, ...options });
  const owner = new pg.Pool({ connectionString: ownerUrl, max: 2 }).on('error', () => {});
  return {
    database,
    ownerUrl,
    query: async (text, values) => (await owner.query(text, values)).rows,
    refuse: (refused) =>
      asOwner(clusterUrl, async (client) => {
        await client.query(`alter database ${name} allow_connections ${!refused}`);
        if (!refused) return;
        // Those that were being let in as the door was shut are seen only now.
        const cut = 'select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1';
        while (((await client.query(cut, [name])).rowCount ?? 0) > 0);
      }),
    close: async () => {
      await owner.end();
      await database.close();
      await asOwner(clusterUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.toString();
}

async function asOwner<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
