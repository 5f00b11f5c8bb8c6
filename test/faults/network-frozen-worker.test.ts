import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startWorker } from '../../src/worker.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually, workflowBundle } from '../support/stack.ts';
import type { Frost } from './support/freezing-worker.ts';
import { flawsOf } from './support/proof.ts';

const program = fileURLToPath(new URL('./support/freezing-worker.ts', import.meta.url));
const address = inject('temporalAddress');

let api: TestApi;
let folder: string;
let codePath: string;
beforeAll(async () => {
  api = await startTestApi();
  folder = await mkdtemp(join(tmpdir(), 'tributary-frozen-'));
  codePath = join(folder, 'workflows.js');
  await writeFile(codePath, (await workflowBundle()).code);
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

test.each(['COLLECTED', 'ISSUED'])(
  'a worker that freezes before it commits %s keeps nobody waiting for ever; thawed, it changes nothing',
  async (step) => {
    const tenant = await api.tenant();
    const taskQueue = `frozen-${randomUUID()}`;
    const frost: Frost = { ownerUrl: api.db.ownerUrl, address, taskQueue, codePath, step };
    const child = spawn(process.execPath, [program, JSON.stringify(frost)], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const payer = await create(tenant, '/customers', { name: step });
      const { billingGroupId } = await create(tenant, '/subscriptions', {
        customerId: payer.id,
        prices: [flat('base', '10.00')],
      });
      await create(tenant, `/billing-groups/${billingGroupId}/bill-now`, {});
      const held = `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'
                       and state_change < clock_timestamp() - interval '2 seconds'`;
      await eventually(async () => (await api.db.query(held)).length > 0, 'the worker to freeze in its transaction');

      const other = await startWorker({
        database: api.db.database,
        temporal: { address, namespace: 'default', taskQueue },
        log: quietLog,
        publicUrl: api.url,
        workflowBundle: { codePath },
      });
      try {
        const run = await eventually(
          async () => {
            const { body } = await tenant.get(`/billing-groups/${billingGroupId}/runs`);
            return body.items[0]?.status === 'ISSUED' ? body.items[0] : null;
          },
          'the other worker to bill the group',
          180,
        );
        const before = (await tenant.get(`/invoices/${run.invoiceId}`)).body;
        const word = once(child.stdout, 'data');
        child.kill('SIGCONT');
        expect(String(await word)).toBe('lost');
        expect((await tenant.get(`/invoices/${run.invoiceId}`)).body).toEqual(before);
        expect((await tenant.get('/invoices')).body).toMatchObject({ totalItems: 1 });
        expect(await flawsOf(api.db, tenant.tenantId)).toEqual({});
      } finally {
        await other.stop();
      }
    } finally {
      child.kill('SIGKILL');
    }
  },
  300_000,
);
