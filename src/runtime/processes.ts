import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { until } from './until.ts';

/** A system user as numbers, for a process that must not run as root. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** A process that we started and answer for. */
export interface ServerProcess {
  readonly pid: number;
  /** Settles when the process is gone, for whatever reason. */
  readonly ended: Promise<void>;
  /** Throws when the process is gone, with the last lines that it wrote. */
  assertRunning(): void;
  /** Asks it to end by each signal in turn, waiting `graceMs` between them. Safe to repeat. */
  stop(signals: readonly NodeJS.Signals[], graceMs: number): Promise<void>;
}

const LAST_LINES = 8;

/**
 * Starts a server in a session of its own, so that Ctrl-C reaches us alone and we end it in our order. When we exit without
 * having stopped it, it is interrupted.
 *
 * @param options.logFile  takes all that the process writes; begun anew.
 * @throws when the program cannot be run at all.
 */
export async function startProcess(options: {
  name: string;
  command: string;
  args: readonly string[];
  logFile: string;
  user?: SystemUser | null;
}): Promise<ServerProcess> {
  const { name, command, args, logFile, user } = options;
  const sink = openSync(logFile, 'w', 0o600);
  const child = spawn(command, args, { cwd: '/', detached: true, stdio: ['ignore', sink, sink], ...user });
  closeSync(sink);
  await once(child, 'spawn');
  const pid = child.pid as number;
  const endWithUs = () => void child.kill('SIGINT');
  process.once('exit', endWithUs);
  const ended = once(child, 'exit').then(() => void process.off('exit', endWithUs));
  return {
    pid,
    ended,
    assertRunning: () => {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(`${name} ended by itself: ${lastLines(logFile)}`);
    },
    stop: (signals, graceMs) => stopProcess(pid, signals, graceMs),
  };
}

const lastLines = (file: string): string =>
  readFileSync(file, 'utf8').trim().split('\n').slice(-LAST_LINES).join(' | ') || 'it wrote nothing';

/** Runs a program to its end and returns what it wrote; fails with what it wrote when it does not end well. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { user?: SystemUser | null; env?: NodeJS.ProcessEnv; signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<string> {
  const { user, env, signal, timeoutMs } = options;
  const { stdout, stderr } = await promisify(execFile)(command, args, {
    cwd: '/',
    maxBuffer: 64 * 1024 * 1024,
    ...user,
    ...(env === undefined ? {} : { env }),
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  });
  return stdout + stderr;
}

/** Whether a process lives; one that has ended and was not yet reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** What a process was started with, words separated by blanks; empty when there is no such process or nobody can tell. */
export async function commandLine(pid: number): Promise<string> {
  if (!isRunning(pid)) return '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return runProgram('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).then(
      (line) => line.trim(),
      () => '',
    );
  }
}

/** Ends any process by each signal in turn, waiting `graceMs` for each; returns when it is gone. */
export async function stopProcess(pid: number, signals: readonly NodeJS.Signals[], graceMs: number): Promise<void> {
  for (const signal of signals) {
    if (!isRunning(pid)) return;
    try {
      process.kill(pid, signal);
      await until({ ask: () => !isRunning(pid), withinMs: graceMs, everyMs: 20 });
    } catch {
      // Still there, or gone between the two lines: the next signal, or none.
    }
  }
}
