import pg from 'pg';

/** What PostgreSQL did for one statement of the product. */
export interface WatchedStatement {
  readonly text: string;
  /** The role that sent it: what it may see depends on it. */
  readonly role: string;
  readonly scans: readonly Scan[];
}

/** How one table was read, or a set that the statement made. */
export interface Scan {
  readonly table: string;
  /** `Seq Scan`, `Index Scan`, `Index Only Scan`, `Bitmap Heap Scan`, `CTE Scan`. */
  readonly method: string;
  /** Rows looked at, those thrown away included. */
  readonly visited: number;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'CTE Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

type Query = (text: string, values?: unknown[]) => Promise<pg.QueryResult>;

/**
 * Has PostgreSQL explain every statement that this process sends while some work is done: on the connection that sends it, in
 * its transaction, as its role and under its tenant, with the values that it carries. It is carried out for that, and rolled
 * back to where it was before the product sends it.
 */
export async function watchStatements(work: () => Promise<unknown>): Promise<WatchedStatement[]> {
  const watched: WatchedStatement[] = [];
  const inTransaction = new WeakSet<pg.Client>();
  // oxlint-disable-next-line typescript/unbound-method -- called on the connection that it belongs to
  const { query } = pg.Client.prototype;
  const spy = async function (this: pg.Client, ...given: unknown[]): Promise<unknown> {
    const send = (...what: unknown[]) => Reflect.apply(query as (...what: unknown[]) => unknown, this, what);
    const [text, values] = given;
    if (typeof text !== 'string') return send(...given);
    if (/^(begin|start transaction)/i.test(text)) inTransaction.add(this);
    if (/^(commit|rollback$)/i.test(text)) inTransaction.delete(this);
    if (inTransaction.has(this) && /^\s*(select|insert|update|delete|with)\b/i.test(text) && !isBookkeeping(text)) {
      const scans = await explain(send as Query, text, values as unknown[] | undefined);
      watched.push({ text, role: this.user ?? '', scans });
    }
    return send(...given);
  };
  pg.Client.prototype.query = spy as typeof query;
  try {
    await work();
  } finally {
    pg.Client.prototype.query = query;
  }
  return watched;
}

/** Settings of the transaction must outlive the look at it, and read no table. */
const isBookkeeping = (text: string): boolean => /^\s*select (set_config|pg_backend_pid)/i.test(text);

async function explain(send: Query, text: string, values: unknown[] | undefined): Promise<Scan[]> {
  await send('savepoint watched');
  const { rows } = await send(`explain (analyze, timing off, summary off, format json) ${text}`, values);
  await send('rollback to savepoint watched');
  await send('release savepoint watched');
  const [{ Plan: plan }] = rows[0]['QUERY PLAN'] as [{ Plan: PlanNode }];
  return [...scansOf(plan)];
}

/** Counts of a node are by loop, and of workers together where it ran in parallel. */
function* scansOf(node: PlanNode): Generator<Scan> {
  const table = node['Relation Name'] ?? node['CTE Name'];
  if (table !== undefined && node['Node Type'].includes('Scan')) {
    const { 'Actual Rows': kept, 'Rows Removed by Filter': filtered = 0 } = node;
    const visited = (kept + filtered + (node['Rows Removed by Index Recheck'] ?? 0)) * node['Actual Loops'];
    yield { table, method: node['Node Type'], visited: Math.round(visited) };
  }
  for (const child of node.Plans ?? []) yield* scansOf(child);
}
