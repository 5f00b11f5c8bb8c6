import { Client as TemporalClient, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { isUnavailable } from '../../src/db/failures.ts';
import { until } from '../../src/runtime/until.ts';
import { workflowId } from '../../src/workflows/contract.ts';
import type { World } from '../activities/world.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { type OwnPostgres, startOwnPostgres } from './support/own-servers.ts';
import { type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks } from './support/proof.ts';
import { chances, seedOf } from './support/seed.ts';
import { openWrites } from './support/under-way.ts';

const WORLDS = 4;
/** A fast shutdown that cuts every connection off, an immediate one without a checkpoint, and the power switch. */
const RESTARTS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGQUIT', 'SIGINT', 'SIGKILL'];

const seed = seedOf('restart-postgres');
const random = chances(seed, 2_000);
const taskQueue = `restart-${randomUUID()}`;

let postgres: OwnPostgres;
let temporal: TemporalClient;
let connection: Connection;
let worlds: World[];
let worker: Program | null = null;
beforeAll(async () => {
  worlds = busyWorlds(seed, WORLDS);
  postgres = await startOwnPostgres();
  connection = await Connection.connect({ address: inject('temporalAddress') });
  temporal = new TemporalClient({ connection });
});
afterAll(async () => {
  await worker?.end('SIGKILL');
  await connection.close();
  await postgres.remove();
});

/** Asks a server that may be away; no answer is no. */
const whenBack = async <T>(ask: () => Promise<T>): Promise<T | null> =>
  ask().catch((error: Error) => {
    if (!isUnavailable(error)) throw error;
    return null;
  });

/** When the server began to be; null while it is away. What is killed is another one when it is back. */
const startedAt = (): Promise<string | null> =>
  whenBack(async () => {
    const [row] = await postgres.db.query<{ at: string }>('select pg_postmaster_start_time()::text as at');
    return row?.at ?? null;
  });

/** Comes back in the middle of a transaction; false when there will be none, because every clock has arrived. */
async function isWritingAgain(): Promise<boolean> {
  let onTheWay = Number.NaN;
  const ask = async (): Promise<boolean> => {
    if ((await whenBack(() => openWrites(postgres.db)))?.length) return true;
    onTheWay = (await whenBack(() => clocksOnTheWay(postgres.db))) ?? onTheWay;
    return onTheWay === 0;
  };
  await until({ ask, withinMs: 120_000, everyMs: 1 }).catch(() => {
    const log = worker?.log().slice(-5).join(' | ');
    throw new Error(`Nobody writes, and ${onTheWay} clocks are on their way. The worker says: ${log}`);
  });
  return onTheWay !== 0;
}

/** The activities that a group's workflow waits for. */
async function pendingOf(id: string): Promise<string[]> {
  const { raw } = await temporal.workflow.getHandle(id).describe();
  return raw.pendingActivities?.map(({ activityType }) => activityType?.name ?? '') ?? [];
}

const RUN_STEPS = ['collectCharges', 'applyCoupons', 'applyTax', 'applyCredits', 'issueInvoice'];

/**
 * Holds every run at its numbers and breaks off what waits there, until one goes step by step.
 *
 * @returns the id of its workflow, whose next step waits for it.
 */
async function holdOneRun(): Promise<string> {
  const { db } = postgres;
  const holder = new pg.Client({ connectionString: db.ownerUrl }).on('error', () => {});
  await holder.connect();
  await holder.query('begin; lock table number_streams in share row exclusive mode');
  let held: string | null = null;
  const isHeld = async (): Promise<boolean> => {
    const runs = await db.query<{ tenant_id: string; billing_group_id: string }>(
      `select tenant_id, billing_group_id from billing_runs where status = 'OPEN' and billing_group_id is not null`,
    );
    for (const run of runs) {
      const id = workflowId.billingGroup(run.tenant_id, run.billing_group_id);
      if ((await pendingOf(id)).some((name) => RUN_STEPS.includes(name))) held = id;
    }
    if (held === null) {
      await db.query(`select pg_cancel_backend(pid) from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database() and usename = 'tributary_app'`);
    }
    return held !== null;
  };
  await until({ ask: isHeld, withinMs: 120_000 });
  return held ?? '';
}

test('PostgreSQL that is stopped, crashes, and stays away: runs go on where they stood, and the books are those of a world without a fault', async () => {
  const { db } = postgres;
  const reference = await undisturbed(worlds);
  const inhabited = await inhabit(db.database, worlds);
  worker = startProgram('worker', {
    databaseUrl: db.ownerUrl,
    temporalAddress: inject('temporalAddress'),
    taskQueue,
  });
  await worker.ready;
  await sendClocks(db.database, inhabited);

  const held = await holdOneRun();
  await postgres.stop();
  // It waits for the database to note down why it stands.
  await eventually(
    async () => (await pendingOf(held)).includes('noteRunReason'),
    'the run to have waited in vain',
    120,
  );
  await postgres.start();
  const noted = await eventually(
    async () => {
      const rows = await whenBack(() => db.query(`select status, reason from billing_runs where reason = 'DATABASE'`));
      return rows !== null && rows.length > 0 ? rows : null;
    },
    'the reason to be noted',
    120,
  );
  expect(noted[0]).toEqual({ status: 'OPEN', reason: 'DATABASE' });

  const starts = [await startedAt()];
  const done: string[] = [];
  for (const signal of RESTARTS) {
    await delay(random.next().value);
    if (!(await isWritingAgain())) break;
    await postgres.signal(signal);
    const isAnother = async () => {
      const at = await startedAt();
      return at === starts.at(-1) ? null : at;
    };
    starts.push(await eventually(isAnother, `another PostgreSQL to be there after ${signal}`, 120));
    done.push(signal);
  }
  process.stderr.write(`restart-postgres: ${done.join(', ')}\n`);
  expect(new Set(starts).size, 'one server more after each').toBe(1 + done.length);
  expect(new Set(done), 'every way to end it happened on the way').toEqual(new Set(RESTARTS));

  await eventually(async () => (await whenBack(() => clocksOnTheWay(db))) === 0, 'every clock to arrive', 300);
  for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
});
