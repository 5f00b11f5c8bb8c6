import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ServerProcess } from './processes.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Keeps a server running: one that ends by itself is launched again, at the same address, with growing pauses between
 * attempts that fail. What cannot be launched the first time is the caller's to handle.
 *
 * @param options.launch  starts the server and returns when it is ready.
 */
export async function supervise(options: {
  name: string;
  launch: () => Promise<ServerProcess>;
  stop: (server: ServerProcess) => Promise<void>;
  log: Logger;
}): Promise<{ stop(): Promise<void> }> {
  const { name, launch, stop, log } = options;
  const stopRequest = new AbortController();
  let server = await launch();

  const relaunch = async (pauseMs: number): Promise<void> => {
    await delay(pauseMs, undefined, { signal: stopRequest.signal });
    try {
      server = await launch();
      log.warn(`${name} runs again`);
    } catch (error) {
      log.error(`${name} does not start: ${(error as Error).message}`);
      await relaunch(Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
    }
  };
  const watch = async (): Promise<void> => {
    while (!stopRequest.signal.aborted) {
      await server.ended;
      if (stopRequest.signal.aborted) return;
      log.error(`${name} ended by itself: starting it again`);
      await relaunch(FIRST_PAUSE_MS).catch(() => undefined);
    }
  };
  const watching = watch();
  return {
    stop: async () => {
      stopRequest.abort();
      await stop(server);
      await watching;
      await stop(server);
    },
  };
}

/** Waits until a server that was just started is ready; one that does not get there is stopped. */
export async function readyOrStopped(
  server: ServerProcess,
  becomeReady: () => Promise<void>,
  stop: (server: ServerProcess) => Promise<void>,
): Promise<ServerProcess> {
  try {
    await becomeReady();
    return server;
  } catch (error) {
    await stop(server);
    throw error;
  }
}
