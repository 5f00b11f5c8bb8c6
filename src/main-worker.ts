import { readConfig } from './config.ts';
import { openDatabase } from './db/database.ts';
import { required } from './runtime/required.ts';
import { runMain } from './runtime/run-main.ts';
import { withCure } from './runtime/with-cure.ts';
import { startWorker } from './worker.ts';

// `npm run start:worker`: one worker by itself; as many as wanted share the work of a task queue.

await runMain(readConfig, async ({ config, log, parts }) => {
  const ownerUrl = required(config.databaseUrl, 'DATABASE_URL');
  const address = required(config.temporalAddress, 'TEMPORAL_ADDRESS');
  const publicUrl = required(config.publicUrl, 'PUBLIC_URL');
  const { temporalNamespace: namespace, temporalTaskQueue: taskQueue } = config;

  const database = await withCure('The database cannot be opened', 'Look at DATABASE_URL and its server.', () =>
    openDatabase({ ownerUrl, log }),
  );
  parts.add('database connections', database.close);
  const worker = await withCure(
    `The worker does not start on ${address}`,
    'Look at TEMPORAL_ADDRESS and its server.',
    () => startWorker({ database, temporal: { address, namespace, taskQueue }, log, publicUrl }),
  );
  parts.add('worker', worker.stop);
});
