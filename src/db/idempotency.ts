import { sql } from 'kysely';
import type { Instant } from '../domain/calendar.ts';
import { plusElapsed } from '../domain/calendar.ts';
import type { SystemTx, Tx } from './database.ts';

const KEY_LIFE_HOURS = 24;
/** After a busy day there are millions: each look takes some, which no statement's time limit cuts off. */
const FORGOTTEN_AT_ONCE = 10_000;

/** What a key stands for: within its tenant, one method and path. */
export interface KeyScope {
  readonly method: string;
  readonly path: string;
  readonly key: string;
}

export interface StoredAnswer {
  readonly bodyHash: string;
  readonly status: number;
  readonly response: unknown;
}

/** Takes the key for this transaction. False while another one holds it: the first request is still in flight. */
export async function tryLockKey(tx: Tx, { method, path, key }: KeyScope): Promise<boolean> {
  const subject = JSON.stringify([tx.tenantId, method, path, key]);
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${subject}, 0)) as taken`.execute(tx.db);
  return rows[0]?.taken ?? false;
}

/** The answer given before under this key, unless it is older than 24 hours. */
export async function findAnswer(tx: Tx, scope: KeyScope): Promise<StoredAnswer | null> {
  const row = await tx.db
    .selectFrom('idempotency_keys')
    .select(['bodyHash', 'status', 'response'])
    .where('method', '=', scope.method)
    .where('path', '=', scope.path)
    .where('key', '=', scope.key)
    .where('createdAt', '>', bornBefore(tx.now()))
    .executeTakeFirst();
  return row === undefined ? null : { ...row, response: JSON.parse(String(row.response)) };
}

/** Keeps an answer for repeats. An expired one under the same key gives way. */
export async function storeAnswer(tx: Tx, scope: KeyScope, answer: StoredAnswer): Promise<void> {
  const stored = {
    bodyHash: answer.bodyHash,
    status: answer.status,
    // A JSON text within JSON: jsonb alone would reorder the fields, and a repeat is to read the very same.
    response: JSON.stringify(JSON.stringify(answer.response ?? null)),
    createdAt: tx.now(),
  };
  await tx.db
    .insertInto('idempotency_keys')
    .values({ tenantId: tx.tenantId, method: scope.method, path: scope.path, key: scope.key, ...stored })
    .onConflict((conflict) => conflict.columns(['tenantId', 'method', 'path', 'key']).doUpdateSet(stored))
    .execute();
}

/** Forgets keys past their 24 hours, of every tenant. For the sweep. */
export async function forgetExpiredKeys(tx: SystemTx): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from idempotency_keys where created_at <= ${bornBefore(tx.now())}::timestamptz and ctid in (
      select ctid from idempotency_keys where created_at <= ${bornBefore(tx.now())}::timestamptz
       order by created_at limit ${FORGOTTEN_AT_ONCE})`.execute(tx.db);
  return Number(numAffectedRows);
}

const bornBefore = (now: Instant): Instant => plusElapsed(now, { hours: -KEY_LIFE_HOURS });
