import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { environmentWith } from '../../../src/config.ts';
import type { Client } from '../../support/api.ts';

/** The product's entry points that a deployment runs, and the line of their log that says they are ready. */
const PROGRAMS = {
  api: { file: fileURLToPath(new URL('../../../src/main-api.ts', import.meta.url)), ready: 'api listening' },
  worker: { file: fileURLToPath(new URL('../../../src/main-worker.ts', import.meta.url)), ready: 'worker started' },
} as const;

/** Where a program finds its servers; as the environment variables of the same meaning. */
export interface Surroundings {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly taskQueue: string;
  /** Of the API; a worker has none. */
  readonly port?: number;
}

/** A process of the product, as in production. */
export interface Program {
  readonly pid: number;
  /** Settles once the process does its work; fails with the end of its log when it ends before that. */
  readonly ready: Promise<void>;
  /** Sends a signal and waits until the process is gone. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** The last lines that it wrote. */
  log(): readonly string[];
}

export const PLATFORM_KEY = 'platform-key-of-the-fault-tests';
const LINES_KEPT = 200;

/** Starts `npm run start:api` or `npm run start:worker` in a process of its own, which never outlives this one. */
export function startProgram(name: keyof typeof PROGRAMS, where: Surroundings): Program {
  const { file, ready } = PROGRAMS[name];
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environmentWith({
      DATABASE_URL: where.databaseUrl,
      TEMPORAL_ADDRESS: where.temporalAddress,
      TEMPORAL_TASK_QUEUE: where.taskQueue,
      PLATFORM_API_KEY: PLATFORM_KEY,
      PUBLIC_URL: 'http://api.test',
      PORT: String(where.port ?? 0),
      LOG_LEVEL: 'info',
    }),
  });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', endWithUs);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const lines: string[] = [];
  const isReady = new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n').filter((line) => line !== ''));
      lines.splice(0, lines.length - LINES_KEPT);
      if (text.includes(ready)) resolve();
    });
  });
  const endedEarly = ended.then(() => {
    throw new Error(`The ${name} ended before it was ready: ${lines.slice(-5).join(' | ')}`);
  });
  const started = Promise.race([isReady, endedEarly]);
  // Whoever kills a program before it is ready does not wait for it.
  started.catch(() => undefined);
  return {
    pid: child.pid as number,
    ready: started,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
    log: () => lines,
  };
}

/** Speaks to an API in a process of its own. */
export function clientAt(url: string, key: string, tenantId = ''): Client {
  const send: Client['send'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    tenantId,
    send,
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (path, body, headers) => send('POST', path, body, headers),
    put: (path, body, headers) => send('PUT', path, body, headers),
    delete: (path, headers) => send('DELETE', path, undefined, headers),
  };
}
