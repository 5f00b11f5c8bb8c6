import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { createApp } from '../../src/api/app.ts';
import type { PartCheck } from '../../src/api/health.ts';
import type { Route } from '../../src/api/route.ts';
import type { Clock } from '../../src/db/clock.ts';
import { createTestDatabase, quietLog, type TestDatabase } from './database.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; text when it is none; undefined when there is no body. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at whatever came back
  readonly body: any;
}

/** Speaks to the API as one key. Paths are below `/api/v1` unless they begin with `//`, which is the root. */
export interface Client {
  readonly tenantId: string;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  put(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  delete(path: string, headers?: Record<string, string>): Promise<Reply>;
  /** Any request; a body that is text or bytes is sent as it is. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
}

export interface TestApi {
  readonly url: string;
  readonly db: TestDatabase;
  readonly platform: Client;
  /** Signs a tenant up and answers as its admin. */
  tenant(mode?: 'TEST' | 'LIVE'): Promise<Client>;
  /** A client with any key, or with none. */
  as(key: string | null, tenantId?: string): Client;
  close(): Promise<void>;
}

export const PLATFORM_KEY = 'platform-key-of-the-tests';

/** The product's HTTP application on a database of its own; every answer is checked against its schema. */
export async function startTestApi(
  options: {
    clock?: Clock;
    /** One to use and to leave open, in place of one of its own. */
    db?: TestDatabase;
    routes?: readonly Route[];
    rateLimit?: { requests: number; seconds: number };
    parts?: Record<string, PartCheck>;
    log?: Logger;
  } = {},
): Promise<TestApi> {
  const { clock, routes, parts, log = quietLog, rateLimit = { requests: 1_000_000, seconds: 10 } } = options;
  const db = options.db ?? (await createTestDatabase(clock === undefined ? {} : { clock }));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const app = createApp({
    database: db.database,
    log,
    platformApiKey: PLATFORM_KEY,
    links: { publicUrl: url, temporalUiUrl: null },
    parts: parts ?? { database: () => db.database.acrossTenants(({ em }) => em.execute('select 1')) },
    rateLimit,
    checkAnswers: true,
    ...(routes === undefined ? {} : { routes }),
  });
  server.on('request', app);
  const as = (key: string | null, tenantId = '') => clientOf(url, key, tenantId);
  const platform = as(PLATFORM_KEY);
  return {
    url,
    db,
    platform,
    as,
    tenant: async (mode = 'TEST') => {
      const { body } = await platform.post('/tenants', { name: `Tenant ${mode}`, mode });
      return as(body.apiKey, body.id);
    },
    close: async () => {
      await stop(server);
      if (options.db === undefined) await db.close();
    },
  };
}

function clientOf(url: string, key: string | null, tenantId: string): Client {
  const send: Client['send'] = async (method, path, body, headers = {}) => {
    const target = path.startsWith('//') ? `${url}${path.slice(1)}` : `${url}/api/v1${path}`;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(target, {
      method,
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
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

const parsed = (text: string): unknown => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
