import { join } from 'node:path';
import { type Config, readConfig } from './config.ts';
import { type Database, openDatabase } from './db/database.ts';
import { claimDataDir } from './runtime/data-dir.ts';
import { startPostgres } from './runtime/embedded-postgres.ts';
import { choosePorts, isPortFree } from './runtime/ports.ts';
import { type Main, runMain } from './runtime/run-main.ts';
import { keepSecret } from './runtime/secret.ts';
import { findTemporal } from './runtime/temporal-binary.ts';
import { startTemporal } from './runtime/temporal-server.ts';
import { withCure } from './runtime/with-cure.ts';
import { startServer } from './server.ts';
import { startWorker } from './worker.ts';

// `npm start`: everything on loopback, in the order in which the parts need each other.

await runMain(readConfig, async (start) => {
  const { config, log, parts, signal } = start;
  const port = await freePort(config);
  parts.add('hold on the data folder', await claimDataDir(config.dataDir));
  const platform = await platformKey(config);

  const database = await startDatabase(start);
  signal.throwIfAborted();
  const temporal = {
    ...(await startWorkflows(start)),
    namespace: config.temporalNamespace,
    taskQueue: config.temporalTaskQueue,
  };
  signal.throwIfAborted();

  const publicUrl = config.publicUrl ?? localUrl(config.host, port);
  const worker = await withCure(`The worker does not start on ${temporal.address}`, 'Look at TEMPORAL_ADDRESS.', () =>
    startWorker({ database, temporal, log, publicUrl }),
  );
  parts.add('worker', worker.stop);
  signal.throwIfAborted();
  const api = await withCure(`Nothing can listen on ${config.host}:${port}`, 'Set another PORT, or HOST.', () =>
    startServer({ database, temporal, host: config.host, port, platformApiKey: platform.secret, log, publicUrl }),
  );
  parts.add('api', api.stop);
  process.stdout.write(banner({ publicUrl, uiUrl: temporal.uiUrl, platform }));
});

/** Said before anything slow is begun. */
async function freePort(config: Config): Promise<number> {
  if (config.port === 0) return (await choosePorts(null, ['port'])).port;
  if (await isPortFree(config.host, config.port)) return config.port;
  throw new Error(`Nothing can listen on ${config.host}:${config.port}, it may be taken: set another PORT, or HOST.`);
}

async function startDatabase({ config, log, parts }: Main): Promise<Database> {
  let ownerUrl = config.databaseUrl;
  if (ownerUrl === null) {
    log.info('starting PostgreSQL');
    const postgres = await withCure('PostgreSQL does not start', 'Set DATABASE_URL to one that runs.', () =>
      startPostgres({ dataDir: config.dataDir, log }),
    );
    parts.add('PostgreSQL', postgres.stop);
    ownerUrl = postgres.ownerUrl;
  }
  const url = ownerUrl;
  const database = await withCure('The database cannot be opened', 'Look at DATABASE_URL and its server.', () =>
    openDatabase({ ownerUrl: url, log }),
  );
  parts.add('database connections', database.close);
  return database;
}

async function startWorkflows(start: Main): Promise<{ address: string; uiUrl: string | null }> {
  const { config, log, parts, signal } = start;
  if (config.temporalAddress !== null) return { address: config.temporalAddress, uiUrl: config.temporalUiUrl };
  log.info('starting Temporal');
  const binary = await findTemporal({ log, signal });
  const temporal = await withCure('Temporal does not start', 'Set TEMPORAL_ADDRESS to one that runs.', () =>
    startTemporal({ binary, dataDir: config.dataDir, namespace: config.temporalNamespace, log }),
  );
  parts.add('Temporal', temporal.stop);
  return { address: temporal.address, uiUrl: config.temporalUiUrl ?? temporal.uiUrl };
}

interface PlatformKey {
  readonly secret: string;
  /** Where it is kept; null when it was given. */
  readonly file: string | null;
  readonly isNew: boolean;
}

async function platformKey(config: Config): Promise<PlatformKey> {
  if (config.platformApiKey !== null) return { secret: config.platformApiKey, file: null, isNew: false };
  const file = join(config.dataDir, 'platform-api-key');
  return { ...(await keepSecret(file, 'platform_')), file };
}

/** An address that a browser on this machine can open: listening everywhere includes loopback. */
function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function banner(facts: { publicUrl: string; uiUrl: string | null; platform: PlatformKey }): string {
  const { publicUrl, uiUrl, platform } = facts;
  const lines = [
    'Tributary is ready.',
    `  API          ${publicUrl}/api/v1`,
    `  API docs     ${publicUrl}/docs`,
    `  Temporal UI  ${uiUrl ?? 'not known: set TEMPORAL_UI_URL'}`,
    `  Platform key ${platform.file === null ? 'as given by PLATFORM_API_KEY' : `in ${platform.file}`}`,
    ...(platform.isNew ? [`               ${platform.secret}  (shown this once)`] : []),
    '  Ctrl-C stops all of it.',
  ];
  return `\n${lines.join('\n')}\n\n`;
}
