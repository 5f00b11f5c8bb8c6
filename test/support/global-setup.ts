import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../src/runtime/embedded-postgres.ts';
import { findTemporal } from '../../src/runtime/temporal-binary.ts';
import { startTemporal } from '../../src/runtime/temporal-server.ts';
import { clearKilledRuns } from './clear-killed-runs.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Connection string of the superuser of the cluster that the whole test run shares. */
    ownerUrl: string;
    /** `host:port` of the Temporal server that the whole test run shares; it has the namespace `default`. */
    temporalAddress: string;
  }
}

/** One PostgreSQL and one Temporal server for the whole test run; both forget everything at its end. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const log = pino({ transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', destination: 2 } } });
  await clearKilledRuns();
  const dataDir = await mkdtemp(join(tmpdir(), `tributary-test-${process.pid}-`));
  await chmod(dataDir, 0o755);
  const quiet = log.child({}, { level: 'warn' });
  const postgres = await startPostgres({ dataDir, durable: false, log: quiet });
  const stopPostgres = async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const binary = await findTemporal({ log });
    const temporal = await startTemporal({ binary, dataDir: null, namespace: 'default', log: quiet });
    project.provide('ownerUrl', postgres.ownerUrl);
    project.provide('temporalAddress', temporal.address);
    return async () => {
      await temporal.stop();
      await stopPostgres();
    };
  } catch (error) {
    await stopPostgres();
    throw error;
  }
}
