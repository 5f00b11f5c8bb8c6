import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findTemporal } from '../../src/runtime/temporal-binary.ts';
import { type RunningTemporal, startTemporal } from '../../src/runtime/temporal-server.ts';
import { startWorker } from '../../src/worker.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually, workflowBundle } from '../support/stack.ts';

let dataDir: string;
let temporal: RunningTemporal;
let api: TestApi;
let tenant: Client;
let worker: { stop(): Promise<void> };

const start = async (): Promise<RunningTemporal> =>
  startTemporal({ binary: await findTemporal({ log: quietLog }), dataDir, namespace: 'default', log: quietLog });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-crash-'));
  temporal = await start();
  api = await startTestApi();
  tenant = await api.tenant();
  worker = await startWorker({
    database: api.db.database,
    temporal: { address: temporal.address, namespace: 'default', taskQueue: 'crash' },
    log: quietLog,
    publicUrl: api.url,
    workflowBundle: await workflowBundle(),
  });
});
afterAll(async () => {
  await worker.stop();
  await temporal.stop();
  await api.close();
  await rm(dataDir, { recursive: true });
});

/** A payer who is billed at once; answers when the API has. */
async function bill(name: string): Promise<void> {
  const payer = await create(tenant, '/customers', { name });
  const { billingGroupId } = await create(tenant, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
  });
  await create(tenant, `/billing-groups/${billingGroupId}/bill-now`, {});
}

const numbers = async (): Promise<string[]> =>
  (await api.db.query('select number from invoices where number is not null order by number')).map(
    (row) => row['number'] as string,
  );

const waiting = () =>
  api.db.query(`select distinct dedupe_key from outbox_messages where topic <> 'event' and delivered_at is null`);

test('while Temporal is down the API takes writes; when it is back the relay drains, each group is billed once', async () => {
  await bill('Before');
  await eventually(async () => (await numbers()).length === 1, 'the first invoice');
  await eventually(async () => (await waiting()).length === 0, 'all that was sent for it to be delivered');

  await temporal.stop();
  for (let index = 0; index < 5; index += 1) await bill(`Meanwhile ${index}`);
  expect(await waiting()).toHaveLength(5);
  expect(await numbers()).toEqual(['INV-0001']);

  const { address } = temporal;
  temporal = await start();
  expect(temporal.address).toBe(address);
  await eventually(async () => (await numbers()).length === 6, 'the invoices of those who came meanwhile', 120);
  expect(await numbers()).toEqual(['INV-0001', 'INV-0002', 'INV-0003', 'INV-0004', 'INV-0005', 'INV-0006']);
  await eventually(async () => (await waiting()).length === 0, 'the outbox to be empty');
  const perGroup = await api.db.query('select count(*)::int from invoices group by billing_group_id');
  expect(perGroup.map((row) => row['count'])).toEqual([1, 1, 1, 1, 1, 1]);
}, 240_000);
