import { fork } from 'node:child_process';
import { on } from 'node:events';
import { extname, join } from 'node:path';
import type { Logger } from 'pino';

/** What the process says: what its bundler warns of, then the code or why there is none. */
export type Bundled = { readonly warning: string } | { readonly code: string } | { readonly failure: string };

/**
 * Bundles the workflow code, in a process that ends with it: a bundler that was once loaded would stay in the worker's heap, as
 * large as all else there, and be looked through at each garbage collection. A thread will not do: the bundler's compiler
 * crashes when a second thread loads it.
 *
 * @throws when the code does not compile; what is wrong was logged.
 */
export async function bundleWorkflows(log: Logger): Promise<{ code: string }> {
  const file = join(import.meta.dirname, `workflow-bundle-process${extname(import.meta.filename)}`);
  const bundler = fork(file, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  for await (const [said] of on(bundler, 'message', { close: ['disconnect'] }) as AsyncIterable<[Bundled]>) {
    if ('code' in said) return said;
    if ('failure' in said) throw new Error(said.failure);
    log.warn(said.warning);
  }
  throw new Error('The process that bundles the workflow code ended without it.');
}
