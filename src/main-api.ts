import { readConfig } from './config.ts';
import { openDatabase } from './db/database.ts';
import { required } from './runtime/required.ts';
import { runMain } from './runtime/run-main.ts';
import { withCure } from './runtime/with-cure.ts';
import { startServer } from './server.ts';

// `npm run start:api`: the API by itself, beside a database and a Temporal server that run elsewhere.

await runMain(readConfig, async ({ config, log, parts }) => {
  const ownerUrl = required(config.databaseUrl, 'DATABASE_URL');
  const address = required(config.temporalAddress, 'TEMPORAL_ADDRESS');
  const platformApiKey = required(config.platformApiKey, 'PLATFORM_API_KEY');
  const {
    host,
    port,
    publicUrl,
    temporalNamespace: namespace,
    temporalTaskQueue: taskQueue,
    temporalUiUrl: uiUrl,
  } = config;

  const database = await withCure('The database cannot be opened', 'Look at DATABASE_URL and its server.', () =>
    openDatabase({ ownerUrl, log }),
  );
  parts.add('database connections', database.close);
  const temporal = { address, namespace, taskQueue, uiUrl };
  const links = publicUrl === null ? {} : { publicUrl };
  const api = await withCure(`Nothing can listen on ${host}:${port}`, 'Set another PORT, or HOST.', () =>
    startServer({ database, temporal, host, port, platformApiKey, log, ...links }),
  );
  parts.add('api', api.stop);
});
