import { pino } from 'pino';
import { openDatabase } from '../src/db/database.ts';
import { startWorker } from '../src/worker.ts';
import { workAsChild } from './child.ts';
import { countStatements } from './count-statements.ts';

/** One worker of the product with its relay and sweep, by itself. */
export interface WorkerJob {
  readonly ownerUrl: string;
  readonly address: string;
  readonly taskQueue: string;
  /** Added to the machine's time: the product then lives at another moment, at the same speed. */
  readonly shiftMs: number;
  /** File of the workflow code, bundled before. */
  readonly codePath: string;
}

workAsChild<WorkerJob>(async ({ ownerUrl, address, taskQueue, shiftMs, codePath }) => {
  const sent = countStatements();
  const log = pino({ level: 'error' }, pino.destination(2));
  const clock = { now: () => new Date(Date.now() + shiftMs).toISOString() };
  const database = await openDatabase({ ownerUrl, log, clock });
  const worker = await startWorker({
    database,
    temporal: { address, namespace: 'default', taskQueue },
    log,
    publicUrl: 'http://api.bench',
    workflowBundle: { codePath },
  });
  const stop = async () => {
    await worker.stop();
    await database.close();
  };
  return { counts: () => ({ ...sent }), stop };
});
