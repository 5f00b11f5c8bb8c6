import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { commandLine } from './processes.ts';

/** The process that holds a lock. */
export interface Holder {
  readonly pid: number;
  /** Tells the process from a later one with the same number. */
  readonly startedWith: string;
}

/**
 * Takes a lock that is a file. One left by a process that is gone counts as free; of two that ask at once, one gets it.
 *
 * @returns how to give it back, or the process that holds it.
 */
export async function takeLock(file: string): Promise<{ release: () => Promise<void> } | { holder: Holder }> {
  const mine: Holder = { pid: process.pid, startedWith: await commandLine(process.pid) };
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(mine));
  try {
    for (;;) {
      if (await isLinked(draft, file)) return { release: () => rm(file, { force: true }) };
      const holder = await readHolder(file);
      if (holder !== null && (await isHolding(holder))) return { holder };
      await clear(file, holder);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

const isLinked = (draft: string, file: string): Promise<boolean> =>
  link(draft, file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

const isHolding = async ({ pid, startedWith }: Holder): Promise<boolean> =>
  startedWith !== '' && (await commandLine(pid)) === startedWith;

/** Somebody may have cleared it and taken it since it was read: then it is put back. */
async function clear(file: string, stale: Holder | null): Promise<void> {
  const aside = `${file}.${process.pid}.stale`;
  try {
    await rename(file, aside);
    const found = await readHolder(aside);
    if (found?.pid !== stale?.pid) await link(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function readHolder(file: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder;
  } catch {
    return null;
  }
}
