import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities } from './activities/index.ts';
import type { Database } from './db/database.ts';
import { tellable } from './db/failures.ts';
import { startRelay } from './relay/relay.ts';
import { startSweep } from './relay/sweep.ts';
import { registerSearchAttributes } from './relay/register-search-attributes.ts';
import { WORKER_LIMITS } from './worker-limits.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

export interface WorkerDependencies {
  readonly database: Database;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string };
  readonly log: Logger;
  /** Base of the links that an operator sees. */
  readonly publicUrl: string;
  /** Workflow code that was bundled before; bundled here when absent. */
  readonly workflowBundle?: WorkflowBundleOption;
  /** How many workflows it keeps in memory; by the size of its heap when absent. Any other is read and replayed when it wakes. */
  readonly maxCachedWorkflows?: number;
}

/**
 * Starts everything that works in the background: the Temporal worker, the relay of the outbox, and the sweep.
 *
 * @returns a handle whose `stop` finishes or hands back what is held.
 */
export async function startWorker(deps: WorkerDependencies): Promise<{ stop(): Promise<void> }> {
  const { database, temporal, log, publicUrl } = deps;
  const { address, namespace, taskQueue } = temporal;
  installLogger(log);
  const connection = await Connection.connect({ address });
  const register = () => registerSearchAttributes(connection, namespace);
  await register();
  const client = new Client({ connection, namespace });
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    activities: createActivities({ database, client, taskQueue, publicUrl }),
    ...WORKER_LIMITS,
    ...(deps.maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows: deps.maxCachedWorkflows }),
    shutdownGraceTime: '10 seconds',
    workflowBundle: deps.workflowBundle ?? (await bundleWorkflows(log)),
  });
  const working = worker.run();
  const relay = await startRelay({ database, client, taskQueue, log });
  const sweep = startSweep({ database, client, taskQueue, log, register });
  log.info({ taskQueue, namespace }, 'worker started');
  return {
    stop: async () => {
      await sweep.stop();
      await relay.stop();
      worker.shutdown();
      await working;
      await native.close();
      await connection.close();
    },
  };
}

let isLoggerInstalled = false;

/** Temporal's own log goes where ours goes. The SDK takes a logger once in a process. */
function installLogger(log: Logger): void {
  if (isLoggerInstalled) return;
  isLoggerInstalled = true;
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {} } },
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { error, ...context } = (meta ?? {}) as { error?: Error };
      const fields = { ...context, ...(error === undefined ? {} : { reason: tellable(error) }) };
      if (level === 'ERROR') log.error(fields, message);
      else log.warn(fields, message);
    }),
  });
}
