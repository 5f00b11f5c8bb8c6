import type { Client } from '@temporalio/client';
import { sql } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { plusElapsed } from '../domain/calendar.ts';
import type { Database, SystemTx } from '../db/database.ts';
import { OUTBOX_CHANNEL } from '../db/outbox.ts';
import { roleUrl } from '../db/roles.ts';
import type { OutboxTopic } from '../db/schema/tenancy.table.ts';
import { wakeClock, wakeGroup, wakeRun } from './wake.ts';

/** How many messages one claim takes. */
const BATCH = 100;
/** A message claimed this long ago by a relay that is gone is claimed anew. */
const CLAIM_MINUTES = 1;
/** Messages are looked for this often even when no notification came. */
const POLL_MS = 2_000;
/** A server that is silent for this long while the listener connects, or without a message, is asked whether it is there. */
const LISTENER_MS = 10_000;
/** Waits between tries while the other side is away. */
const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;

interface OutboxRow {
  readonly tenantId: string;
  readonly id: string;
  readonly topic: OutboxTopic;
  readonly dedupeKey: string;
  readonly payload: { readonly billingGroupId?: string; readonly runId?: string; readonly testClockId?: string | null };
}

export interface Relay {
  /** Delivers what is claimed, takes no more, and returns. */
  stop(): Promise<void>;
}

/**
 * Delivers the outbox: signals to workflows, at least once, in no order that anything relies on. It works on while Temporal
 * is down and drains when it is back.
 */
export async function startRelay(deps: {
  database: Database;
  client: Client;
  taskQueue: string;
  log: Logger;
}): Promise<Relay> {
  let isStopping = false;
  let failures = 0;
  let hasNews = false;
  let wake: () => void = () => undefined;
  const onMessage = (): void => {
    hasNews = true;
    wake();
  };
  const listener = await listen(deps.database.ownerUrl, onMessage, deps.log);

  const loop = async (): Promise<void> => {
    while (!isStopping) {
      hasNews = false;
      const outcome = await drain(deps);
      failures = outcome === 'FAILED' ? failures + 1 : 0;
      // What is written while a batch is on its way may have come too late for it.
      if (outcome === 'MORE' || (outcome === 'DONE' && hasNews)) continue;
      const pause = failures === 0 ? POLL_MS : (BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1] ?? POLL_MS);
      const timer = new Promise<void>((resolve) => {
        const timeout = setTimeout(resolve, pause);
        wake = () => {
          if (failures > 0) return;
          clearTimeout(timeout);
          resolve();
        };
        if (isStopping) wake();
      });
      await timer;
    }
  };
  const running = loop();
  return {
    stop: async () => {
      isStopping = true;
      failures = 0;
      wake();
      await running;
      await listener.close();
    },
  };
}

/** One batch. MORE: there may be more at once. */
async function drain({
  database,
  client,
  taskQueue,
  log,
}: Parameters<typeof startRelay>[0]): Promise<'MORE' | 'DONE' | 'FAILED'> {
  try {
    const rows = await database.acrossTenants(claim);
    const results = await Promise.allSettled(rows.map((row) => deliver(client, taskQueue, row)));
    const sent = rows.filter((_, index) => results[index]?.status === 'fulfilled');
    const failed = rows.filter((_, index) => results[index]?.status === 'rejected');
    if (sent.length > 0) await database.acrossTenants((tx) => settle(tx, sent));
    if (failed.length > 0) {
      await database.acrossTenants((tx) => giveBack(tx, failed));
      const reason = results.find((result) => result.status === 'rejected')?.reason as Error;
      log.warn({ undelivered: failed.length, reason: reason.message }, 'outbox: cannot deliver; trying again');
      return 'FAILED';
    }
    return rows.length === BATCH ? 'MORE' : 'DONE';
  } catch (error) {
    log.warn({ reason: (error as Error).message }, 'outbox: the database is away; trying again');
    return 'FAILED';
  }
}

