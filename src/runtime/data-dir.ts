import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLine } from './processes.ts';

interface Holder {
  readonly pid: number;
  /** Tells a process from a later one with the same number. */
  readonly startedWith: string;
}

/**
 * Takes the folder for this process; what a killed run left in it may then be cleared away safely.
 *
 * @returns gives the folder back.
 * @throws  when another running process holds it.
 */
export async function claimDataDir(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true, mode: 0o755 }).catch((error: Error) => {
    throw new Error(
      `DATA_DIR ${dataDir} cannot be made: ${error.message}. Set DATA_DIR to a folder that can be written.`,
    );
  });
  const file = join(dataDir, 'tributary.pid');
  const claim = `${file}.${process.pid}`;
  await writeFile(claim, JSON.stringify({ pid: process.pid, startedWith: await commandLine(process.pid) }));
  try {
    await place(claim, file, dataDir);
  } finally {
    await rm(claim, { force: true });
  }
  return () => rm(file, { force: true });
}

/** A link is made or it is not: of two that start at once, one gets it. */
async function place(claim: string, file: string, dataDir: string, isRetry = false): Promise<void> {
  try {
    await link(claim, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = await readHolder(file);
    if (isRetry || (holder !== null && (await isHolding(holder)))) {
      const who = holder === null ? 'another process' : `process ${holder.pid}`;
      throw new Error(`DATA_DIR ${dataDir} is in use by ${who}: stop it, or set another DATA_DIR and PORT.`);
    }
    await rm(file, { force: true });
    await place(claim, file, dataDir, true);
  }
}

const isHolding = async ({ pid, startedWith }: Holder): Promise<boolean> =>
  pid !== process.pid && startedWith !== '' && (await commandLine(pid)) === startedWith;

async function readHolder(file: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder;
  } catch {
    return null;
  }
}
