import { sql } from 'kysely';
import type { SystemTx } from '../db/database.ts';
import type { OutboxTopic } from '../db/schema/tenancy.table.ts';
import { plusElapsed } from '../domain/calendar.ts';

/** How many messages one claim takes in turn at most, and of how many tenants; and how many that were lost. */
const BATCH = 100;
/** A message claimed this long ago by a relay that is gone is claimed anew. */
const CLAIM_MINUTES = 1;

/** A message on its way. */
export interface OutboxRow {
  readonly tenantId: string;
  readonly id: string;
  readonly topic: OutboxTopic;
  readonly dedupeKey: string;
  readonly payload: { readonly billingGroupId?: string; readonly runId?: string; readonly testClockId?: string | null };
}

/** Messages that this relay, and no other, delivers now. */
export interface Claim {
  readonly rows: readonly OutboxRow[];
  /** Whether nothing that waited is left. */
  readonly isAll: boolean;
  /** The next turn begins after this tenant. */
  readonly after: string;
}

/**
 * Claims the oldest messages of the tenants whose turn it is, the same share for each: a tenant with thousands delays one with
 * ten by a batch, not by its thousands (rule 5 of the workflow design). And what was claimed by a relay that is gone, or put off.
 *
 * @param after  the tenant whose turn was last; the turns go on after it, and round again.
 */
export async function claimMessages(tx: SystemTx, after: string): Promise<Claim> {
  const lostBefore = plusElapsed(tx.now(), { minutes: -CLAIM_MINUTES });
  const waits = sql`o.claimed_at is null and o.delivered_at is null`;
  const { rows: due } = await sql<{ id: string; tenantId: string; place: number; share: number; tenants: number }>`
    with recursive tenants as (
      select ${after}::text as tenant_id, 0 as place, false as is_round
      union all
      select next.tenant_id, t.place + 1, next.is_round
        from tenants t
       cross join lateral (
         (select o.tenant_id, t.is_round from outbox_messages o
           where ${waits} and o.tenant_id > t.tenant_id and (not t.is_round or o.tenant_id <= ${after})
           order by o.tenant_id limit 1)
         union all
         (select o.tenant_id, true from outbox_messages o
           where ${waits} and not t.is_round and o.tenant_id <= ${after}
           order by o.tenant_id limit 1)
         order by 2, 1 limit 1) next
       where t.place < ${BATCH}
    ), turns as (
      select tenant_id, place, (${BATCH} / count(*) over ())::int as share, (count(*) over ())::int as tenants
        from tenants where place > 0
    )
    select mine.id, t.tenant_id, t.place, t.share, t.tenants
      from turns t
     cross join lateral (
       select o.id from outbox_messages o where o.tenant_id = t.tenant_id and ${waits}
        order by o.id limit t.share for update skip locked) mine
    union all
    select lost.id, lost.tenant_id, 0, 0, 0
      from (
        select o.id, o.tenant_id from outbox_messages o
         where o.claimed_at < ${lostBefore}::timestamptz and o.delivered_at is null
         order by o.claimed_at limit ${BATCH} for update skip locked) lost`.execute(tx.db);
  const inTurn = due.filter(({ place }) => place > 0);
  const isWhole = [...Map.groupBy(inTurn, ({ place }) => place).values()].every(
    (mine) => mine.length < (mine[0]?.share ?? 0),
  );
  const areAll = (inTurn[0]?.tenants ?? 0) < BATCH && due.length - inTurn.length < BATCH;
  const last = inTurn.toSorted((one, other) => other.place - one.place)[0];
  return {
    rows: await markClaimed(
      tx,
      due.map(({ id }) => id),
    ),
    isAll: areAll && isWhole,
    after: last?.tenantId ?? after,
  };
}

async function markClaimed(tx: SystemTx, ids: readonly string[]): Promise<readonly OutboxRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<OutboxRow>`
    update outbox_messages set claimed_at = ${tx.now()}::timestamptz, attempts = attempts + 1
     where id = any(${ids}::text[]) and delivered_at is null
    returning tenant_id, id, topic, dedupe_key, payload`.execute(tx.db);
  return rows;
}

/** Signals are forgotten once they were sent; events stay on record. What is undelivered is found in an index of its own. */
export async function settleMessages(tx: SystemTx, rows: readonly OutboxRow[]): Promise<void> {
  const ids = rows.map(({ id }) => id);
  await sql`delete from outbox_messages where id = any(${ids}::text[]) and delivered_at is null and topic <> 'event'`.execute(
    tx.db,
  );
  await sql`update outbox_messages set delivered_at = ${tx.now()}::timestamptz where id = any(${ids}::text[]) and delivered_at is null`.execute(
    tx.db,
  );
}

/** What nobody was there to take waits again, unless a newer message says the same. */
export async function giveBackMessages(tx: SystemTx, rows: readonly OutboxRow[]): Promise<void> {
  const ids = await forgetRepeated(tx, rows);
  await sql`update outbox_messages set claimed_at = null where id = any(${ids}::text[]) and delivered_at is null`.execute(
    tx.db,
  );
}

/**
 * What was refused is put off, 2, 4, 8 … seconds and a minute at most, so that it is in nobody's way meanwhile: it stays claimed
 * until then. Forgotten where a newer message says the same.
 */
export async function putOffMessages(tx: SystemTx, rows: readonly OutboxRow[]): Promise<void> {
  const ids = await forgetRepeated(tx, rows);
  const lost = plusElapsed(tx.now(), { minutes: -CLAIM_MINUTES });
  await sql`
    update outbox_messages
       set claimed_at = ${lost}::timestamptz + least(60 * ${CLAIM_MINUTES}::int, power(2, least(attempts, 10))) * interval '1 second'
     where id = any(${ids}::text[]) and delivered_at is null`.execute(tx.db);
}

/** @returns the ids of the messages that are left. */
async function forgetRepeated(tx: SystemTx, rows: readonly OutboxRow[]): Promise<string[]> {
  const ids = rows.map(({ id }) => id);
  const { rows: repeated } = await sql<{ id: string }>`
    delete from outbox_messages o where o.id = any(${ids}::text[]) and o.delivered_at is null and exists (
      select 1 from outbox_messages n
       where n.tenant_id = o.tenant_id and n.topic = o.topic and n.dedupe_key = o.dedupe_key and n.delivered_at is null
         and (n.claimed_at is null or (n.id > o.id and n.id = any(${ids}::text[]))))
    returning o.id`.execute(tx.db);
  const forgotten = new Set(repeated.map(({ id }) => id));
  return ids.filter((id) => !forgotten.has(id));
}
