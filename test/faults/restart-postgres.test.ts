import { Client as TemporalClient, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { until } from '../../src/runtime/until.ts';
import type { World } from '../activities/world.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { type OwnPostgres, startOwnPostgres } from './support/own-servers.ts';
import { type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks } from './support/proof.ts';
import { chances, seedOf } from './support/seed.ts';
import { cutUntilSteps, openWrites } from './support/under-way.ts';

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
const whenBack = async <T>(ask: () => Promise<T>): Promise<T | null> => ask().catch(() => null);

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

/** Holds a run that goes step by step in the middle, and comes back when its next step waits for it. */
async function holdOneRun(): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.db.ownerUrl }).on('error', () => {});
  await client.connect();
  await client.query('begin');
  const ask = async (): Promise<boolean> => {
    await cutUntilSteps(postgres.db);
    const { rowCount } = await client.query(
      `select id from billing_runs where status = 'OPEN' limit 1 for update skip locked`,
    );
    return rowCount === 1;
  };
  await until({ ask, withinMs: 60_000, everyMs: 1 });
  const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  await eventually(async () => (await postgres.db.query(waiting)).length > 0, 'its step to wait', 60);
}

/** Whether the workflow of any group waits for the database to note down why its run stands. */
async function isNoting(): Promise<boolean> {
  const query = `TaskQueue = '${taskQueue}' and ExecutionStatus = 'Running' and WorkflowType = 'billingGroupWorkflow'`;
  for await (const { workflowId } of temporal.workflow.list({ query })) {
    const { raw } = await temporal.workflow.getHandle(workflowId).describe();
    if (raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'noteRunReason')) return true;
  }
  return false;
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

  await holdOneRun();
  await postgres.stop();
  await eventually(isNoting, 'a run to have waited in vain', 120);
  await postgres.start();
  const noted = await eventually(async () => {
    const rows = await whenBack(() => db.query(`select status, reason from billing_runs where reason = 'DATABASE'`));
    return rows !== null && rows.length > 0 ? rows : null;
  }, 'the reason to be noted');
  expect(noted[0]).toEqual({ status: 'OPEN', reason: 'DATABASE' });

  const done: string[] = [];
  for (const signal of RESTARTS) {
    await delay(random.next().value);
    if (!(await isWritingAgain())) break;
    await postgres.signal(signal);
    await eventually(() => whenBack(() => db.query('select 1')), `PostgreSQL to be back after ${signal}`, 120);
    done.push(signal);
  }
  process.stderr.write(`restart-postgres: ${done.join(', ')}\n`);
  expect(new Set(done), 'every way to end it happened on the way').toEqual(new Set(RESTARTS));

  await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);
  for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
});
