import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageFile from '../../package.json' with { type: 'json' };
import { eventually, workflowBundle as bundledWorkflows } from '../support/stack.ts';

const { History } = temporal.api.history.v1;
export type WorkflowHistory = temporal.api.history.v1.IHistory;

/** One folder for each version; once that is released, what is in it is never changed. */
const FOLDER = fileURLToPath(new URL('./histories', import.meta.url));

/**
 * Stores a history under the present version, to be committed with it, unless there is one of this name. After a deliberate
 * change of a workflow that is not released yet, delete the version's folder and run the tests of this folder once.
 */
export async function keepHistory(name: string, history: WorkflowHistory): Promise<void> {
  const folder = join(FOLDER, packageFile.version);
  await mkdir(folder, { recursive: true });
  try {
    const bytes = History.encode(withoutMachine(history)).finish();
    await writeFile(join(folder, `${name}.binpb`), bytes, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The same history without what tells the machine that made it: stack traces, and the processes' names. */
function withoutMachine(history: WorkflowHistory): WorkflowHistory {
  const copy = History.decode(History.encode(history).finish());
  const scrub = (value: object): void => {
    for (const [key, inner] of Object.entries(value) as [keyof typeof value, unknown][]) {
      if (typeof inner === 'string') Object.assign(value, { [key]: scrubbed(key, inner) });
      else if (typeof inner === 'object' && inner !== null && !(inner instanceof Uint8Array)) scrub(inner);
    }
  };
  scrub(copy);
  return copy;
}

const scrubbed = (key: string, text: string): string => {
  if (key === 'stackTrace') return '';
  return key === 'identity' || /^\d+@/.test(text) ? 'worker' : text;
};

/** The stored histories of every version, as paths within their folder. */
export const storedHistories = async (): Promise<string[]> =>
  (await readdir(FOLDER, { recursive: true }).catch(() => [])).filter((file) => file.endsWith('.binpb'));

export const readHistory = async (file: string): Promise<WorkflowHistory> =>
  History.decode(await readFile(join(FOLDER, file)));

/** Whether a worker has done any of it: one that has just continued as new is held back by the server for up to a second. */
const hasBegun = (history: WorkflowHistory): boolean =>
  (history.events ?? []).some((event) => (event.workflowTaskCompletedEventAttributes ?? null) !== null);

/** The executions of a workflow that continues as new, each with its history, oldest first, once the newest has begun. */
export async function executionsOf(client: Client, id: string): Promise<WorkflowHistory[]> {
  const newest = await eventually(async () => {
    const history = await client.workflow.getHandle(id).fetchHistory();
    return hasBegun(history) ? history : null;
  }, 'the newest execution to begin');
  const histories: WorkflowHistory[] = [newest];
  for (;;) {
    const started = histories[0]?.events?.[0]?.workflowExecutionStartedEventAttributes;
    const earlier = started?.continuedExecutionRunId ?? '';
    if (earlier === '') return histories;
    histories.unshift(await client.workflow.getHandle(id, earlier).fetchHistory());
  }
}

/** Runs a history through the workflow code, or through other code; rejects when that would have done something else. */
export async function replay(history: WorkflowHistory, code?: string): Promise<void> {
  // The SDK waits for ever for the end of a history like that.
  if (!hasBegun(history))
    throw new Error('No workflow task of this history was completed: there is nothing to replay.');
  const workflowBundle = code === undefined ? await bundledWorkflows() : { code };
  await Worker.runReplayHistory({ workflowBundle }, history, 'replayed');
}

/** A history with its payloads as text. */
export const readable = (history: unknown): string =>
  JSON.stringify(history).replaceAll(/"data":"([\w+/=]+)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString(),
  );
