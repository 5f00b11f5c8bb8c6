import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { choosePorts } from '../../src/runtime/ports.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, type Inhabited, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { type OwnTemporal, startOwnTemporal } from './support/own-servers.ts';
import { closeGate } from './support/gate.ts';
import { clientAt, PLATFORM_KEY, type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks, flawsOf } from './support/proof.ts';
import { seedOf } from './support/seed.ts';

const seed = seedOf('stop-temporal');

let db: TestDatabase;
let temporal: OwnTemporal;
let worker: Program;
let api: Program;
let url: string;
let tenant: ReturnType<typeof clientAt>;

beforeAll(async () => {
  [db, temporal] = await Promise.all([createTestDatabase(), startOwnTemporal()]);
  const { port } = await choosePorts(null, ['port']);
  const where = { databaseUrl: db.ownerUrl, temporalAddress: temporal.address, taskQueue: `stop-${randomUUID()}` };
  api = startProgram('api', { ...where, port });
  worker = startProgram('worker', where);
  await Promise.all([api.ready, worker.ready]);
  url = `http://127.0.0.1:${port}`;
  const signedUp = await create(clientAt(url, PLATFORM_KEY), '/tenants', { name: 'Temporal is away', mode: 'TEST' });
  tenant = clientAt(url, signedUp.apiKey, signedUp.id);
});
afterAll(async () => {
  await Promise.all([worker, api].map((program) => program.end('SIGKILL')));
  await temporal.remove();
  await db.close();
});

/** How many payers were billed so far, by either test. */
let payers = 0;

/** A payer who is to be billed at once, in real time; comes back when the API has taken it. */
async function bill(name: string): Promise<void> {
  const payer = await create(tenant, '/customers', { name });
  const subscription = { customerId: payer.id, prices: [flat('base', '10.00')] };
  const { billingGroupId } = await create(tenant, '/subscriptions', subscription);
  await create(tenant, `/billing-groups/${billingGroupId}/bill-now`, {});
  payers += 1;
}

/** How many invoices of a tenant are issued. */
const issued = async (tenantId: string): Promise<number> =>
  (await db.query('select 1 from invoices where tenant_id = $1 and number is not null', [tenantId])).length;

const undelivered = () =>
  db.query<{ topic: string }>(`select topic from outbox_messages where topic <> 'event' and delivered_at is null`);

const readiness = async () => (await fetch(`${url}/readyz`)).json() as Promise<{ detail?: string; status: unknown }>;

/** Stops Temporal once each of the worlds has invoices, and the clock of each is still on its way. */
async function stopOnTheWay(worlds: readonly Inhabited[]): Promise<void> {
  await sendClocks(db.database, worlds);
  for (const { tenantId } of worlds) await eventually(async () => (await issued(tenantId)) > 2, 'some invoices', 60);
  const gate = await closeGate(db, 'number_streams');
  await temporal.stop();
  expect(await clocksOnTheWay(db), 'the clocks are on their way').toBe(worlds.length);
  await gate.open();
}

/** What the API takes while Temporal is away: payers billed at once, each with its message in the outbox. */
async function writeMeanwhile(names: readonly string[]): Promise<void> {
  const before = await issued(tenant.tenantId);
  for (const name of names) await bill(name);
  await eventually(async () => (await readiness()).detail === 'Down: temporal.', 'the API to say what is away');
  expect((await readiness()).status).toBe(503);
  const refreshes = (await undelivered()).filter(({ topic }) => topic === 'group.refresh');
  expect(refreshes.length).toBeGreaterThanOrEqual(names.length);
  expect(await issued(tenant.tenantId), 'nobody is billed meanwhile').toBe(before);
}

/** Everybody is billed, once, and nothing waits any more. */
async function expectAllDone(): Promise<void> {
  expect(await eventually(async () => ((await readiness()).status === 'ready' ? 'ready' : null), 'readiness')).toBe(
    'ready',
  );
  await eventually(async () => (await issued(tenant.tenantId)) >= payers, 'everybody to be billed', 180);
  await eventually(async () => (await undelivered()).length === 0, 'the outbox to be empty', 60);
  const perGroup = await db.query('select count(*)::int from invoices where tenant_id = $1 group by billing_group_id', [
    tenant.tenantId,
  ]);
  expect(perGroup.map((row) => row['count'])).toEqual(Array.from({ length: payers }, () => 1));
  expect(await flawsOf(db, tenant.tenantId)).toEqual({});
}

test('while Temporal is down the API takes writes and says so; with its data back, the relay drains and all goes on', async () => {
  const worlds = busyWorlds(seed, 3);
  const reference = await undisturbed(worlds);
  const inhabited = await inhabit(db.database, worlds);
  await bill('Before');
  await eventually(async () => (await issued(tenant.tenantId)) === 1, 'the first invoice');

  await stopOnTheWay(inhabited);
  await writeMeanwhile(['Meanwhile 1', 'Meanwhile 2', 'Meanwhile 3']);

  await temporal.start();
  await expectAllDone();
  await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);
  for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
});

test('when all that Temporal knew is lost, an empty server is filled from the database and all goes on', async () => {
  const worlds = busyWorlds(seed + 1, 3);
  const reference = await undisturbed(worlds);
  const inhabited = await inhabit(db.database, worlds);

  await stopOnTheWay(inhabited);
  await writeMeanwhile(['After the loss 1', 'After the loss 2', 'After the loss 3']);
  // Also the messages are lost: nothing but the rows themselves says what is to be done.
  await db.query(`delete from outbox_messages where topic = 'clock.advance'`);
  await temporal.forget();

  await temporal.start();
  await expectAllDone();
  await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);
  for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
});
