import { Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { openDatabase } from '../src/db/database.ts';
import { startWorker } from '../src/worker.ts';
import { workAsChild } from './child.ts';
import { countStatements } from './count-statements.ts';
import type { WorkerJob } from './worker-process.ts';

/** A worker of the product whose settings at Temporal are tried out. */
export interface SleeperJob extends WorkerJob {
  readonly tuning: Partial<WorkerOptions>;
}

const MB = 1024 * 1024;

workAsChild<SleeperJob>(async ({ ownerUrl, address, taskQueue, shiftMs, codePath, tuning }) => {
  const sent = countStatements();
  const log = pino({ level: 'error' }, pino.destination(2));
  const database = await openDatabase({
    ownerUrl,
    log,
    clock: { now: () => new Date(Date.now() + shiftMs).toISOString() },
  });
  // The product chooses these itself; here they are what is measured.
  const create = Worker.create.bind(Worker);
  Worker.create = (options) => create({ ...options, ...tuning } as WorkerOptions);
  const worker = await startWorker({
    database,
    temporal: { address, namespace: 'default', taskQueue },
    log,
    publicUrl: 'http://api.bench',
    workflowBundle: { codePath },
  });
  return {
    counts: () => ({ ...sent, heapMb: process.memoryUsage().heapUsed / MB }),
    stop: async () => {
      await worker.stop();
      await database.close();
    },
  };
});
