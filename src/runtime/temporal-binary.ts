import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { machinePaths } from '../config.ts';
import {
  reasonOf,
  TEMPORAL_PROGRAM,
  TEMPORAL_VERSION,
  WAYS_TO_TEMPORAL,
  type WayToTemporal,
} from './obtain-temporal.ts';
import { takeLock } from './process-lock.ts';
import { runProgram } from './processes.ts';

const PROGRESS_MS = 15_000;
const WAIT_MS = 1_000;
const DRAFT = 'draft-';

interface Search {
  readonly log: Logger;
  /** Ends a download or a build that is under way. */
  readonly signal?: AbortSignal;
}

/**
 * Finds the Temporal command line: on the search path, in the cache, by the official download, or built by Go; what was
 * downloaded or built is cached outside the checkout, so that it happens once on a machine.
 *
 * @returns the program's path.
 * @throws  when there is no way left, with what to do about it.
 */
export async function findTemporal(search: Search): Promise<string> {
  const { searchPath, cacheHome } = machinePaths();
  const folder = join(cacheHome ?? join(homedir(), '.cache'), 'tributary', `temporal-${TEMPORAL_VERSION}`);
  const cached = join(folder, TEMPORAL_PROGRAM);
  const places = [...searchPath.map((part) => join(part, TEMPORAL_PROGRAM)), cached];
  for (const program of places) if (await isTemporal(program)) return program;

  await mkdir(folder, { recursive: true });
  const release = await waitForLock(join(folder, 'obtaining.pid'), search);
  try {
    if (!(await isTemporal(cached))) await obtain(folder, cached, search);
    return cached;
  } finally {
    await release();
  }
}

const isTemporal = async (program: string): Promise<boolean> => {
  try {
    await access(program, constants.X_OK);
    return (await runProgram(program, ['--version'], { timeoutMs: 20_000 })).includes('temporal version');
  } catch {
    return false;
  }
};

/** Two that start at once on a fresh machine: one builds, the other waits for it. */
async function waitForLock(file: string, { log, signal }: Search): Promise<() => Promise<void>> {
  let isSaid = false;
  for (;;) {
    signal?.throwIfAborted();
    const lock = await takeLock(file);
    if ('release' in lock) return lock.release;
    if (!isSaid) log.info(`process ${lock.holder.pid} is getting Temporal: waiting for it`);
    isSaid = true;
    await delay(WAIT_MS);
  }
}

async function obtain(folder: string, cached: string, search: Search): Promise<void> {
  const leftovers = (await readdir(folder)).filter((name) => name.startsWith(DRAFT));
  await Promise.all(leftovers.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  for (const way of WAYS_TO_TEMPORAL) if (await tryOne(way, folder, cached, search)) return;
  throw new Error(
    'There is no Temporal server. Install the temporal command line, or Go so that it can be built, or set TEMPORAL_ADDRESS.',
  );
}

/** Works in a folder beside the cached program and moves it when it is whole, so that nobody ever sees a part of it. */
async function tryOne(way: WayToTemporal, folder: string, cached: string, { log, signal }: Search): Promise<boolean> {
  const stopProgress = showProgress(log, `getting Temporal ${TEMPORAL_VERSION} by ${way.name}`);
  const draft = await mkdtemp(join(folder, DRAFT));
  const limits = [AbortSignal.timeout(way.withinMs), ...(signal === undefined ? [] : [signal])];
  try {
    const program = await way.obtain(draft, AbortSignal.any(limits));
    await chmod(program, 0o755);
    await rename(program, cached);
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    log.warn(`No Temporal by ${way.name}: ${reasonOf(error)}.`);
    return false;
  } finally {
    stopProgress();
    await rm(draft, { recursive: true, force: true });
  }
}

function showProgress(log: Logger, line: string): () => void {
  const since = performance.now();
  const seconds = () => Math.round((performance.now() - since) / 1000);
  log.info(`${line} …`);
  const ticking = setInterval(() => log.info(`${line} … ${seconds()} s`), PROGRESS_MS);
  return () => clearInterval(ticking);
}
