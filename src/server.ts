import { Connection } from '@temporalio/client';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { type AppDeps, createApp } from './api/app.ts';
import { answerUnreadable } from './api/unreadable.ts';
import type { Database } from './db/database.ts';

export interface ServerDeps {
  readonly database: Database;
  readonly temporal: { address: string; namespace: string; taskQueue: string; uiUrl: string | null };
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly platformApiKey: string;
  readonly log: Logger;
  /** Base of the links in answers and documents; the address listened on unless given. */
  readonly publicUrl?: string;
  readonly rateLimit?: AppDeps['rateLimit'];
  readonly patience?: Partial<Patience>;
}

/** How long a connection may keep the server waiting, in milliseconds. */
export interface Patience {
  /** For the whole head of a request. */
  readonly headersMs: number;
  /** For a whole request, its body included. */
  readonly requestMs: number;
  /** For the next request: longer than load balancers wait (60 s), else they meet connections that have just been closed. */
  readonly keepAliveMs: number;
  /** While nothing moves in either direction: longer than any answer may take. */
  readonly silentMs: number;
}

const PATIENCE: Patience = { headersMs: 10_000, requestMs: 60_000, keepAliveMs: 65_000, silentMs: 120_000 };
/** How often the first two are looked at; it is the longest by which they are overrun. */
const CHECKS_EACH = 5;
const STOP_GRACE_MS = 10_000;
const IDLE_SWEEP_MS = 50;

/** Starts the API. It takes writes while Temporal is down: only `/readyz` asks for it. */
export async function startServer(deps: ServerDeps): Promise<{ url: string; stop(): Promise<void> }> {
  const { database, temporal, log } = deps;
  // Asked for its health alone. Without retries: one that fires after the connection was closed would end the process.
  const connection = Connection.lazy({ address: temporal.address, interceptors: [] });
  const server = createPatientServer({ ...PATIENCE, ...deps.patience });
  await listen(server, deps.host, deps.port);
  const { port } = server.address() as AddressInfo;
  const url = `http://${deps.host.includes(':') ? `[${deps.host}]` : deps.host}:${port}`;
  const app = createApp({
    database,
    log,
    platformApiKey: deps.platformApiKey,
    links: { publicUrl: (deps.publicUrl ?? url).replace(/\/+$/, ''), temporalUiUrl: namespacePage(temporal) },
    parts: {
      database: () => database.acrossTenants(({ em }) => em.execute('select 1')),
      temporal: () => connection.withDeadline(Date.now() + 1_500, () => connection.healthService.check({})),
    },
    ...(deps.rateLimit === undefined ? {} : { rateLimit: deps.rateLimit }),
  });
  const letGo = letGoOnStop(server);
  server.on('request', app);
  log.info({ url }, 'api listening');
  return {
    url,
    stop: async () => {
      letGo();
      await close(server);
      await connection.close();
    },
  };
}

function createPatientServer({ headersMs, requestMs, keepAliveMs, silentMs }: Patience): Server {
  const server = createServer({
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: headersMs / CHECKS_EACH,
  });
  answerUnreadable(server);
  return server.setTimeout(silentMs);
}

/** From its call on every answer says that its connection is closed after it: nobody sends another request into the close. */
function letGoOnStop(server: Server): () => void {
  const open = new Set<ServerResponse>();
  let isStopping = false;
  const close = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  server.on('request', (_request, response) => {
    if (isStopping) close(response);
    open.add(response);
    response.once('close', () => open.delete(response));
  });
  return () => {
    isStopping = true;
    for (const response of open) close(response);
  };
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });

/** Takes no more requests, lets those under way finish, and cuts off what is still open after ten seconds. */
const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    // A connection that becomes idle after the call would be kept alive for the next request.
    const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
    const cut = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
  });

/** Where the Temporal UI shows the namespace that the workflows are in. */
const namespacePage = ({ uiUrl, namespace }: { uiUrl: string | null; namespace: string }): string | null =>
  uiUrl === null ? null : `${uiUrl.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}`;
