import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { advanceClock, eventually, startTestStack, type TestStack } from '../support/stack.ts';
import { keepHistory, readHistory, replay, storedHistories, type WorkflowHistory } from './histories.ts';

let stack: TestStack;
let api: Client;
/** By name, as this code makes them today. */
const recorded = new Map<string, WorkflowHistory>();

beforeAll(async () => {
  stack = await startTestStack();
  api = await stack.api.tenant();
  await recordGroupInRealTime();
  await recordClock();
  await recordBlocked();
  await recordRun();
  for (const [name, history] of recorded) await keepHistory(name, history);
});
afterAll(() => stack.close());

async function record(name: string, id: string): Promise<void> {
  recorded.set(name, await stack.temporal.workflow.getHandle(id).fetchHistory());
}

const groupOf = (groupId: string) => workflowId.billingGroup(api.tenantId, groupId);
const statusOf = async (groupId: string): Promise<string> => (await api.get(`/billing-groups/${groupId}`)).body.status;
const openInvoices = async (payerId: string): Promise<number> =>
  (await api.get(`/customers/${payerId}/invoices?status=OPEN`)).body.totalItems;

/** Settling, pause, resume, bill-now, an invoice, and asleep until the next boundary. */
async function recordGroupInRealTime(): Promise<void> {
  const payer = await create(api, '/customers', { name: 'Real time' });
  const { billingGroupId } = await create(api, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
  });
  const handle = stack.temporal.workflow.getHandle(groupOf(billingGroupId));
  await eventually(() => handle.describe().catch(() => null), 'the group');
  await handle.executeUpdate('pause');
  await handle.executeUpdate('resume');
  await api.post(`/billing-groups/${billingGroupId}/bill-now`);
  await eventually(async () => (await openInvoices(payer.id)) === 1, 'its invoice');
  await eventually(
    async () => (await handle.query<{ waitingFor: string }>('state')).waitingFor.startsWith('sleeping'),
    'its sleep',
  );
  await record('billing-group-real-time', groupOf(billingGroupId));
}

/** A clock that is moved over three boundaries of two groups. */
async function recordClock(): Promise<void> {
  const clock = await create(api, '/test-clocks', { name: 'recorded', now: '2026-01-31T00:00:00Z' });
  const payer = await create(api, '/customers', { name: 'On a clock', testClockId: clock.id });
  const subscribe = (fields: object) =>
    create(api, '/subscriptions', { customerId: payer.id, prices: [flat('base', '10.00')], ...fields });
  const { billingGroupId } = await subscribe({});
  await subscribe({ align: false, startDate: '2026-02-10' });
  await advanceClock(api, clock.id, '2026-04-01T00:00:00Z');
  await eventually(
    async () =>
      (await stack.temporal.workflow.getHandle(workflowId.testClock(api.tenantId, clock.id)).describe()).status.name ===
      'COMPLETED',
    'the clock’s workflow to end',
  );
  await record('test-clock', workflowId.testClock(api.tenantId, clock.id));
  await record('billing-group-on-a-clock', groupOf(billingGroupId));
}

/** A run whose price is broken: BLOCKED; mended and resumed: issued. */
async function recordBlocked(): Promise<void> {
  const payer = await create(api, '/customers', { name: 'Broken' });
  const { billingGroupId } = await create(api, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('broken-price', '10.00')],
  });
  const setModel = (model: string) =>
    stack.api.db.query(
      `update prices set definition = jsonb_set(definition, '{model}', to_jsonb($1::text)) where code = 'broken-price'`,
      [model],
    );
  await setModel('NONE');
  await api.post(`/billing-groups/${billingGroupId}/bill-now`);
  await eventually(async () => (await statusOf(billingGroupId)) === 'BLOCKED', 'the group to be BLOCKED');
  const group = (await api.get(`/billing-groups/${billingGroupId}`)).body;
  expect(group.statusReason).toContain('cannot be charged');
  await setModel('FLAT');
  await api.post(`/billing-groups/${billingGroupId}/resume`);
  await eventually(async () => (await openInvoices(payer.id)) === 1, 'the invoice after the mend');
  expect(await statusOf(billingGroupId)).toBe('ACTIVE');
  await record('billing-group-blocked-and-resumed', groupOf(billingGroupId));
}

/** A charge that is billed at once, to a payer without a group. */
async function recordRun(): Promise<void> {
  const payer = await create(api, '/customers', { name: 'At once' });
  const { runId } = await create(api, '/charges', {
    customerId: payer.id,
    description: 'Once',
    amount: '5.00',
    timing: 'IMMEDIATE',
  });
  await eventually(async () => (await openInvoices(payer.id)) === 1, 'its invoice');
  const id = workflowId.billingRun(api.tenantId, runId);
  await stack.temporal.workflow.getHandle(id).result();
  await record('billing-run', id);
}

const quiet = new DefaultLogger('ERROR', () => {});

test('what this code writes today, it replays', async () => {
  expect(recorded.size).toBe(5);
  for (const history of recorded.values()) await replay(history);
});

describe('histories of every released version replay', async () => {
  const files = await storedHistories();

  test.each(files)('%s', async (file) => {
    await expect(replay(await readHistory(file))).resolves.toBeUndefined();
  });

  test('there are some', () => {
    expect(files.length).toBeGreaterThanOrEqual(5);
  });
});

test('a change of what a workflow does is noticed', async () => {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./planted/index.ts', import.meta.url)),
    logger: quiet,
  });
  await expect(replay(recorded.get('test-clock') ?? {}, code)).rejects.toThrow(/nondeterminism/i);
});
