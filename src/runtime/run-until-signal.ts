import type { Logger } from 'pino';
import { keepRunningParts, type RunningParts } from './running-parts.ts';

/** npm passes Ctrl-C on to a process that the terminal has told already: two signals this close are one. */
const SAME_SIGNAL_MS = 1_000;
const STOP_MS = 25_000;

/**
 * Runs a process: starts its parts, waits for SIGTERM or SIGINT, stops what was started in reverse order, and exits with 0.
 * A second signal exits at once. A part that cannot start is one line in the log, what was started is stopped, exit code 1.
 *
 * @param start  starts the parts and adds each; looks at the signal between two of them, for it may be aborted meanwhile.
 */
export async function runUntilSignal(
  log: Logger,
  start: (parts: RunningParts, signal: AbortSignal) => Promise<void>,
): Promise<never> {
  const parts = keepRunningParts({ log, withinMs: STOP_MS });
  const stopRequest = listenForSignals(log);
  let exitCode = 0;
  try {
    await start(parts, stopRequest);
    await untilAborted(stopRequest);
  } catch (error) {
    if (!stopRequest.aborted) {
      log.fatal(oneLine(error));
      log.debug(error as Error);
      exitCode = 1;
    }
  }
  await parts.stopAll();
  process.exit(exitCode);
}

function listenForSignals(log: Logger): AbortSignal {
  const stopRequest = new AbortController();
  let firstAt: number | null = null;
  const onSignal = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (firstAt === null) {
      firstAt = now;
      log.info(`${signal}: stopping`);
      stopRequest.abort();
    } else if (now - firstAt > SAME_SIGNAL_MS) {
      log.warn(`${signal} again: not waiting any longer`);
      process.exit(1);
    }
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  return stopRequest.signal;
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** What a person needs first; a failure of several connections at once carries its reasons inside. */
function oneLine(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(oneLine).join('; ');
  return error instanceof Error ? error.message : String(error);
}
