import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { tellable } from '../db/failures.ts';
import { claimMessages, giveBackMessages, type OutboxRow, putOffMessages, settleMessages } from './claims.ts';
import { listen } from './listen.ts';
import { isAway, wakeClock, wakeGroup, wakeRun } from './wake.ts';

/** Messages are looked for this often even when no notification came. */
const POLL_MS = 2_000;
/** Waits between tries while the other side is away. */
const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;

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

  const turns: Turns = { after: '' };
  const loop = async (): Promise<void> => {
    while (!isStopping) {
      hasNews = false;
      const outcome = await drain(deps, turns);
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

/** Whose turn it is: the tenants after this one, by their ids. */
interface Turns {
  after: string;
}

/** One batch. MORE: there may be more at once. */
async function drain(
  { database, client, taskQueue, log }: Parameters<typeof startRelay>[0],
  turns: Turns,
): Promise<'MORE' | 'DONE' | 'FAILED'> {
  try {
    const { rows, isAll, after } = await database.acrossTenants((tx) => claimMessages(tx, turns.after));
    turns.after = after;
    const results = await Promise.allSettled(rows.map((row) => deliver(client, taskQueue, row)));
    const failures = results.map((result) => (result.status === 'rejected' ? (result.reason as Error) : null));
    const sent = rows.filter((_, index) => failures[index] === null);
    const unsent = rows.filter((_, index) => failures[index] !== null);
    if (sent.length > 0) await database.acrossTenants((tx) => settleMessages(tx, sent));
    if (unsent.length === 0) return isAll ? 'DONE' : 'MORE';

    const reason = failures.find((failure) => failure !== null)?.message;
    // Nobody was there for any of them. What one message alone meets is no reason to keep the others waiting.
    if (sent.length === 0 && failures.every(isAway)) {
      await giveBack(database, unsent);
      log.warn({ undelivered: unsent.length, reason }, 'outbox: cannot deliver; trying again');
      return 'FAILED';
    }
    await database.acrossTenants((tx) => putOffMessages(tx, unsent));
    log.warn({ refused: unsent.length, reason }, 'outbox: Temporal refuses; trying again later');
    return isAll ? 'DONE' : 'MORE';
  } catch (error) {
    log.warn({ reason: tellable(error) }, 'outbox: the database does not take it; trying again');
    return 'FAILED';
  }
}

/** Once more, when a message that says the same came in between. */
const giveBack = (database: Database, rows: readonly OutboxRow[]): Promise<void> =>
  database
    .acrossTenants((tx) => giveBackMessages(tx, rows))
    .catch((error: { code?: string }) => {
      if (error.code !== '23505') throw error;
      return database.acrossTenants((tx) => giveBackMessages(tx, rows));
    });

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
