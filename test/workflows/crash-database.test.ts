import { randomUUID } from 'node:crypto';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Database, Tx } from '../../src/db/database.ts';
import { startWorker } from '../../src/worker.ts';
import { workflowId } from '../../src/workflows/contract.ts';
import { without } from '../activities/broken-database.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually, workflowBundle } from '../support/stack.ts';
import { keepHistory, readable, replay } from './histories.ts';

const address = inject('temporalAddress');
let api: TestApi;
let connection: Connection;
let worker: { stop(): Promise<void> };

/** Where a tenant's worker is cut off from the database: as a run passes a step, before the commit or right after it. */
interface Cut {
  readonly tenantId: string;
  readonly step: string;
  readonly when: 'before commit' | 'after commit';
}
let cut: Cut | null = null;
/** Activities that fail, so that a run goes step by step. */
const failing: string[] = [];

beforeAll(async () => {
  api = await startTestApi();
  connection = await Connection.connect({ address });
  worker = await startWorker({
    database: without(cutOff(api.db.database), failing),
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
    let isReached = false;
    const answer = await database.inTenant(
      tenantId,
      async (tx) => {
        const result = await work(tx);
        isReached = cut?.tenantId === tenantId && (await hasRunAt(tx, cut.step));
        if (isReached && cut?.when === 'before commit') await refuse();
        return result;
      },
      options,
    );
    if (isReached && cut !== null) await refuse();
    return answer;
  },
});

const hasRunAt = async (tx: Tx, step: string): Promise<boolean> =>
  (await tx.db
    .selectFrom('billing_runs')
    .where('step', '=', step as 'TAX')
    .select('id')
    .executeTakeFirst()) !== undefined;

const refuse = async (): Promise<void> => {
  cut = null;
  await api.db.refuse(true);
};

/** Bills a payer of a new tenant now, whose worker is cut off on the way. */
async function billOne(where: Omit<Cut, 'tenantId'>) {
  const tenant = await api.tenant();
  const payer = await create(tenant, '/customers', { name: 'Patient' });
  const { billingGroupId } = await create(tenant, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
  });
  cut = { tenantId: tenant.tenantId, ...where };
  await create(tenant, `/billing-groups/${billingGroupId}/bill-now`, {});
  const temporal = new TemporalClient({ connection });
  const handle = temporal.workflow.getHandle(workflowId.billingGroup(tenant.tenantId, billingGroupId));
  const ask = (query: string) => api.db.query(`${query} where tenant_id = $1`, [tenant.tenantId]);
  return {
    handle,
    runs: () => ask('select status, step, reason from billing_runs'),
    invoices: () => ask('select number, total::float, status from invoices'),
    groupStatus: async () => (await tenant.get(`/billing-groups/${billingGroupId}`)).body.status,
    /** Whether an operator sees that an activity is tried again and again. */
    isTrying: async (activity: string): Promise<boolean> => {
      const { raw } = await handle.describe().catch(() => ({ raw: null }));
      return raw?.pendingActivities?.some(({ activityType }) => activityType?.name === activity) ?? false;
    },
  };
}

async function untilIssued({ handle, runs, invoices }: Awaited<ReturnType<typeof billOne>>, history: string) {
  await eventually(async () => (await invoices())[0]?.['status'] === 'OPEN', 'the invoice', 60);
  expect(await invoices()).toEqual([{ number: 'INV-0001', total: 10, status: 'OPEN' }]);
  expect(await runs()).toEqual([{ status: 'ISSUED', step: 'ISSUED', reason: null }]);
  await eventually(async () => (await handle.describe()).raw.pendingWorkflowTask == null, 'the workflow to say so');
  const recorded = await handle.fetchHistory();
  await expect(replay(recorded)).resolves.toBeUndefined();
  await keepHistory(history, recorded);
  return readable(recorded);
}

test('a run of steps whose database goes away in the middle stays OPEN, says why, and goes on by itself', async () => {
  failing.push('advanceGroup');
  const one = await billOne({ step: 'COUPONS', when: 'after commit' });

  // Its step fails as often as an operator should see, and then the workflow waits for the database to write down why.
  await eventually(() => one.isTrying('applyTax'), 'the step to be tried where an operator sees it', 60);
  await eventually(() => one.isTrying('noteRunReason'), 'the workflow to wait for the database', 60);
  await api.db.refuse(false);
  const run = await eventually(async () => {
    const [found] = await one.runs();
    return found?.['reason'] === null ? null : found;
  }, 'the reason');
  expect(run).toEqual({ status: 'OPEN', step: 'COUPONS', reason: 'DATABASE' });
  expect(await one.groupStatus()).toBe('ACTIVE');

  await untilIssued(one, 'billing-group-database-away');
}, 180_000);

test('a run of one transaction whose database goes away before its commit is billed once, and goes on by itself', async () => {
  failing.length = 0;
  const one = await billOne({ step: 'ISSUED', when: 'before commit' });
  await eventually(() => one.isTrying('planNextStep'), 'the workflow to ask where an operator sees it', 60);
  await api.db.refuse(false);
  const history = await untilIssued(one, 'billing-group-database-away-before-commit');
  expect(history, 'what did not succeed at once goes by steps').toContain('issueInvoice');
}, 180_000);
