import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

/** What was started, so that it can be stopped in reverse order. */
export interface RunningParts {
  /** Remembers how to stop a part that has just been started. */
  add(name: string, stop: () => Promise<void>): void;
  /** Stops everything, the youngest first; a part that does not end in time is left behind with a line in the log. */
  stopAll(): Promise<void>;
}

/**
 * Keeps the parts of a process that are running.
 *
 * @param options.withinMs  how long each part may take to stop.
 */
export function keepRunningParts(options: { log: Logger; withinMs: number }): RunningParts {
  const { log, withinMs } = options;
  const parts: { name: string; stop: () => Promise<void> }[] = [];
  const stopAll = async () => {
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) await stopOne(part);
  };
  const stopOne = async ({ name, stop }: (typeof parts)[number]) => {
    const tooLong = new AbortController();
    try {
      const end = await Promise.race([stop(), delay(withinMs, 'late' as const, { signal: tooLong.signal })]);
      if (end === 'late') log.error(`${name} did not stop within ${withinMs / 1000} s.`);
      else log.info(`${name} stopped`);
    } catch (error) {
      log.error(error, `${name} did not stop cleanly`);
    } finally {
      tooLong.abort();
    }
  };
  let stopping: Promise<void> | null = null;
  return { add: (name, stop) => void parts.push({ name, stop }), stopAll: () => (stopping ??= stopAll()) };
}
