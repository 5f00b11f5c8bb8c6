import { chmod, mkdir, mkdtemp, open, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresUser } from '../../../src/runtime/postgres-user.ts';
import { isRunning, runProgram } from '../../../src/runtime/processes.ts';

/** A file system that is soon full. */
export interface SmallDisk {
  /** Empty, and PostgreSQL's to write in. */
  readonly folder: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives the room back. */
  empty(): Promise<void>;
  /** For when nobody has anything open on it. */
  unmount(): Promise<void>;
}

const NAME = /^tributary-disk-(\d+)-/;
const CHUNK_BYTES = 1024 * 1024;
/** A page: what a tmpfs counts in. */
const PAGE_BYTES = 4_096;

/**
 * Mounts a disk in memory.
 *
 * @returns null, having said so, where that is not allowed: it takes root, and in a container the right to mount.
 */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | null> {
  await unmountLeftovers();
  const place = await mkdtemp(join(tmpdir(), `tributary-disk-${process.pid}-`));
  try {
    await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', place]);
  } catch (error) {
    await rmdir(place);
    const reason = (error as Error).message.trim().split('\n').at(-1);
    process.stderr.write(
      `SKIPPED: no disk can be mounted to be filled (${reason}). Run as root, outside a container.\n`,
    );
    return null;
  }
  const folder = join(place, 'data');
  const filler = join(place, 'filler');
  await mkdir(folder, { mode: 0o700 });
  const user = await postgresUser();
  if (user !== null) await runProgram('chown', [`${user.uid}:${user.gid}`, folder]);
  await chmod(place, 0o755);
  return {
    folder,
    fill: () => fillUp(filler),
    empty: () => rm(filler, { force: true }),
    unmount: async () => {
      await runProgram('umount', [place]);
      await rmdir(place);
    },
  };
}

/** In chunks, and what is left in pages. */
async function fillUp(file: string): Promise<void> {
  const handle = await open(file, 'a');
  try {
    for (const size of [CHUNK_BYTES, PAGE_BYTES]) await writeUntilFull(() => handle.write(Buffer.alloc(size)));
  } finally {
    await handle.close();
  }
}

async function writeUntilFull(write: () => Promise<unknown>): Promise<void> {
  try {
    for (;;) await write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** Disks of test runs that were killed. */
async function unmountLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(NAME.exec(name)?.[1]);
    if (!(owner > 1) || isRunning(owner)) continue;
    await runProgram('umount', ['--lazy', join(tmpdir(), name)]).catch(() => undefined);
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}
