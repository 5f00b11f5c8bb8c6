import { Client as TemporalClient, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { FAILURE } from '../../src/workflows/contract.ts';
import type { World } from '../activities/world.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/stack.ts';
import type { Books } from './support/books.ts';
import { busyWorlds, clocksOnTheWay, inhabit, PAYERS, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { closeGate } from './support/gate.ts';
import { type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks } from './support/proof.ts';
import { chances, seedOf } from './support/seed.ts';
import { type Route, SILENCE, startToxiproxy, through, type Toxic, type Toxiproxy } from './support/toxiproxy.ts';

const WORLDS = 4;
const GROUPS = WORLDS * PAYERS;
/** Three boundaries of a monthly group. */
const SOME_MONTHS_ON = '2026-06-15T12:00:00.000Z';
/** So many prove that it goes on, slowly. */
const SOME_INVOICES = 5;
/** Then the rest is left to finish in peace. */
const CUTS_MAX = 15;
/** With fewer the test has proved little. */
const CUTS_MIN = 5;

const seed = seedOf('network-runs');
const random = chances(seed, 999_999);
const below = (limit: number): number => random.next().value % limit;
const taskQueue = `network-${randomUUID()}`;

let toxiproxy: Toxiproxy;
let toDatabase: Route;
let toTemporal: Route;
let db: TestDatabase;
let worker: Program;
let connection: Connection;
let worlds: World[];
let reference: Books[];
beforeAll(async () => {
  worlds = busyWorlds(seed, WORLDS);
  reference = await undisturbed(worlds, SOME_MONTHS_ON);
  toxiproxy = await startToxiproxy();
  db = await createTestDatabase();
  const temporalAddress = inject('temporalAddress');
  toDatabase = await toxiproxy.route(new URL(db.ownerUrl).host);
  toTemporal = await toxiproxy.route(temporalAddress);
  connection = await Connection.connect({ address: temporalAddress });
  const databaseUrl = through(db.ownerUrl, toDatabase);
  worker = startProgram('worker', { databaseUrl, temporalAddress: toTemporal.address, taskQueue });
  await worker.ready;
});
afterEach(async () => {
  await toDatabase.heal();
  await toTemporal.heal();
});
afterAll(async () => {
  await worker.end('SIGKILL');
  await connection.close();
  await db.close();
  await toxiproxy.stop();
});

/**
 * Bills the worlds for some months while the network does its worst, and proves the books when it is well again.
 *
 * @returns how many groups were billed.
 */
async function billThrough(trouble: () => Promise<void>): Promise<number> {
  const inhabited = await inhabit(db.database, worlds);
  await sendClocks(db.database, inhabited, SOME_MONTHS_ON);
  await trouble();
  await toDatabase.heal();
  await toTemporal.heal();
  await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);
  for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
  const groups = `select distinct billing_group_id from billing_runs where kind = 'BOUNDARY' and tenant_id = any($1)`;
  return (await db.query(groups, [inhabited.map(({ tenantId }) => tenantId)])).length;
}

/** Whether an invoice was issued for a clock that is still on its way. */
const someIssued = async (): Promise<boolean> => {
  const invoices = await db.query(`
    select 1 from invoices v join customers p on p.tenant_id = v.tenant_id and p.id = v.payer_customer_id
      join test_clocks c on c.tenant_id = p.tenant_id and c.id = p.test_clock_id
     where v.number is not null and c.status = 'ADVANCING'`);
  return invoices.length >= SOME_INVOICES;
};

/** Does harm again and again, at random moments, for as long as there is something to harm. */
async function again(harm: () => Promise<void>): Promise<void> {
  let cuts = 0;
  while (cuts < CUTS_MAX && (await clocksOnTheWay(db)) > 0) {
    await harm();
    cuts += 1;
  }
  process.stderr.write(`network-runs: cut ${cuts} times\n`);
  expect(cuts).toBeGreaterThanOrEqual(CUTS_MIN);
}

/** Ways in which connections die: after so many bytes, in the middle of a statement or its answer, or at the next byte. */
const deadly = (): Toxic => {
  const stream = below(2) === 0 ? 'upstream' : 'downstream';
  return below(2) === 0
    ? { type: 'limit_data', stream, attributes: { bytes: below(20_000) } }
    : { type: 'reset_peer', stream, attributes: { timeout: below(100) } };
};

const slow = (latency: number): Toxic[] => [
  { type: 'latency', stream: 'downstream', attributes: { latency, jitter: latency / 2 } },
  { type: 'bandwidth', stream: 'downstream', attributes: { rate: 200 } },
];

/** Whether a worker has told Temporal that it cannot reach the database. */
async function isDatabaseMissed(): Promise<boolean> {
  const client = new TemporalClient({ connection });
  for await (const { workflowId } of client.workflow.list({ query: `TaskQueue = '${taskQueue}'` })) {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    const failures = raw.pendingActivities?.map(({ lastFailure }) => lastFailure?.applicationFailureInfo?.type);
    if (failures?.includes(FAILURE.database)) return true;
  }
  return false;
}

describe('the network between a worker and the database', () => {
  test('is slow: 200 to 500 ms for every answer', async () => {
    const groups = await billThrough(async () => {
      await toDatabase.spoil(...slow(330));
      await eventually(someIssued, 'some invoices', 300);
    });
    expect(groups).toBe(GROUPS);
  });

  test('cuts connections at random bytes and moments', async () => {
    const groups = await billThrough(() =>
      again(async () => {
        await delay(below(700));
        if (below(4) === 0) await toDatabase.cut();
        else await toDatabase.spoil(deadly());
        await delay(below(400));
        await toDatabase.heal();
      }),
    );
    expect(groups).toBe(GROUPS);
  });

  test('swallows every byte and closes nothing: the worker notices by itself', async () => {
    const groups = await billThrough(async () => {
      const gate = await closeGate(db, 'number_streams');
      await eventually(async () => (await gate.waiting()) > 0, 'a run to be in the middle of its transaction', 60);
      await toDatabase.spoil(...SILENCE);
      await gate.open();
      await eventually(isDatabaseMissed, 'the worker to miss the database', 200);
    });
    expect(groups).toBe(GROUPS);
  });
});

describe('the network between a worker and Temporal', () => {
  test('swallows every byte and closes nothing: the worker notices by itself', async () => {
    await toTemporal.spoil(...SILENCE);
    const isMissed = async (): Promise<boolean> => worker.log().some((line) => line.includes('outbox: cannot deliver'));
    const groups = await billThrough(async () => {
      expect(await isMissed()).toBe(false);
      await eventually(isMissed, 'the relay to miss Temporal', 300);
    });
    expect(groups).toBe(GROUPS);
  });

  test('is slow', async () => {
    const groups = await billThrough(async () => {
      await toTemporal.spoil(...slow(300));
      await eventually(someIssued, 'some invoices', 300);
    });
    expect(groups).toBe(GROUPS);
  });

  test('cuts connections at random bytes and moments', async () => {
    const groups = await billThrough(() =>
      again(async () => {
        await delay(below(1_000));
        if (below(3) === 0) await toTemporal.cut();
        else await toTemporal.spoil(deadly());
        await delay(below(1_000));
        await toTemporal.heal();
      }),
    );
    expect(groups).toBe(GROUPS);
  });
});
