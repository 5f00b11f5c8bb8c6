import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again and again until the answer is neither false nor a failure.
 *
 * @param options.ask        a question that may fail while the thing asked for is not there yet.
 * @param options.withinMs   after this long the last failure is thrown.
 * @param options.everyMs    pause between two questions.
 * @param options.giveUp     throws when waiting has become pointless, such as after the end of a process.
 */
export async function until(options: {
  ask: () => Promise<boolean> | boolean;
  withinMs: number;
  everyMs?: number;
  giveUp?: () => void;
}): Promise<void> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    options.giveUp?.();
    const failure = await attempt(options.ask);
    if (failure === null) return;
    if (performance.now() > deadline) throw failure;
    await delay(options.everyMs ?? 50);
  }
}

async function attempt(ask: () => Promise<boolean> | boolean): Promise<unknown> {
  try {
    return (await ask()) ? null : new Error('It did not get ready in time.');
  } catch (error) {
    return error;
  }
}
