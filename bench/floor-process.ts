import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { WORKER_LIMITS } from '../src/worker-limits.ts';
import { workAsChild } from './child.ts';

/** A worker that knows nothing but the floor. */
export interface FloorJob {
  readonly address: string;
  readonly taskQueue: string;
  /** File of the floor's workflow, bundled before. */
  readonly codePath: string;
}

workAsChild<FloorJob>(async ({ address, taskQueue, codePath }) => {
  const counts = { done: 0, lastAt: 0 };
  const nothing = async (): Promise<void> => {
    counts.done += 1;
    counts.lastAt = Date.now();
  };
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    namespace: 'default',
    taskQueue,
    activities: { nothing },
    // As in the product's worker, so that only what is done differs.
    ...WORKER_LIMITS,
    workflowBundle: { codePath },
  });
  const working = worker.run();
  const stop = async () => {
    worker.shutdown();
    await working;
    await connection.close();
  };
  return { counts: () => counts, stop };
});
