import { pino } from 'pino';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { startWorker } from '../../../src/worker.ts';

/** What the test tells the process, as JSON in its first argument. */
export interface Frost {
  readonly ownerUrl: string;
  readonly address: string;
  readonly taskQueue: string;
  /** File of the bundled workflow code. */
  readonly codePath: string;
  /** The step of a run at which the process freezes: all of it done, nothing committed. */
  readonly step: string;
}

/** A worker that stops in the middle of a transaction and says nothing, like a virtual machine that is paused. */
const frost = JSON.parse(process.argv[2] ?? '{}') as Frost;
let isFrozen = false;

const log = pino({ level: 'silent' });
const database = await openDatabase({ ownerUrl: frost.ownerUrl, log });
const freezing: Database = {
  ...database,
  inTenant: async (tenantId, work, options) => {
    let hasFrozen = false;
    const answer = database.inTenant(
      tenantId,
      async (tx) => {
        const result = await work(tx);
        const hasRunAt = async (step: string) =>
          (await tx.db
            .selectFrom('billing_runs')
            .where('step', '=', step as 'TAX')
            .select('id')
            .executeTakeFirst()) !== undefined;
        // To freeze between two steps it has to go by steps: all in one transaction fails.
        if (frost.step !== 'ISSUED' && (await hasRunAt('ISSUED'))) throw new Error('Not all at once.');
        if (isFrozen || !(await hasRunAt(frost.step))) return result;
        hasFrozen = isFrozen = true;
        process.kill(process.pid, 'SIGSTOP');
        return result;
      },
      options,
    );
    const outcome = answer.then(
      () => 'committed',
      () => 'lost',
    );
    await outcome.then((word) => hasFrozen && process.stdout.write(word));
    return answer;
  },
};
await startWorker({
  database: freezing,
  temporal: { address: frost.address, namespace: 'default', taskQueue: frost.taskQueue },
  log,
  publicUrl: 'http://api.test',
  workflowBundle: { codePath: frost.codePath },
});
