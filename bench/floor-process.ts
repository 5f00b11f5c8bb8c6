import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { workAsChild } from './child.ts';

/** A worker that knows nothing but the floor. */
export interface FloorJob {
  readonly address: string;
  readonly taskQueue: string;
  /** File of the floor's workflow, bundled before. */
  readonly codePath: string;
}

/** As in the product's worker, so that only what is done differs. */
const ACTIVITIES_AT_ONCE = 20;
const WORKFLOWS_AT_ONCE = 100;

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
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    maxConcurrentLocalActivityExecutions: WORKFLOWS_AT_ONCE,
    maxConcurrentWorkflowTaskExecutions: WORKFLOWS_AT_ONCE,
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
