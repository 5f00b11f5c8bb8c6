import type { TestDatabase } from '../../support/database.ts';

type Database = Pick<TestDatabase, 'query'>;

/** The steps between which a run can be cut that is carried out step by step: each is the last one that it has behind it. */
export const STEPS = ['OPENED', 'COLLECTED', 'COUPONS', 'TAX', 'CREDITS'] as const;

/** The last step of each run of a boundary that is under way step by step: one that is carried out at once is never seen so. */
export const stepsUnderWay = async (db: Database): Promise<string[]> =>
  (await db.query<{ step: string }>(`select step from billing_runs where status = 'OPEN' and kind = 'BOUNDARY'`)).map(
    ({ step }) => step,
  );

/** Where each transaction that has written something and not committed stands: `insert claims`, `update invoices`, `commit`. */
export async function openWrites(db: Database): Promise<string[]> {
  const rows = await db.query<{ query: string }>(
    `select query from pg_stat_activity
      where usename = 'tributary_app' and datname = current_database() and backend_xid is not null`,
  );
  return rows.map(({ query }) => {
    const statement = query.replaceAll('"', '').trimStart().toLowerCase();
    const [, verb = '', name = ''] = /\b(insert|update|delete)\s+(?:into\s+|from\s+)?(\w+)/.exec(statement) ?? [];
    return verb === '' ? (statement.split(/\s/)[0] ?? '') : `${verb} ${name}`;
  });
}
