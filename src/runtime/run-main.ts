import type { Logger } from 'pino';
import { type Config, ConfigError } from '../config.ts';
import { createLog } from './log.ts';
import { keepRunningParts, type RunningParts } from './running-parts.ts';

/** npm passes Ctrl-C on to a process that the terminal has told already: two signals this close are one. */
const SAME_SIGNAL_MS = 1_000;
const STOP_MS = 25_000;

/** What the start of a process is given. */
export interface Main {
  readonly config: Config;
  readonly log: Logger;
  /** Each part is added as soon as it runs. */
  readonly parts: RunningParts;
  /** Aborted when the process is asked to stop while it still starts: look at it between two parts. */
  readonly signal: AbortSignal;
}

/**
 * Runs a process: starts its parts, waits for SIGTERM or SIGINT, stops what was started in reverse order, and exits with 0.
 * A second signal exits at once. A part that cannot start is one line in the log, what was started is stopped, exit code 1.
 */
export async function runMain(read: () => Config, start: (main: Main) => Promise<void>): Promise<never> {
  const config = configOrExit(read);
  const log = createLog(config.logLevel);
  const parts = keepRunningParts({ log, withinMs: STOP_MS });
  const signal = listenForSignals(log);
  let exitCode = 0;
  try {
    await start({ config, log, parts, signal });
    await untilAborted(signal);
  } catch (error) {
    if (!signal.aborted) {
      log.fatal(error instanceof Error ? error.message : String(error));
      log.debug(error as Error);
      exitCode = 1;
    }
  }
  await parts.stopAll();
  process.exit(exitCode);
}

function configOrExit(read: () => Config): Config {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
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

/** A listener for an abort does not keep a process alive, a timer does. */
const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const alive = setInterval(() => undefined, 3_600_000);
    const end = () => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
