import { sql } from 'kysely';
import type { Tx } from './database.ts';
import { newId, newIdStem } from './ids.ts';
import { insertRows } from './rows.ts';
import type { OutboxTopic } from './schema/tenancy.table.ts';

/** What the relay listens on. */
export const OUTBOX_CHANNEL = 'tributary_outbox';

/**
 * Puts a message into the outbox, to be delivered after commit. At most one of a topic and key waits at a time: a second
 * one says nothing new, but holds the first until this transaction is done. Else that could be delivered before there is
 * anything to see, and nobody would be told again.
 *
 * @param message.dedupeKey what it is about: the group for `group.refresh`.
 */
export async function enqueue(
  tx: Tx,
  message: { topic: OutboxTopic; dedupeKey: string; payload: Record<string, unknown> },
): Promise<void> {
  await tx.db
    .insertInto('outbox_messages')
    .values({
      tenantId: tx.tenantId,
      id: newId('out'),
      topic: message.topic,
      dedupeKey: message.dedupeKey,
      payload: message.payload,
      attempts: 0,
      createdAt: tx.now(),
    })
    .onConflict((conflict) =>
      conflict
        .columns(['tenantId', 'topic', 'dedupeKey'])
        .where('claimedAt', 'is', null)
        .where('deliveredAt', 'is', null)
        .doUpdateSet((set) => ({ createdAt: set.ref('excluded.createdAt') })),
    )
    .execute();
  await wakeRelay(tx);
}

/**
 * Tells every billing group of an entity, and every run outside a group that waits for it, to look again: runs may go on, or
 * must wait (E5).
 *
 * @param entityId of this tenant.
 */
export async function refreshGroupsOfEntity(tx: Tx, entityId: string): Promise<void> {
  await sql`
    insert into outbox_messages (tenant_id, id, topic, dedupe_key, payload, attempts, created_at)
    select tenant_id, ${countedIds()}, 'group.refresh', id,
           jsonb_build_object('billingGroupId', id), 0, ${tx.now()}::timestamptz
      from billing_groups
     where billing_entity_id = ${entityId} and status <> 'CLOSED'
     order by id
        on conflict (tenant_id, topic, dedupe_key) where claimed_at is null and delivered_at is null
        do update set created_at = excluded.created_at
  `.execute(tx.db);
  await sql`
    insert into outbox_messages (tenant_id, id, topic, dedupe_key, payload, attempts, created_at)
    select tenant_id, ${countedIds()}, 'run.start', id,
           jsonb_build_object('runId', id, 'testClockId', test_clock_id), 0, ${tx.now()}::timestamptz
      from billing_runs
     where billing_entity_id = ${entityId} and billing_group_id is null and status = 'WAITING'
     order by id
        on conflict (tenant_id, topic, dedupe_key) where claimed_at is null and delivered_at is null
        do update set created_at = excluded.created_at
  `.execute(tx.db);
  await wakeRelay(tx);
}

/** Ids for the rows of a statement, in the order of creation as all ids are. */
const countedIds = () => sql`${newIdStem('out')} || lpad(upper(to_hex(row_number() over (order by id))), 6, '0')`;

/**
 * Records events about a tenant's documents. Nobody subscribes to them yet, so they are on record as delivered to no one, and
 * the relay has nothing to do with them.
 */
export const recordEvents = (tx: Tx, events: readonly { type: string; invoiceId: string }[]): Promise<void> =>
  insertRows(
    tx.db,
    'outbox_messages',
    events.map((event) => ({
      tenantId: tx.tenantId,
      id: newId('out'),
      topic: 'event' as const,
      dedupeKey: `${event.type}:${event.invoiceId}`,
      payload: { ...event },
      attempts: 0,
      createdAt: tx.now(),
      claimedAt: null,
      deliveredAt: tx.now(),
    })),
  );

const wakeRelay = (tx: Tx): Promise<unknown> => sql`select pg_notify(${OUTBOX_CHANNEL}, '')`.execute(tx.db);
