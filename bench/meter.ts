import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { TemporalHost } from './bed.ts';
import type { BenchChild } from './child.ts';
import { cpuMs, machineCpuMs, parentOf } from './processes.ts';

/** What has been used up to a moment, or between two. CPU in milliseconds, WAL in bytes. */
export interface Reading {
  readonly worker: number;
  readonly temporal: number;
  readonly postgres: number;
  /** Of the PostgreSQL that keeps Temporal's state; 0 where there is none. */
  readonly statePostgres: number;
  /** Of everything on this machine, whoever started it. */
  readonly machine: number;
  readonly wal: number;
  readonly stateWal: number;
  readonly statements: number;
  readonly commits: number;
}

/** Reads what the processes of one measurement use. */
export interface Meter {
  read(): Promise<Reading>;
  /** Waits until the worker has nothing more to do. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

/** A worker at rest uses less than this in a second: it polls. */
const REST_MS = 60;
const REST_WINDOW_MS = 1_000;

/**
 * @param on.ownerUrl  the product's database; null where none is measured.
 */
export async function openMeter(on: {
  worker: BenchChild;
  temporal: TemporalHost;
  ownerUrl: string | null;
}): Promise<Meter> {
  const own = await openCluster(on.ownerUrl);
  const state = await openCluster(on.temporal.stateUrl);
  return {
    read: async () => {
      const { statements = 0, commits = 0 } = await on.worker.counts();
      return {
        worker: cpuMs(on.worker.pid),
        temporal: cpuMs(on.temporal.pid),
        postgres: own.cpu(),
        statePostgres: state.cpu(),
        machine: machineCpuMs(),
        wal: await own.wal(),
        stateWal: await state.wal(),
        statements,
        commits,
      };
    },
    quiet: async () => {
      for (let before = cpuMs(on.worker.pid); ;) {
        await delay(REST_WINDOW_MS);
        const after = cpuMs(on.worker.pid);
        if (after - before < REST_MS) return;
        before = after;
      }
    },
    close: async () => {
      await own.close();
      await state.close();
    },
  };
}

/** What was used between two readings. */
export const between = (before: Reading, after: Reading): Reading =>
  Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - before[name as keyof Reading]]),
  ) as unknown as Reading;

/** CPU of all the servers and the worker together. */
export const ownCpu = (used: Reading): number => used.worker + used.temporal + used.postgres + used.statePostgres;

interface Cluster {
  cpu(): number;
  wal(): Promise<number>;
  close(): Promise<void>;
}

const NO_CLUSTER: Cluster = { cpu: () => 0, wal: async () => 0, close: async () => undefined };

async function openCluster(url: string | null): Promise<Cluster> {
  if (url === null) return NO_CLUSTER;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const postmaster = parentOf(rows[0]?.pid ?? 0);
  return {
    cpu: () => cpuMs(postmaster),
    wal: async () => {
      const written = await client.query<{ bytes: string }>(`select pg_current_wal_lsn() - '0/0' as bytes`);
      return Number(written.rows[0]?.bytes);
    },
    close: () => client.end(),
  };
}
