import type { Client as TemporalClient } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCharge } from '../../src/db/charges/create.ts';
import { startSweep } from '../../src/relay/sweep.ts';
import { workflowId } from '../../src/workflows/contract.ts';
import { type Client, startTestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually, startTestStack, type TestStack, untilDelivered } from '../support/stack.ts';

let stack: TestStack;
let api: Client;
beforeAll(async () => {
  stack = await startTestStack();
  api = await stack.api.tenant();
});
afterAll(() => stack.close());

/** One look at what is late, as at the start of a worker. */
const sweep = (client: TemporalClient = stack.temporal): Promise<void> =>
  startSweep({
    database: stack.api.db.database,
    client,
    taskQueue: stack.taskQueue,
    log: quietLog,
    register: () => Promise.resolve(),
  }).stop();

const handleOf = (groupId: string) => stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, groupId));
const isRunning = async (groupId: string) => (await handleOf(groupId).describe()).status.name === 'RUNNING';
const openInvoices = async (payerId: string): Promise<number> =>
  (await api.get(`/customers/${payerId}/invoices?status=OPEN`)).body.totalItems;

/** A payer whose group was billed today and sleeps. */
async function billedGroup(name: string): Promise<{ groupId: string; payerId: string }> {
  const payer = await create(api, '/customers', { name });
  const group = await create(api, '/billing-groups', { payerCustomerId: payer.id, settleMinutes: 0 });
  const subscription = { customerId: payer.id, billingGroupId: group.id, prices: [flat('base', '10.00')] };
  await create(api, '/subscriptions', subscription);
  await eventually(async () => (await openInvoices(payer.id)) === 1, 'its first invoice');
  await untilDelivered(stack);
  return { groupId: group.id, payerId: payer.id };
}

/** Something to be billed at once, whose signal gets lost. */
const chargeUnheard = (payerId: string, groupId: string | null): Promise<string> =>
  stack.api.db.database.inTenant(api.tenantId, async (tx) => {
    const charge = { customerId: payerId, description: 'At once', amount: '3.00', timing: 'IMMEDIATE' } as const;
    const id = await createCharge(tx, { ...charge, ...(groupId === null ? {} : { billingGroupId: groupId }) }, 'test');
    await tx.db.deleteFrom('outbox_messages').where('topic', '<>', 'event').execute();
    return id;
  });

const age = (table: string, column: string, id: string) =>
  stack.api.db.query(`update ${table} set ${column} = now() - interval '2 minutes' where id = $1`, [id]);

test('a group whose workflow was terminated is found once it is late, and goes on', async () => {
  const { groupId } = await billedGroup('Terminated');
  await handleOf(groupId).terminate('by the test');
  await sweep();
  expect(await isRunning(groupId), 'it is not late').toBe(false);

  await age('billing_groups', 'next_due_at', groupId);
  await sweep();
  expect(await isRunning(groupId)).toBe(true);
  await eventually(async () => {
    const [row] = await stack.api.db.query<{ is_ahead: boolean }>(
      `select next_due_at > now() as is_ahead from billing_groups where id = $1`,
      [groupId],
    );
    return row?.is_ahead;
  }, 'it to know when it is due next');
});

test('a group that was asked to bill at once and was not told is found, and bills once', async () => {
  const { groupId, payerId } = await billedGroup('Not told');
  await handleOf(groupId).terminate('by the test');
  const chargeId = await chargeUnheard(payerId, groupId);
  await sweep();
  expect(await isRunning(groupId), 'it was asked a moment ago').toBe(false);

  const [run] = await stack.api.db.query<{ id: string }>('select id from billing_runs where request_id = $1', [
    chargeId,
  ]);
  await age('billing_runs', 'created_at', run?.id ?? '');
  await sweep();
  await sweep();
  await eventually(async () => (await openInvoices(payerId)) === 2, 'the invoice of the charge');
});

test('a run outside any group that nobody began is found', async () => {
  const payer = await create(api, '/customers', { name: 'Alone' });
  const chargeId = await chargeUnheard(payer.id, null);
  const [run] = await stack.api.db.query<{ id: string }>('select id from billing_runs where request_id = $1', [
    chargeId,
  ]);
  await sweep();
  expect(await openInvoices(payer.id)).toBe(0);
  await age('billing_runs', 'created_at', run?.id ?? '');
  await sweep();
  await eventually(async () => (await openInvoices(payer.id)) === 1, 'its invoice');
});

