import pg from 'pg';

/** What every connection of this process has sent. */
export interface Sent {
  statements: number;
  commits: number;
}

/** Counts from now on; costs a comparison for each statement. */
export function countStatements(): Sent {
  const sent: Sent = { statements: 0, commits: 0 };
  const { query } = pg.Client.prototype;
  const spy = function (this: pg.Client, ...given: unknown[]): unknown {
    sent.statements += 1;
    const [first] = given as [string | { text?: string }];
    const text = typeof first === 'string' ? first : (first.text ?? '');
    if (/^commit\b/i.test(text)) sent.commits += 1;
    return Reflect.apply(query as (...given: unknown[]) => unknown, this, given);
  };
  pg.Client.prototype.query = spy as typeof query;
  return sent;
}
