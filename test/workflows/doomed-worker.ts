import { pino } from 'pino';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { startWorker } from '../../src/worker.ts';
import { without } from '../activities/broken-database.ts';

/** What the test tells the process, as JSON in its first argument. */
export interface Doom {
  readonly ownerUrl: string;
  readonly address: string;
  readonly taskQueue: string;
  /** File of the bundled workflow code. */
  readonly codePath: string;
  /** The step of a run at which the process is killed: at its end, just before or just after its commit. */
  readonly step: string;
  readonly when: 'before commit' | 'after commit';
  /** Activities that fail until then, so that a run goes its other way. */
  readonly failing: readonly string[];
}

/** A worker that dies in the middle of a run, as by the power switch: no handler runs, nothing is handed back. */
const doom = JSON.parse(process.argv[2] ?? '{}') as Doom;
const die = (): void => process.kill(process.pid, 'SIGKILL') as unknown as void;

const log = pino({ level: 'silent' });
const database = await openDatabase({ ownerUrl: doom.ownerUrl, log });
const doomed: Database = {
  ...database,
  inTenant: async (tenantId, work, options) => {
    let isReached = false;
    const answer = await database.inTenant(
      tenantId,
      async (tx) => {
        const result = await work(tx);
        const run = await tx.db
          .selectFrom('billing_runs')
          .where('step', '=', doom.step as 'TAX')
          .select('id')
          .executeTakeFirst();
        isReached = run !== undefined;
        if (isReached && doom.when === 'before commit') die();
        return result;
      },
      options,
    );
    if (isReached) die();
    return answer;
  },
};
await startWorker({
  database: without(doomed, doom.failing),
  temporal: { address: doom.address, namespace: 'default', taskQueue: doom.taskQueue },
  log,
  publicUrl: 'http://api.test',
  workflowBundle: { codePath: doom.codePath },
});
