import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Logger } from 'pino';
import { environmentWith, machinePaths } from '../src/config.ts';
import { reasonOf } from '../src/runtime/obtain-temporal.ts';
import { runProgram } from '../src/runtime/processes.ts';

/** The server inside of the command line that `npm start` uses, so that both are measured alike. */
export const SERVER_VERSION = '1.29.1';

/** The programs of a Temporal server that keeps its state in PostgreSQL. */
export interface ServerPrograms {
  readonly server: string;
  /** Makes and migrates the server's databases. */
  readonly sql: string;
}

const GO_HOMES = ['/usr/local/go/bin', '/usr/lib/go/bin', '/opt/homebrew/bin'];
const BUILD_MS = 30 * 60_000;
const PROGRESS_MS = 15_000;

/**
 * Finds the server in the cache, or builds it with Go, once on a machine.
 *
 * @throws when Go is missing or the build fails, with the cure.
 */
export async function findTemporalServer(log: Logger): Promise<ServerPrograms> {
  const cache = join(machinePaths().cacheHome ?? join(homedir(), '.cache'), 'tributary');
  const folder = join(cache, `temporal-server-${SERVER_VERSION}`);
  if (!(await exists(folder))) {
    await mkdir(cache, { recursive: true });
    await build(cache, folder, log);
  }
  return { server: join(folder, 'server'), sql: join(folder, 'sql') };
}

/** In a folder of its own, moved when it is whole: nobody ever sees a part of it. */
async function build(cache: string, folder: string, log: Logger): Promise<void> {
  const began = performance.now();
  const say = () =>
    log.info(
      `building Temporal server ${SERVER_VERSION} with Go … ${Math.round((performance.now() - began) / 1000)} s`,
    );
  const ticking = setInterval(say, PROGRESS_MS);
  say();
  const draft = await mkdtemp(join(cache, 'draft-server-'));
  const path = [...machinePaths().searchPath, ...GO_HOMES].join(delimiter);
  const modules = ['server', 'tools/sql'].map((name) => `go.temporal.io/server/cmd/${name}@v${SERVER_VERSION}`);
  try {
    await runProgram('go', ['install', ...modules], {
      env: environmentWith({ GOBIN: draft, PATH: path }),
      timeoutMs: BUILD_MS,
    });
    await rename(draft, folder);
  } catch (error) {
    // Another bench may have built it meanwhile.
    if (await exists(folder)) return;
    throw new Error(
      `No Temporal server on PostgreSQL: go ${reasonOf(error)}. Install Go, or measure with --on=sqlite.`,
      {
        cause: error,
      },
    );
  } finally {
    clearInterval(ticking);
    await rm(draft, { recursive: true, force: true });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
