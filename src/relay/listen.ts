import pg from 'pg';
import type { Logger } from 'pino';
import { OUTBOX_CHANNEL } from '../db/outbox.ts';
import { roleUrl } from '../db/roles.ts';

/** Waits before connecting again. */
const RETRY_MS = 2_000;
/** A server that is silent for this long while the listener connects, or without a message, is asked whether it is there. */
const LISTENER_MS = 10_000;

/** Listens for new messages; a lost connection is made again, and polling covers the gap. */
export async function listen(
  ownerUrl: string,
  onMessage: () => void,
  log: Logger,
): Promise<{ close(): Promise<void> }> {
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
      if (!isClosed) retry = setTimeout(() => void connect(), RETRY_MS);
    });
    try {
      await next.connect();
      await next.query(`listen ${OUTBOX_CHANNEL}`);
      if (isClosed) hangUp(next);
      else client = next;
    } catch (error) {
      log.debug({ reason: (error as Error).message }, 'outbox: cannot listen; polling meanwhile');
      hangUp(next);
      if (!isClosed) retry = setTimeout(() => void connect(), RETRY_MS);
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
