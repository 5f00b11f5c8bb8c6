import type { Socket } from 'node:net';
import type { Client, Pool, PoolClient } from 'pg';

/**
 * Sees to it that a connection on which nothing moves while somebody works with it, as behind a switch without power, fails
 * what waits for it: TCP itself may never notice.
 *
 * @param silenceMs  how long nothing may move; 0 for any time.
 */
export function watchSilence(pool: Pool, silenceMs: number): void {
  pool.on('connect', (client) => {
    socketOf(client).on('timeout', () => {
      const lost = Object.assign(new Error('The database has been silent for too long.'), { code: 'ETIMEDOUT' });
      socketOf(client).destroy(lost);
    });
  });
  pool.on('acquire', (client) => socketOf(client).setTimeout(silenceMs));
  pool.on('release', (_error, client) => socketOf(client).setTimeout(0));
}

const socketOf = (client: PoolClient): Socket => (client as PoolClient & Client).connection.stream as Socket;
