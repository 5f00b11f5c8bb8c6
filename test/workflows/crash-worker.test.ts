import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startWorker } from '../../src/worker.ts';
import { startTestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually, workflowBundle } from '../support/stack.ts';
import type { Doom } from './doomed-worker.ts';

let folder: string;
let codePath: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-crash-'));
  codePath = join(folder, 'workflows.js');
  await writeFile(codePath, (await workflowBundle()).code);
});
afterAll(() => rm(folder, { recursive: true }));

const address = inject('temporalAddress');
const program = fileURLToPath(new URL('./doomed-worker.ts', import.meta.url));

/** Starts a worker in a process of its own and waits until it has killed itself. */
async function dieAt(doom: Doom): Promise<void> {
  const worker = spawn(process.execPath, [program, JSON.stringify(doom)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [, signal] = await once(worker, 'exit');
  expect(signal).toBe('SIGKILL');
}

/** Bills one payer now; its worker dies on the way and another one takes over. */
async function billThroughDeath(death: Pick<Doom, 'step' | 'when' | 'failing'>) {
  const api = await startTestApi();
  const taskQueue = `crash-${randomUUID()}`;
  const tenant = await api.tenant();
  const bill = async (name: string): Promise<string> => {
    const payer = await create(tenant, '/customers', { name });
    const { billingGroupId } = await create(tenant, '/subscriptions', {
      customerId: payer.id,
      prices: [flat('base', '10.00')],
    });
    await create(tenant, `/billing-groups/${billingGroupId}/bill-now`, {});
    return billingGroupId;
  };
  try {
    await bill('First');
    await dieAt({ ownerUrl: api.db.ownerUrl, address, taskQueue, codePath, ...death });
    const found = await api.db.query(`select step, status from billing_runs`);
    const worker = await startWorker({
      database: api.db.database,
      temporal: { address, namespace: 'default', taskQueue },
      log: quietLog,
      publicUrl: api.url,
      workflowBundle: { codePath },
    });
    try {
      await bill('Second');
      const invoices = await eventually(
        async () => {
          const rows = await api.db.query(`select number, total::float, status from invoices order by number`);
          return rows.filter(({ status }) => status === 'OPEN').length === 2 ? rows : null;
        },
        'both invoices',
        60,
      );
      return { found, invoices };
    } finally {
      await worker.stop();
    }
  } finally {
    await api.close();
  }
}

const both = [
  { number: 'INV-0001', total: 10, status: 'OPEN' },
  { number: 'INV-0002', total: 10, status: 'OPEN' },
];

describe.concurrent(
  'a worker that is killed in the middle of a run of one transaction: another one finishes it, once',
  () => {
    const failing: string[] = [];

    test('after the commit, before the server knew of it', async () => {
      const { found, invoices } = await billThroughDeath({ step: 'ISSUED', when: 'after commit', failing });
      expect(found).toEqual([{ step: 'ISSUED', status: 'ISSUED' }]);
      expect(invoices).toEqual(both);
    }, 120_000);

    test('with everything written and the number taken, before the commit', async () => {
      const { found, invoices } = await billThroughDeath({ step: 'ISSUED', when: 'before commit', failing });
      expect(found).toEqual([{ step: 'OPENED', status: 'OPEN' }]);
      expect(invoices).toEqual(both);
    }, 120_000);
  },
);

describe.concurrent('a worker that is killed in the middle of a run of steps: another one finishes it, once', () => {
  const failing = ['advanceGroup'];

  test.each(['COLLECTED', 'COUPONS', 'TAX', 'CREDITS', 'ISSUED'])(
    'after the commit of %s, before the server knew of it',
    async (step) => {
      const { found, invoices } = await billThroughDeath({ step, when: 'after commit', failing });
      expect(found).toEqual([{ step, status: step === 'ISSUED' ? 'ISSUED' : 'OPEN' }]);
      expect(invoices).toEqual(both);
    },
    120_000,
  );

  test('with the number taken, before the commit that gives it', async () => {
    const { found, invoices } = await billThroughDeath({ step: 'ISSUED', when: 'before commit', failing });
    expect(found).toEqual([{ step: 'CREDITS', status: 'OPEN' }]);
    expect(invoices).toEqual(both);
  }, 120_000);
});
