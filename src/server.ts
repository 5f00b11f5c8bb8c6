import { Connection } from '@temporalio/client';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { createApp } from './api/app.ts';
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
}

const STOP_GRACE_MS = 10_000;
const IDLE_SWEEP_MS = 50;

/** Starts the API. It takes writes while Temporal is down: only `/readyz` asks for it. */
export async function startServer(deps: ServerDeps): Promise<{ url: string; stop(): Promise<void> }> {
  const { database, temporal, log } = deps;
  // Asked for its health alone. Without retries: one that fires after the connection was closed would end the process.
  const connection = Connection.lazy({ address: temporal.address, interceptors: [] });
  const server = createServer();
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
  });
  server.on('request', app);
  log.info({ url }, 'api listening');
  return {
    url,
    stop: async () => {
      await close(server);
      await connection.close();
    },
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
