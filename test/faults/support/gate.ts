import pg from 'pg';
import type { TestDatabase } from '../../support/database.ts';
import { until } from '../../../src/runtime/until.ts';

/** Keeps transactions that write to a table waiting, for as long as it takes. */
export interface Gate {
  /** How many wait there, in a statement that begins so. */
  waiting(statement?: string): Promise<number>;
  /** Cuts the connections of those that wait, again and again, until something has come of it. */
  cutUntil(ask: () => Promise<boolean>): Promise<void>;
  /** Lets everyone through, from now on. */
  open(): Promise<void>;
}

let made = 0;

/**
 * Closes a gate behind every write to a table: within its statement, or within its COMMIT. Unlike a lock on the table it is not
 * given up after the product's time limit, and who waits before it has written.
 */
export async function closeGate(
  { ownerUrl, query }: Pick<TestDatabase, 'ownerUrl' | 'query'>,
  table: 'customers' | 'number_streams',
  where: 'statement' | 'COMMIT' = 'statement',
): Promise<Gate> {
  made += 1;
  const keeper = new pg.Client({ connectionString: ownerUrl });
  await keeper.connect();
  await keeper.query(`
    create or replace function stop_at_gate() returns trigger language plpgsql as
    $$ begin
         perform set_config('lock_timeout', '0', true), pg_advisory_xact_lock_shared(tg_argv[0]::bigint);
         return null;
       end $$`);
  await keeper.query('select pg_advisory_lock($1)', [made]);
  const timing = where === 'COMMIT' ? 'deferrable initially deferred' : '';
  // It stays when the gate is open: to drop it would wait for everyone who has come through.
  await keeper.query(`
    create constraint trigger gate_${made} after insert or update on ${table} ${timing}
       for each row execute function stop_at_gate(${made})`);
  const waiting = `from pg_stat_activity where datname = current_database() and usename = 'tributary_app'
    and wait_event = 'advisory'`;
  return {
    waiting: async (statement = '') =>
      (await query(`select 1 ${waiting} and query ilike $1 || '%'`, [statement])).length,
    cutUntil: (ask) =>
      until({
        ask: async () => {
          await query(`select pg_terminate_backend(pid) ${waiting}`);
          return ask();
        },
        withinMs: 60_000,
        everyMs: 5,
      }),
    open: () => keeper.end(),
  };
}
