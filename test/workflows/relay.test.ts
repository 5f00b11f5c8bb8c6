import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { enqueue } from '../../src/db/outbox.ts';
import { startRelay } from '../../src/relay/relay.ts';
import { sweepOnce } from '../../src/relay/sweep.ts';
import { workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually, startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let api: Client;
beforeAll(async () => {
  stack = await startTestStack();
  api = await stack.api.tenant();
});
afterAll(() => stack.close());

/** A group that is billed today, as soon as somebody wakes it. */
async function dueGroup(name: string): Promise<{ groupId: string; payerId: string }> {
  const payer = await create(api, '/customers', { name });
  const group = await create(api, '/billing-groups', { payerCustomerId: payer.id, settleMinutes: 0 });
  const subscription = { customerId: payer.id, billingGroupId: group.id, prices: [flat('base', '10.00')] };
  await create(api, '/subscriptions', subscription);
  return { groupId: group.id, payerId: payer.id };
}

const invoicesOf = async (payerId: string): Promise<number> =>
  (await api.get(`/customers/${payerId}/invoices?status=OPEN`)).body.totalItems;

const handleOf = (groupId: string) => stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, groupId));

describe('the sweep', () => {
  const sweep = () =>
    sweepOnce({
      database: stack.api.db.database,
      client: stack.temporal,
      taskQueue: stack.taskQueue,
      log: quietLog,
    });

  test('finds a group whose workflow was terminated, and what is due is billed', async () => {
    const { groupId, payerId } = await dueGroup('Terminated');
    await eventually(async () => (await invoicesOf(payerId)) === 1, 'the first invoice');
    await handleOf(groupId).terminate('by the test');
    await stack.api.db.query(`delete from outbox_messages where dedupe_key = $1`, [groupId]);
    // It missed a boundary: one more charge was to be billed two minutes ago.
    await create(api, '/charges', {
      customerId: payerId,
      billingGroupId: groupId,
      description: 'Late',
      amount: '3.00',
    });
    await stack.api.db.query(`delete from outbox_messages where dedupe_key = $1`, [groupId]);
    const late = `update billing_groups set next_due_at = now() - interval '2 minutes' where id = $1`;
    await stack.api.db.query(late, [groupId]);
    await sweep();
    const description = await eventually(async () => {
      const found = await handleOf(groupId).describe();
      return found.status.name === 'RUNNING' ? found : null;
    }, 'the workflow to run again');
    expect(description.type).toBe('billingGroupWorkflow');
    await eventually(async () => {
      const [row] = await stack.api.db.query<{ due: boolean }>(
        `select next_due_at > now() as due from billing_groups where id = $1`,
        [groupId],
      );
      return row?.due;
    }, 'the group to know when it is due next');
  });

  test('wakes a run outside any group that did not finish', async () => {
    const payer = await create(api, '/customers', { name: 'Forgotten' });
    const charge = { customerId: payer.id, description: 'Now', amount: '5.00', timing: 'IMMEDIATE' };
    await stack.api.db.database.inTenant(api.tenantId, async () => {});
    const { runId } = await create(api, '/charges', charge);
    await eventually(async () => (await invoicesOf(payer.id)) === 1, 'its invoice');
    await stack.api.db.query(
      `update billing_runs set status = 'OPEN', created_at = now() - interval '2 minutes' where id = $1`,
      [runId],
    );
    await sweep();
    await eventually(async () => {
      const [run] = await stack.api.db.query('select status from billing_runs where id = $1', [runId]);
      return run?.['status'] === 'ISSUED';
    }, 'the run to be over');
    expect(await invoicesOf(payer.id)).toBe(1);
  });

  test('leaves alone what is not late, what is closed, and what waits for its entity', async () => {
    const { groupId, payerId } = await dueGroup('In time');
    await eventually(async () => (await invoicesOf(payerId)) === 1, 'its invoice');
    await handleOf(groupId).terminate('by the test');
    await sweep();
    expect((await handleOf(groupId).describe()).status.name).toBe('TERMINATED');
  });
});

describe('the relay', () => {
  test('keeps at most one message of a kind waiting, and delivers it although it was claimed by one that died', async () => {
    const { groupId, payerId } = await dueGroup('Claimed');
    await eventually(async () => (await invoicesOf(payerId)) === 1, 'its invoice');
    const pending = () =>
      stack.api.db.query(`select claimed_at from outbox_messages where dedupe_key = $1 and delivered_at is null`, [
        groupId,
      ]);
    await eventually(async () => (await pending()).length === 0, 'the outbox to be empty');
    await stack.api.db.database.inTenant(api.tenantId, async (tx) => {
      const message = { topic: 'group.refresh', dedupeKey: groupId, payload: { billingGroupId: groupId } } as const;
      for (let index = 0; index < 3; index += 1) await enqueue(tx, message);
      const { rows } = await sql<{ count: number }>`
        select count(*)::int from outbox_messages where dedupe_key = ${groupId} and claimed_at is null`.execute(tx.db);
      expect(rows).toEqual([{ count: 1 }]);
      await sql`update outbox_messages set claimed_at = ${'2020-01-01T00:00:00Z'} where dedupe_key = ${groupId}`.execute(
        tx.db,
      );
    });
    await eventually(async () => (await pending()).length === 0, 'the message of the dead relay to be delivered');
  });

  test('of several processes delivers each message once, and what fails is tried again without holding up the rest', async () => {
    const count = 40;
    const tenant = await stack.api.tenant();
    const delivered = new Map<string, number>();
    const failOnce = new Set(['run_5', 'run_17']);
    const signalWithStart = vi.fn(async (_: unknown, { args }: { args: [{ runId: string }] }) => {
      const [{ runId }] = args;
      if (failOnce.delete(runId)) throw new Error('Temporal says no');
      delivered.set(runId, (delivered.get(runId) ?? 0) + 1);
    });
    const deps = {
      database: stack.api.db.database,
      client: { workflow: { signalWithStart } } as never,
      taskQueue: 'nobody',
      log: quietLog,
    };
    const relays = await Promise.all([startRelay(deps), startRelay(deps), startRelay(deps)]);
    await stack.api.db.database.inTenant(tenant.tenantId, async (tx) => {
      for (let index = 0; index < count; index += 1) {
        const payload = { runId: `run_${index}`, testClockId: null };
        await enqueue(tx, { topic: 'run.start', dedupeKey: `run_${index}`, payload });
      }
    });
    // The stack's own relay takes its share of them; each goes to exactly one.
    await eventually(async () => {
      const rows = await stack.api.db.query(
        `select 1 from outbox_messages where dedupe_key like 'run\\_%' and delivered_at is null`,
      );
      return rows.length === 0;
    }, 'the outbox to be empty');
    await Promise.all(relays.map((relay) => relay.stop()));
    expect([...delivered.values()].every((times) => times === 1)).toBe(true);
  });
});
