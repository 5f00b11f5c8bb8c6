import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Logger } from 'pino';
import { choosePorts } from './ports.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { clusterFolder, postgresUser } from './postgres-user.ts';
import {
  commandLine,
  runProgram,
  type ServerProcess,
  startProcess,
  stopProcess,
  type SystemUser,
} from './processes.ts';
import { keepSecret } from './secret.ts';
import { readyOrStopped, supervise } from './supervise.ts';
import { until } from './until.ts';

/** A PostgreSQL server of our own on loopback. */
export interface RunningPostgres {
  /** Connection string of the superuser on the database `tributary`. */
  readonly ownerUrl: string;
  stop(): Promise<void>;
}

interface Cluster extends PostgresBinaries {
  readonly folder: string;
  readonly user: SystemUser | null;
  readonly password: string;
  readonly isDurable: boolean;
}

const DATABASE = 'tributary';
const START_ATTEMPTS = 3;
/** Crash recovery after a kill has to fit. */
const START_MS = 120_000;
/** A fast shutdown, then an immediate one; the next start recovers from the latter. */
const STOP_SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const;
const STOP_MS = 20_000;

/**
 * Starts PostgreSQL on the cluster in `<dataDir>/postgres`, which the first start makes. A server left over from a killed
 * run of the same folder is stopped first: the caller holds the folder, so nobody else is using it.
 *
 * @param options.dataDir  absolute path; holds the cluster, its password (mode 600) and the server's log.
 * @param options.durable  false trades crash safety for speed: for tests only.
 */
export async function startPostgres(options: {
  dataDir: string;
  log: Logger;
  durable?: boolean;
}): Promise<RunningPostgres> {
  const { dataDir, log, durable = true } = options;
  const say = (line: string) => log.warn(line);
  await mkdir(dataDir, { recursive: true });
  const user = await postgresUser();
  const cluster: Cluster = {
    ...(await postgresBinaries({ user, say })),
    folder: await clusterFolder(join(dataDir, 'postgres'), user, say),
    user,
    password: (await keepSecret(join(dataDir, 'postgres-password'))).secret,
    isDurable: durable,
  };
  await stopLeftover(cluster, log);
  await initialise(cluster, log);
  return startServer(cluster, dataDir, log);
}

/** The first line of postmaster.pid is the process, the second its cluster. */
async function stopLeftover({ folder }: Cluster, log: Logger): Promise<void> {
  const pidFile = await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(pidFile.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !(await commandLine(pid)).includes(folder)) return;
  log.warn({ leftover: pid }, 'stopping the PostgreSQL of a run that was killed');
  await stopProcess(pid, STOP_SIGNALS, STOP_MS);
}

/** Made beside its place and moved there when it is whole; a cluster that exists is never touched. */
async function initialise(cluster: Cluster, log: Logger): Promise<void> {
  const { folder, user, password, initdb, isDurable } = cluster;
  if (await exists(join(folder, 'PG_VERSION'))) return;
  log.info('making the database cluster');
  const draft = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    for (const path of [draft, passwordFile]) await give(path, user);
    // prettier-ignore
    const args = [
      `--pgdata=${draft}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256',
      '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
      '--no-instructions', ...(isDurable ? [] : ['--no-sync']),
    ];
    await runProgram(initdb, args, { user });
    await rename(draft, folder);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

const give = async (path: string, user: SystemUser | null): Promise<void> =>
  user === null ? undefined : chown(path, user.uid, user.gid);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Somebody may take the port between choosing and listening: then another is chosen. */
async function startServer(cluster: Cluster, dataDir: string, log: Logger, attempt = 1): Promise<RunningPostgres> {
  const { port } = await choosePorts(attempt === 1 ? join(dataDir, 'postgres-port.json') : null, ['port']);
  const url = new URL(`postgresql://postgres@127.0.0.1:${port}/postgres`);
  url.password = cluster.password;
  const launch = async () => {
    const server = await startProcess({
      name: 'PostgreSQL',
      command: cluster.postgres,
      args: ['-D', cluster.folder, ...settings(cluster, port).flatMap((setting) => ['-c', setting])],
      logFile: join(dataDir, 'postgres.log'),
      user: cluster.user,
    });
    const becomeReady = () =>
      until({ ask: () => makeDatabase(url.toString()), withinMs: START_MS, giveUp: () => server.assertRunning() });
    return readyOrStopped(server, becomeReady, stopServer);
  };
  try {
    const supervised = await supervise({ name: 'PostgreSQL', launch, stop: stopServer, log });
    return { ownerUrl: Object.assign(new URL(url), { pathname: `/${DATABASE}` }).toString(), stop: supervised.stop };
  } catch (error) {
    if (attempt < START_ATTEMPTS) return startServer(cluster, dataDir, log, attempt + 1);
    throw error;
  }
}

const stopServer = (server: ServerProcess): Promise<void> => server.stop(STOP_SIGNALS, STOP_MS);

// prettier-ignore
const settings = ({ isDurable }: Cluster, port: number): string[] => [
  `port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=',
  'max_connections=200', 'shared_buffers=256MB', 'max_wal_size=2GB', 'random_page_cost=1.1', 'jit=off',
  'timezone=UTC', 'log_timezone=UTC', 'log_min_messages=warning',
  ...(isDurable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'autovacuum=off']),
];

async function makeDatabase(connectionString: string): Promise<true> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
    return true;
  } finally {
    await client.end();
  }
}