test('a clock that should move and stands is found', async () => {
  const clock = await create(api, '/test-clocks', { name: 'stands', now: '2026-01-01T00:00:00Z' });
  await stack.api.db.query(`update test_clocks set status = 'ADVANCING', target_at = '2026-02-01' where id = $1`, [
    clock.id,
  ]);
  await sweep();
  const { now } = await eventually(async () => {
    const { body } = await api.get(`/test-clocks/${clock.id}`);
    return body.status === 'READY' ? body : null;
  }, 'the clock to arrive');
  expect(now).toBe('2026-02-01T00:00:00.000Z');
});

test('a closed group is left alone', async () => {
  const payer = await create(api, '/customers', { name: 'Closed' });
  const group = await create(api, '/billing-groups', { payerCustomerId: payer.id });
  await create(api, `/billing-groups/${group.id}/close`, {});
  await untilDelivered(stack);
  await handleOf(group.id).result();
  await age('billing_groups', 'next_due_at', group.id);
  const woken: string[] = [];
  const signalWithStart = async (_: string, { args: [{ groupId }] }: { args: [{ groupId: string }] }) => {
    woken.push(groupId);
  };
  await sweep({ workflow: { signalWithStart } } as unknown as TemporalClient);
  expect(woken).not.toContain(group.id);
});

test('tenants take turns: many late groups of one do not keep the few of another waiting', async () => {
  const alone = await startTestApi();
  try {
    const [crowd, few] = [await alone.tenant(), await alone.tenant()];
    for (const [tenant, groups, minutes] of [
      [crowd, 5, 10],
      [few, 2, 2],
    ] as const) {
      const payer = await create(tenant, '/customers', { name: 'Late' });
      for (let group = 0; group < groups; group += 1)
        await create(tenant, '/billing-groups', { payerCustomerId: payer.id });
      await alone.db.query(
        `update billing_groups set next_due_at = now() - make_interval(mins => $2) where tenant_id = $1`,
        [tenant.tenantId, minutes],
      );
    }
    const woken: string[] = [];
    const signalWithStart = async (_: string, { args: [{ tenantId }] }: { args: [{ tenantId: string }] }) => {
      woken.push(tenantId === crowd.tenantId ? 'crowd' : 'few');
    };
    await startSweep({
      database: alone.db.database,
      client: { workflow: { signalWithStart } } as unknown as TemporalClient,
      taskQueue: 'nobody',
      log: quietLog,
      register: () => Promise.resolve(),
    }).stop();
    expect(woken).toEqual(['crowd', 'few', 'crowd', 'few', 'crowd', 'crowd', 'crowd']);
  } finally {
    await alone.close();
  }
});

test('one look after the other, without a pause, reaches all that is late, whatever is refused for ever', async () => {
  const alone = await startTestApi();
  try {
    const tenant = await alone.tenant();
    const payer = await create(tenant, '/customers', { name: 'Late' });
    const group = await create(tenant, '/billing-groups', { payerCustomerId: payer.id });
    const groups = 2_500;
    await alone.db.query(
      `insert into billing_groups
       select (jsonb_populate_record(g, jsonb_build_object('id', 'grp_' || lpad(n::text, 26, '0'), 'next_due_at', now() - interval '1 hour'))).*
         from billing_groups g, generate_series(1, $2::int) n where g.id = $1`,
      [group.id, groups],
    );
    const asked = new Set<string>();
    const signalWithStart = async (_: string, { args: [{ groupId }] }: { args: [{ groupId: string }] }) => {
      asked.add(groupId);
      const place = Number(groupId.slice(-4));
      // Also all that are asked first, at one time.
      if (place <= 150 || place % 3 === 0) throw new Error('always refused');
    };
    const sweep = startSweep({
      database: alone.db.database,
      client: { workflow: { signalWithStart } } as unknown as TemporalClient,
      taskQueue: 'nobody',
      log: quietLog,
      register: () => Promise.resolve(),
      everyMs: 600_000,
    });
    await eventually(async () => asked.size >= groups, 'all of them to be asked');
    await sweep.stop();
    expect(asked.size).toBe(groups);
  } finally {
    await alone.close();
  }
});
