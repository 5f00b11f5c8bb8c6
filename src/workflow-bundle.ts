import { on } from 'node:events';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';

/** What the thread says: what its bundler warns of, then the code. */
export type Bundled = { readonly warning: string } | { readonly code: string };

/**
 * Bundles the workflow code, in a thread that ends with it: a bundler that was once loaded would stay in the worker's heap, as
 * large as all else there, and be looked through at each garbage collection.
 *
 * @throws when the code does not compile; what is wrong was logged.
 */
export async function bundleWorkflows(log: Logger): Promise<{ code: string }> {
  const thread = new Worker(join(import.meta.dirname, `workflow-bundle-thread${extname(import.meta.filename)}`));
  for await (const [said] of on(thread, 'message', { close: ['exit'] }) as AsyncIterable<[Bundled]>) {
    if ('code' in said) return said;
    log.warn(said.warning);
  }
  throw new Error('The thread that bundles the workflow code ended without it.');
}
