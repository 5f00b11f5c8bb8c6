import { Client, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { Clock } from '../../src/db/clock.ts';
import type { Database } from '../../src/db/database.ts';
import { startWorker } from '../../src/worker.ts';
import { bundleWorkflows } from '../../src/workflow-bundle.ts';
import { type Client as ApiClient, startTestApi, type TestApi } from './api.ts';
import { quietLog, type TestDatabase } from './database.ts';

/** API, worker, relay and sweep on a database and a task queue of their own, against the shared Temporal server or another. */
export interface TestStack {
  readonly api: TestApi;
  readonly temporal: Client;
  readonly taskQueue: string;
  /** Starts one more worker on the same queue. */
  addWorker(): Promise<{ stop(): Promise<void> }>;
  close(): Promise<void>;
}

let bundle: Promise<{ code: string }> | null = null;

/** The product’s workflow code, bundled once in a test file. */
export const workflowBundle = (): Promise<{ code: string }> => (bundle ??= bundleWorkflows(quietLog));

export interface StackOptions {
  workers?: number;
  clock?: Clock;
  db?: TestDatabase;
  temporalAddress?: string;
  maxCachedWorkflows?: number;
  /** What the workers see of the database. */
  seenByWorkers?: (database: Database) => Database;
}

export async function startTestStack(options: StackOptions = {}): Promise<TestStack> {
  const { clock, db, seenByWorkers = (database) => database } = options;
  const api = await startTestApi({ ...(clock === undefined ? {} : { clock }), ...(db === undefined ? {} : { db }) });
  const address = options.temporalAddress ?? inject('temporalAddress');
  const taskQueue = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address });
  const addWorker = async () =>
    startWorker({
      database: seenByWorkers(api.db.database),
      temporal: { address, namespace: 'default', taskQueue },
      log: quietLog,
      publicUrl: api.url,
      workflowBundle: await workflowBundle(),
      ...(options.maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows: options.maxCachedWorkflows }),
    });
  const workers: { stop(): Promise<void> }[] = [];
  for (let started = 0; started < (options.workers ?? 1); started += 1) workers.push(await addWorker());
  return {
    api,
    temporal: new Client({ connection }),
    taskQueue,
    addWorker,
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await connection.close();
      await api.close();
    },
  };
}

/** Asks until the answer is there: a condition, no fixed sleep. */
export async function eventually<T>(
  ask: () => Promise<T | null | undefined | false>,
  what: string,
  seconds = 30,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`Waited ${seconds} s in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Until every message of the outbox has been delivered. */
export const untilDelivered = ({ api: { db } }: Pick<TestStack, 'api'>): Promise<boolean> =>
  eventually(async () => {
    const waiting = `select 1 from outbox_messages where topic <> 'event' and delivered_at is null`;
    return (await db.query(waiting)).length === 0;
  }, 'every message to be delivered');

/** Moves a test clock and waits until it has arrived; a clock that fails is an error with its reason. */
export async function advanceClock(api: ApiClient, clockId: string, to: string): Promise<void> {
  const answer = await api.post(`/test-clocks/${clockId}/advance`, { to });
  if (answer.status >= 300) throw new Error(`advance: ${answer.status} ${JSON.stringify(answer.body)}`);
  const clock = await eventually(
    async () => {
      const { body } = await api.get(`/test-clocks/${clockId}`);
      return body.status === 'ADVANCING' ? null : body;
    },
    `clock ${clockId} to reach ${to}`,
    120,
  );
  if (clock.status !== 'READY') throw new Error(`clock ${clockId} is ${clock.status}: ${clock.error}`);
}
