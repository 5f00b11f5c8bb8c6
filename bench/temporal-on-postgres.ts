import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { environmentWith } from '../src/config.ts';
import { startPostgres } from '../src/runtime/embedded-postgres.ts';
import { isPortFree } from '../src/runtime/ports.ts';
import { runProgram, type ServerProcess, startProcess } from '../src/runtime/processes.ts';
import { readyOrStopped } from '../src/runtime/supervise.ts';
import { until } from '../src/runtime/until.ts';
import { findTemporalServer, type ServerPrograms } from './obtain-temporal-server.ts';

/** A Temporal server whose state is in a PostgreSQL of its own, so that the cost of each is seen apart. */
export interface TemporalOnPostgres {
  readonly address: string;
  readonly pid: number;
  /** The superuser's connection string to the cluster that holds the server's state. */
  readonly stateUrl: string;
  stop(): Promise<void>;
}

const NAMESPACE = 'default';
const SHARDS = 4;
const START_MS = 60_000;
const STOP_MS = 10_000;
const ALREADY_EXISTS = 6;
const PORTS = ['frontend', 'matching', 'history', 'worker'] as const;
const MEMBERSHIP = ['frontendGossip', 'matchingGossip', 'historyGossip', 'workerGossip'] as const;
type Ports = Record<(typeof PORTS)[number] | (typeof MEMBERSHIP)[number], number>;

/**
 * Starts it on free ports of loopback.
 *
 * @param options.dataDir  an empty folder that both servers may fill.
 * @param options.fairness whether tenants take turns in a backlog of tasks.
 */
export async function startTemporalOnPostgres(options: {
  dataDir: string;
  fairness: boolean;
  log: Logger;
}): Promise<TemporalOnPostgres> {
  const { dataDir, fairness, log } = options;
  const programs = await findTemporalServer(log);
  await mkdir(dataDir, { recursive: true, mode: 0o755 });
  const state = await startPostgres({ dataDir, log });
  try {
    await makeDatabases(programs, state.ownerUrl);
    const ports = await lowPorts();
    await writeSettings(dataDir, { ports, stateUrl: state.ownerUrl, fairness });
    const server = await launch(programs.server, dataDir, ports.frontend);
    const stop = async () => {
      await stopServer(server);
      await state.stop();
    };
    return { address: `127.0.0.1:${ports.frontend}`, pid: server.pid, stateUrl: state.ownerUrl, stop };
  } catch (error) {
    await state.stop();
    throw error;
  }
}

/** Free ports that fit into the two bytes with a sign that the server's tables have for them. */
async function lowPorts(): Promise<Ports> {
  const [from, to] = [20_000, 32_767];
  const found: number[] = [];
  const names = [...PORTS, ...MEMBERSHIP];
  for (let port = from + Math.floor(Math.random() * (to - from) * 0.9); found.length < names.length; port += 1) {
    if (port > to) throw new Error(`No free ports below ${to}.`);
    if (await isPortFree('127.0.0.1', port)) found.push(port);
  }
  return Object.fromEntries(names.map((name, index) => [name, found[index]])) as Ports;
}

const stopServer = (server: ServerProcess): Promise<void> => server.stop(['SIGTERM', 'SIGKILL'], STOP_MS);

async function makeDatabases({ sql }: ServerPrograms, stateUrl: string): Promise<void> {
  const { hostname, port, username, password } = new URL(stateUrl);
  const env = environmentWith({ SQL_PASSWORD: password });
  for (const [database, schema] of [
    ['temporal', 'temporal'],
    ['temporal_visibility', 'visibility'],
  ] as const) {
    const tool = (...args: string[]) =>
      // prettier-ignore
      runProgram(sql, ['--plugin', 'postgres12_pgx', '--ep', hostname, '--port', port, '--user', username, '--database', database, ...args], { env });
    await tool('create-database');
    await tool('setup-schema', '--version', '0.0');
    await tool('update-schema', '--schema-name', `postgresql/v12/${schema}`);
  }
}

/** The server reads YAML, and JSON is YAML. */
async function writeSettings(folder: string, on: { ports: Ports; stateUrl: string; fairness: boolean }): Promise<void> {
  const dynamicFile = join(folder, 'dynamic.yaml');
  const write = (file: string, content: object) => writeFile(file, JSON.stringify(content), { mode: 0o600 });
  await write(dynamicFile, dynamicSettings(on.fairness));
  await write(join(folder, 'bench.yaml'), settings(on, dynamicFile));
}

function settings({ ports, stateUrl }: { ports: Ports; stateUrl: string }, dynamicFile: string): object {
  const { host, username, password } = new URL(stateUrl);
  const store = (databaseName: string, maxConns: number) => ({
    sql: {
      pluginName: 'postgres12_pgx',
      databaseName,
      connectAddr: host,
      connectProtocol: 'tcp',
      user: username,
      password,
      maxConns,
      maxIdleConns: maxConns,
      maxConnLifetime: '1h',
    },
  });
  const rpc = (name: (typeof PORTS)[number]) => ({
    rpc: { grpcPort: ports[name], membershipPort: ports[`${name}Gossip`], bindOnIP: '127.0.0.1' },
  });
  return {
    log: { stdout: true, level: 'error' },
    persistence: {
      defaultStore: 'state',
      visibilityStore: 'visibility',
      numHistoryShards: SHARDS,
      datastores: { state: store('temporal', 20), visibility: store('temporal_visibility', 10) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(PORTS.map((name) => [name, rpc(name)])),
    clusterMetadata: {
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `127.0.0.1:${ports.frontend}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamicFile, pollInterval: '1m' },
  };
}

/** The first is what the development server has too: search attributes can be used as soon as they are registered. */
function dynamicSettings(fairness: boolean): object {
  const values = {
    'system.forceSearchAttributesCacheRefreshOnRead': true,
    'frontend.persistenceMaxQPS': 10_000,
    'history.persistenceMaxQPS': 45_000,
    'matching.enableFairness': fairness,
    'matching.useNewMatcher': fairness,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [{ value }]]));
}

async function launch(command: string, folder: string, port: number): Promise<ServerProcess> {
  const server = await startProcess({
    name: 'Temporal on PostgreSQL',
    command,
    args: ['--root', folder, '--config', '.', '--env', 'bench', '--allow-no-auth', 'start'],
    logFile: join(folder, 'temporal.log'),
  });
  return readyOrStopped(server, () => makeNamespace(server, `127.0.0.1:${port}`), stopServer);
}

async function makeNamespace(server: ServerProcess, address: string): Promise<void> {
  const connection = Connection.lazy({ address, connectTimeout: START_MS });
  const { workflowService } = connection;
  const register = async () => {
    const workflowExecutionRetentionPeriod = msToTs('1 day');
    try {
      await workflowService.registerNamespace({ namespace: NAMESPACE, workflowExecutionRetentionPeriod });
    } catch (error) {
      if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
    }
    // Its caches learn of it a little later; what lists workflows is the last to know.
    await workflowService.listWorkflowExecutions({ namespace: NAMESPACE });
    return true;
  };
  try {
    await until({ ask: register, withinMs: START_MS, giveUp: () => server.assertRunning() });
  } finally {
    await connection.close();
  }
}
