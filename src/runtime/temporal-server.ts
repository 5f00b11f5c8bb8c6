import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { choosePorts } from './ports.ts';
import { commandLine, type ServerProcess, startProcess, stopProcess } from './processes.ts';
import { readyOrStopped, supervise } from './supervise.ts';
import { until } from './until.ts';

/** A Temporal server of our own on loopback. */
export interface RunningTemporal {
  /** `host:port` of the frontend. */
  readonly address: string;
  readonly uiUrl: string;
  stop(): Promise<void>;
}

interface Launch {
  readonly binary: string;
  /** Holds the log and, when `isKept`, everything that the server must find again. */
  readonly folder: string;
  readonly isKept: boolean;
  readonly namespace: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

const START_ATTEMPTS = 3;
const START_MS = 60_000;
const STOP_SIGNALS = ['SIGTERM', 'SIGKILL'] as const;
const STOP_MS = 10_000;
/** Closed workflows stay in the UI for this long; the server's own default is a day. */
const RETENTION = '90 days';
/** Tenants take turns where workflows begin (docs/scaling.md). */
const SETTINGS = { 'matching.enableFairness': true };

/**
 * Starts the Temporal development server and waits until its namespace answers. A server left over from a killed run of the
 * same folder is stopped first: the caller holds the folder, so nobody else is using it.
 *
 * @param options.dataDir   absolute path of the folder that keeps the workflows; null keeps them in memory.
 * @param options.settings  the server's dynamic configuration by its own names, beside what billing asks of it.
 */
export async function startTemporal(options: {
  binary: string;
  dataDir: string | null;
  namespace: string;
  log: Logger;
  settings?: Readonly<Record<string, string | number | boolean>>;
}): Promise<RunningTemporal> {
  const { binary, dataDir, namespace, log, settings = {} } = options;
  const isKept = dataDir !== null;
  const folder = isKept
    ? join(dataDir, 'temporal')
    : await mkdtemp(join(tmpdir(), `tributary-temporal-${process.pid}-`));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (isKept) await stopLeftover(folder, log);
  return startServer({ binary, folder, isKept, namespace, settings: { ...SETTINGS, ...settings } }, log);
}

const databaseFile = (folder: string): string => join(folder, 'temporal.db');
const pidFile = (folder: string): string => join(folder, 'server.pid');

async function stopLeftover(folder: string, log: Logger): Promise<void> {
  const pid = Number(await readFile(pidFile(folder), 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 1 || !(await commandLine(pid)).includes(databaseFile(folder))) return;
  log.warn({ leftover: pid }, 'stopping the Temporal server of a run that was killed');
  await stopProcess(pid, STOP_SIGNALS, STOP_MS);
}

/** Somebody may take a port between choosing and listening: then others are chosen. */
async function startServer(plan: Launch, log: Logger, attempt = 1): Promise<RunningTemporal> {
  const { folder, isKept } = plan;
  const ports = await choosePorts(isKept && attempt === 1 ? join(folder, 'ports.json') : null, ['frontend', 'ui']);
  const address = `127.0.0.1:${ports.frontend}`;
  const uiUrl = `http://127.0.0.1:${ports.ui}`;
  try {
    const launch = () => launchServer(plan, { address, uiUrl, ports });
    const supervised = await supervise({ name: 'Temporal', launch, stop: stopServer, log });
    const stop = async () => {
      await supervised.stop();
      if (!isKept) await rm(folder, { recursive: true, force: true });
    };
    return { address, uiUrl, stop };
  } catch (error) {
    if (attempt < START_ATTEMPTS) return startServer(plan, log, attempt + 1);
    throw error;
  }
}

const stopServer = (server: ServerProcess): Promise<void> => server.stop(STOP_SIGNALS, STOP_MS);

async function launchServer(
  plan: Launch,
  place: { address: string; uiUrl: string; ports: { frontend: number; ui: number } },
): Promise<ServerProcess> {
  const { binary, folder, isKept, namespace, settings } = plan;
  const { address, uiUrl, ports } = place;
  // prettier-ignore
  const args = [
    'server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.frontend), '--ui-port', String(ports.ui),
    '--namespace', namespace, '--log-level', 'error',
    ...Object.entries(settings).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${value}`]),
    ...(isKept ? ['--db-filename', databaseFile(folder)] : []),
  ];
  const server = await startProcess({ name: 'Temporal', command: binary, args, logFile: join(folder, 'server.log') });
  await writeFile(pidFile(folder), String(server.pid));
  return readyOrStopped(server, () => becomeReady({ server, address, uiUrl, namespace }), stopServer);
}

async function becomeReady(options: {
  server: ServerProcess;
  address: string;
  uiUrl: string;
  namespace: string;
}): Promise<void> {
  const { server, address, uiUrl, namespace } = options;
  const connection = Connection.lazy({ address, connectTimeout: START_MS });
  const within = { withinMs: START_MS, giveUp: () => server.assertRunning() };
  try {
    const ask = () =>
      connection.withDeadline(Date.now() + 2_000, () =>
        connection.workflowService.updateNamespace({
          namespace,
          config: { workflowExecutionRetentionTtl: msToTs(RETENTION) },
        }),
      );
    await until({ ask: async () => Boolean(await ask()), ...within });
    await until({ ask: async () => (await fetch(uiUrl, { signal: AbortSignal.timeout(2_000) })).ok, ...within });
  } finally {
    await connection.close();
  }
}
