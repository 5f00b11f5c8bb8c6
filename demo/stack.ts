import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { dim, print, red } from './layout.ts';

const START = fileURLToPath(new URL('../src/start.ts', import.meta.url));
const READY = /^ +API +(\S+)\/api\/v1$/;
/** The levels of the log from which a line is an error, and is the end. */
const LEVEL = { error: 50, fatal: 60 } as const;

/**
 * Starts what `npm start` starts, in a process of its own. Its log is shown while it starts; afterwards only errors are.
 *
 * @param signal ends it at any time.
 * @throws       with the last line of its log when it does not come up.
 */
export async function startStack(signal: AbortSignal): Promise<{ url: string; stop(): Promise<void> }> {
  // A session of its own: Ctrl-C reaches the demo alone, which then ends the server in order.
  const child = spawn(process.execPath, [START], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  };
  signal.addEventListener('abort', () => void child.kill('SIGTERM'), { once: true });

  let isUp = false;
  let lastWord = 'it said nothing';
  createInterface(child.stderr).on('line', (line) => {
    const { level, msg } = read(line);
    if (level >= LEVEL.fatal) lastWord = msg;
    else if (level >= LEVEL.error) print(red(`  ${msg}`));
    else if (!isUp) print(dim(`  ${msg}`));
  });
  const url = await Promise.race([urlFrom(child.stdout), ended.then(() => null)]);
  if (url === null) {
    signal.throwIfAborted();
    throw new Error(`the server does not start: ${lastWord}`);
  }
  isUp = true;
  return { url, stop };
}

/** The address that the server says it listens on, once it is ready. */
function urlFrom(output: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface(output);
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const [, url] = READY.exec(line) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}

/** A line of the log; one that is no JSON is what it says. */
function read(line: string): { level: number; msg: string } {
  try {
    return JSON.parse(line) as { level: number; msg: string };
  } catch {
    return { level: LEVEL.error, msg: line };
  }
}
