import { rowsOf } from '../../activities/dump.ts';
import type { TestDatabase } from '../../support/database.ts';

/** Everything that billing left in a tenant's tables, so that two tenants to whom the same happened are equal. */
export type Books = Readonly<Record<string, readonly unknown[]>>;

type Row = Record<string, unknown>;
type Rows = Record<string, Row[]>;

const ID = /\b[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}\b/g;

/** Drawn at random, read from the wall clock, or in the order in which groups happened to be billed. */
const DIFFERS = ['hosted_token', 'secret_hash', 'hint', 'number', 'recorded_at', 'next_due_at'];
/** What a run makes is dated by the group's clock; all else by the wall's. */
const DATED_BY_RUNS = ['billing_runs', 'invoices', 'claims'];
/** Messages come and go; their delivery is no part of the books. */
const NO_BOOKS = ['outbox_messages', 'idempotency_keys', 'api_keys'];

/**
 * The tenant's rows with each id replaced by what it stands for: an account by its place in the order of creation, a run by
 * its group and boundary, an invoice by its run, a line by its invoice. Numbers are listed by entity: which group got which
 * depends on who came first.
 */
export async function booksOf(db: TestDatabase, tenantId: string): Promise<Books> {
  const rows = (await rowsOf(db, tenantId)) as Rows;
  const names = nameAll(rows);
  const numbers = table(rows, 'invoices')
    .filter(({ number }) => number !== null)
    .map((row) => ({ entity: row['billing_entity_id'], number: row['number'] }));
  const kept = Object.entries<Row[]>({ ...rows, numbers }).filter(([name]) => !NO_BOOKS.includes(name));
  return Object.fromEntries(
    kept.map(([name, list]) => [
      name,
      list
        .filter(({ actor }) => name !== 'audit_events' || actor === 'system')
        .map((row) => renamed(name, row, names))
        .toSorted((a, b) => a.localeCompare(b))
        .map((text) => JSON.parse(text) as unknown),
    ]),
  );
}

function renamed(name: string, row: Row, names: ReadonlyMap<string, string>): string {
  const isDropped = (key: string): boolean =>
    (name !== 'numbers' && DIFFERS.includes(key)) ||
    (key === 'created_at' && !DATED_BY_RUNS.includes(name)) ||
    (key === 'id' && (name === 'claims' || name === 'audit_events'));
  const text = JSON.stringify(row, (key, value: unknown) => (isDropped(key) ? undefined : value));
  return text.replaceAll(ID, (id) => names.get(id) ?? id);
}

/** What was there before the first run is named by its place; what runs made, by what it belongs to. */
function nameAll(rows: Rows): Map<string, string> {
  const names = new Map<string, string>();
  const name = (id: unknown): string => String(id).replaceAll(ID, (one) => names.get(one) ?? one);
  const made = ['billing_runs', 'invoices', 'invoice_lines', 'claims', 'ledger_entries', 'audit_events'];
  for (const [tableName, list] of Object.entries(rows)) {
    if (made.includes(tableName) || NO_BOOKS.includes(tableName)) continue;
    const ids = list.filter((row) => row['source_invoice_id'] == null).map(({ id }) => id);
    for (const [index, id] of ids
      .filter((one) => typeof one === 'string')
      .toSorted()
      .entries())
      names.set(id, `${tableName} ${index + 1}`);
  }
  const give = (tableName: string, say: (row: Row) => string): void => {
    for (const row of table(rows, tableName)) if (!names.has(String(row['id']))) names.set(String(row['id']), say(row));
  };
  for (const run of table(rows, 'billing_runs')) {
    if (run['kind'] !== 'BILL_NOW') continue;
    names.set(String(run['request_id']), `request to ${name(run['billing_group_id'])} at ${String(run['created_at'])}`);
  }
  give('billing_runs', (run) =>
    run['kind'] === 'BOUNDARY'
      ? `run of ${name(run['billing_group_id'])} at ${String(run['boundary_at'])}`
      : `run ${String(run['kind'])} for ${name(run['request_id'])}`,
  );
  give('invoices', (invoice) => `invoice ${String(invoice['position'])} of ${name(invoice['run_id'])}`);
  for (const held of table(rows, 'coupon_reservations')) {
    const id = String(held['invoice_id']);
    if (!names.has(id)) names.set(id, `invoice of ${name(held['run_id'])} that came to nothing`);
  }
  give('invoice_lines', (line) => `line ${String(line['position'])} of ${name(line['invoice_id'])}`);
  give('credit_grants', (grant) => `surplus of ${name(grant['source_invoice_id'])}`);
  give('ledger_entries', (entry) => `entry ${String(entry['event'])} of ${name(entry['subject_id'])}`);
  return names;
}

const table = (rows: Rows, name: string): Row[] => rows[name] ?? [];
