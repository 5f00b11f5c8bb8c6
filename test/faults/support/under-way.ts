import type { TestDatabase } from '../../support/database.ts';
import { until } from '../../../src/runtime/until.ts';

type Database = Pick<TestDatabase, 'query'>;

/** The steps between which a run can be cut that is carried out step by step: each is the last one that it has behind it. */
export const STEPS = ['OPENED', 'COLLECTED', 'COUPONS', 'TAX', 'CREDITS'] as const;

/** The last step of each run that is under way step by step. */
export const stepsUnderWay = async (db: Database): Promise<string[]> =>
  (await db.query<{ step: string }>(`select step from billing_runs where status = 'OPEN'`)).map(({ step }) => step);

const WRITING = `from pg_stat_activity where usename = 'tributary_app' and datname = current_database()
  and backend_xid is not null`;

/** Where each transaction that has written something and not committed stands: `insert claims`, `update invoices`, `commit`. */
export async function openWrites(db: Database): Promise<string[]> {
  const rows = await db.query<{ query: string }>(`select query ${WRITING}`);
  return rows.map(({ query }) => {
    const statement = query.replaceAll('"', '').trimStart().toLowerCase();
    const [, verb = '', name = ''] = /\b(insert|update|delete)\s+(?:into\s+|from\s+)?(\w+)/.exec(statement) ?? [];
    return verb === '' ? (statement.split(/\s/)[0] ?? '') : `${verb} ${name}`;
  });
}

/**
 * Cuts the connections of transactions that have written, until a run could not be billed in one and goes step by step: from
 * then on its row tells how far it came.
 */
export const cutUntilSteps = (db: Database, withinMs = 60_000): Promise<void> =>
  until({
    ask: async () => {
      await db.query(`select pg_terminate_backend(pid) ${WRITING}`);
      return (await stepsUnderWay(db)).length > 0;
    },
    withinMs,
    everyMs: 5,
  });
