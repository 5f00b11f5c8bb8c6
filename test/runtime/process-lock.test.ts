import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimDataDir } from '../../src/runtime/data-dir.ts';
import { takeLock } from '../../src/runtime/process-lock.ts';
import { commandLine } from '../../src/runtime/processes.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-lock-'));
  file = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a lock that is held names its holder, and can be taken when it is given back', async () => {
  const lock = await takeLock(file);
  expect(await takeLock(file)).toEqual({ holder: expect.objectContaining({ pid: process.pid }) });
  if ('release' in lock) await lock.release();
  expect(await takeLock(file)).toHaveProperty('release');
  expect(await readdir(folder)).toEqual(['lock']);
});

test('a lock of a process that is gone is free', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const pid = child.pid as number;
  await writeFile(file, JSON.stringify({ pid, startedWith: await commandLine(pid) }));
  expect(await takeLock(file)).toMatchObject({ holder: { pid } });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await takeLock(file)).toHaveProperty('release');
});

test('a lock whose process number went to another program is free', async () => {
  await writeFile(file, JSON.stringify({ pid: process.pid, startedWith: 'some other program' }));
  expect(await takeLock(file)).toHaveProperty('release');
});

test.each(['', '{', 'null'])('a lock that holds %j is free', async (text) => {
  await writeFile(file, text);
  expect(await takeLock(file)).toHaveProperty('release');
});

test('a data folder in use is refused with the process and the cure', async () => {
  const release = await claimDataDir(join(folder, 'kept'));
  await expect(claimDataDir(join(folder, 'kept'))).rejects.toThrow(
    new RegExp(`process ${process.pid} uses it, stop that one first. Or set another DATA_DIR and PORT`),
  );
  await release();
  await (
    await claimDataDir(join(folder, 'kept'))
  )();
});

test('a data folder that cannot be made is refused with the reason', async () => {
  await writeFile(file, '');
  await expect(claimDataDir(join(file, 'below'))).rejects.toThrow(/ENOTDIR.*set another DATA_DIR/);
});
