import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

// `npm run dev`: `npm start`, started again after each change below src. Node's own --watch cannot be used: it sends messages
// through the threads of the Temporal worker, which takes them for its own and ends.

const QUIET_MS = 300;
const stopRequest = new AbortController();
let server = start();

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopRequest.abort(signal));
void restartOnChange();
await once(stopRequest.signal, 'abort');
await stop(server);
process.exit(0);

function start(): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./start.ts', import.meta.url))], { stdio: 'inherit' });
  child.on('exit', (code) => {
    if (code !== 0 && !stopRequest.signal.aborted) process.stderr.write('Waiting for a change below src …\n');
  });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** An editor writes several files at once: the restart waits until they are quiet. */
async function restartOnChange(): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let restart = Promise.resolve();
  const folder = fileURLToPath(new URL('.', import.meta.url));
  for await (const { filename } of watch(folder, { recursive: true })) {
    if (filename?.endsWith('.ts') !== true) continue;
    clearTimeout(timer);
    timer = setTimeout(() => {
      process.stderr.write(`${filename} changed: starting again\n`);
      restart = restart
        .then(() => stop(server))
        .then(() => {
          if (!stopRequest.signal.aborted) server = start();
        });
    }, QUIET_MS);
  }
}