async function claim(tx: SystemTx): Promise<OutboxRow[]> {
  const { rows } = await sql<OutboxRow>`
    update outbox_messages o set claimed_at = ${tx.now()}::timestamptz, attempts = attempts + 1
      from (select tenant_id, id from outbox_messages
             where delivered_at is null
               and (claimed_at is null or claimed_at < ${plusElapsed(tx.now(), { minutes: -CLAIM_MINUTES })}::timestamptz)
             order by id limit ${BATCH} for update skip locked) due
     where o.tenant_id = due.tenant_id and o.id = due.id
    returning o.tenant_id, o.id, o.topic, o.dedupe_key, o.payload`.execute(tx.db);
  return rows;
}

function deliver(client: Client, taskQueue: string, { tenantId, topic, payload }: OutboxRow): Promise<void> {
  switch (topic) {
    case 'group.refresh':
      return wakeGroup(client, taskQueue, { tenantId, groupId: payload.billingGroupId ?? '' });
    case 'run.start':
      return wakeRun(client, taskQueue, {
        tenantId,
        runId: payload.runId ?? '',
        testClockId: payload.testClockId ?? null,
      });
    case 'clock.advance':
      return wakeClock(client, taskQueue, { tenantId, testClockId: payload.testClockId ?? '' });
    case 'event':
      // Nobody subscribes to events yet: they are recorded, and are delivered to no one.
      return Promise.resolve();
  }
}

/** Signals are forgotten once they were sent; events stay on record. What is undelivered is found in an index of its own. */
async function settle(tx: SystemTx, rows: readonly OutboxRow[]): Promise<void> {
  const ids = rows.map(({ id }) => id);
  await sql`delete from outbox_messages where id = any(${ids}::text[]) and delivered_at is null and topic <> 'event'`.execute(
    tx.db,
  );
  await sql`update outbox_messages set delivered_at = ${tx.now()}::timestamptz where id = any(${ids}::text[]) and delivered_at is null`.execute(
    tx.db,
  );
}

/** What could not be sent waits again, unless a newer message says the same. */
async function giveBack(tx: SystemTx, rows: readonly OutboxRow[]): Promise<void> {
  const ids = rows.map(({ id }) => id);
  await sql`
    delete from outbox_messages o where o.id = any(${ids}::text[]) and o.delivered_at is null and exists (
      select 1 from outbox_messages n
       where n.tenant_id = o.tenant_id and n.topic = o.topic and n.dedupe_key = o.dedupe_key
         and n.claimed_at is null and n.delivered_at is null)`.execute(tx.db);
  await sql`update outbox_messages set claimed_at = null where id = any(${ids}::text[]) and delivered_at is null`.execute(
    tx.db,
  );
}

/** Listens for new messages; a lost connection is made again, and polling covers the gap. */
async function listen(ownerUrl: string, onMessage: () => void, log: Logger): Promise<{ close(): Promise<void> }> {
  let client: pg.Client | null = null;
  let isClosed = false;
  let retry: NodeJS.Timeout | null = null;
  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: roleUrl(ownerUrl, 'tributary_system'),
      application_name: 'tributary relay',
      connectionTimeoutMillis: LISTENER_MS,
      query_timeout: LISTENER_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: LISTENER_MS,
    });
    next.on('notification', onMessage);
    next.on('error', (error) => {
      log.debug({ reason: error.message }, 'outbox: listener lost; connecting again');
      if (client !== next) return;
      client = null;
      if (!isClosed) retry = setTimeout(() => void connect(), POLL_MS);
    });
    try {
      await next.connect();
      await next.query(`listen ${OUTBOX_CHANNEL}`);
      client = next;
    } catch (error) {
      log.debug({ reason: (error as Error).message }, 'outbox: cannot listen; polling meanwhile');
      hangUp(next);
      if (!isClosed) retry = setTimeout(() => void connect(), POLL_MS);
    }
  };
  await connect();
  return {
    close: async () => {
      isClosed = true;
      if (retry !== null) clearTimeout(retry);
      if (client !== null) hangUp(client);
    },
  };
}

/** Says goodbye and does not wait for the answer: behind a network that has fallen silent there is none. */
const hangUp = (client: pg.Client): void => void client.end().catch(() => undefined);
