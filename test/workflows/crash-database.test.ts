import { randomUUID } from 'node:crypto';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { startWorker } from '../../src/worker.ts';
import { workflowId } from '../../src/workflows/contract.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually, workflowBundle } from '../support/stack.ts';
import { keepHistory, replay } from './histories.ts';

const address = inject('temporalAddress');
let api: TestApi;
let tenant: Client;
let connection: Connection;
let worker: { stop(): Promise<void> };
/** Cuts the database off once a run has this step behind it. */
let cutAfter: string | null = null;

beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.tenant();
  connection = await Connection.connect({ address });
  worker = await startWorker({
    database: cutOff(api.db.database),
    temporal: { address, namespace: 'default', taskQueue: `crash-${randomUUID()}` },
    log: quietLog,
    publicUrl: api.url,
    workflowBundle: await workflowBundle(),
  });
});
afterAll(async () => {
  await api.db.refuse(false);
  await worker.stop();
  await connection.close();
  await api.close();
});

/** The same database, until a run comes to the step: from then on nobody can reach it. */
const cutOff = (database: Database): Database => ({
  ...database,
  inTenant: async (tenantId, work, options) => {
    const answer = await database.inTenant(tenantId, work, options);
    if (cutAfter === null) return answer;
    const run = await database.inTenant(tenantId, (tx) =>
      tx.db
        .selectFrom('billing_runs')
        .where('step', '=', cutAfter as 'TAX')
        .select('id')
        .executeTakeFirst(),
    );
    if (run !== undefined) {
      cutAfter = null;
      await api.db.refuse(true);
    }
    return answer;
  },
});

test('a run whose database goes away in the middle stays OPEN, says why, and goes on by itself', async () => {
  cutAfter = 'COUPONS';
  const payer = await create(tenant, '/customers', { name: 'Patient' });
  const { billingGroupId } = await create(tenant, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
  });
  await create(tenant, `/billing-groups/${billingGroupId}/bill-now`, {});
  const temporal = new TemporalClient({ connection });
  const handle = temporal.workflow.getHandle(workflowId.billingGroup(tenant.tenantId, billingGroupId));

  // Its step fails as often as an operator should see, and then the workflow waits for the database to write down why.
  await eventually(() => isTrying('applyTax'), 'the step to be tried where an operator sees it', 60);
  await eventually(() => isTrying('noteRunReason'), 'the workflow to wait for the database', 60);
  async function isTrying(activity: string): Promise<boolean> {
    const { raw } = await handle.describe().catch(() => ({ raw: null }));
    return raw?.pendingActivities?.some(({ activityType }) => activityType?.name === activity) ?? false;
  }

  await api.db.refuse(false);
  const run = await eventually(async () => {
    const [found] = await api.db.query('select status, step, reason from billing_runs');
    return found?.['reason'] === null ? null : found;
  }, 'the reason');
  expect(run).toEqual({ status: 'OPEN', step: 'COUPONS', reason: 'DATABASE' });
  expect((await tenant.get(`/billing-groups/${billingGroupId}`)).body.status).toBe('ACTIVE');

  const invoices = await eventually(async () => {
    const rows = await api.db.query('select number, total::float, status from invoices');
    return rows[0]?.['status'] === 'OPEN' ? rows : null;
  }, 'the invoice');
  expect(invoices).toEqual([{ number: 'INV-0001', total: 10, status: 'OPEN' }]);
  expect(await api.db.query('select status, reason from billing_runs')).toEqual([{ status: 'ISSUED', reason: null }]);

  const history = await handle.fetchHistory();
  await expect(replay(history)).resolves.toBeUndefined();
  await keepHistory('billing-group-database-away', history);
}, 180_000);
