import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine, isRunning, stopProcess } from '../../src/runtime/processes.ts';

const FOLDER = /^tributary-(?:test|temporal)-(\d+)-/;

/** A test run that was killed leaves its servers running: they are ended, and their folders removed. */
export async function clearKilledRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(FOLDER.exec(name)?.[1]);
    if (owner > 1 && !isRunning(owner)) await clear(join(tmpdir(), name));
  }
}

async function clear(folder: string): Promise<void> {
  for (const pidFile of ['postgres/postmaster.pid', 'server.pid', 'temporal/server.pid']) {
    const pid = Number.parseInt(await readFile(join(folder, pidFile), 'utf8').catch(() => ''), 10);
    const isOurs = pid > 1 && /postgres|start-dev/.test(await commandLine(pid));
    if (isOurs) await stopProcess(pid, ['SIGINT', 'SIGKILL'], 5_000);
  }
  await rm(folder, { recursive: true, force: true });
}
