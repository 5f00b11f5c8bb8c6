import { Agent, request } from 'node:http';
import { pino } from 'pino';
import { createApiKey } from '../src/db/api-keys.ts';
import { openDatabase } from '../src/db/database.ts';

/** Speaks to the API over connections that stay open. */
export interface ApiClient {
  /** @throws when the answer is none of 2xx. */
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever is answered
  call(method: 'GET' | 'POST', path: string, body?: object): Promise<any>;
  close(): void;
}

/** Keys that take turns, since each may send a thousand requests in ten seconds. */
const KEYS = 100;

/** A client of one tenant with keys enough that no limit is met. */
export async function openClient(on: { ownerUrl: string; tenantId: string; port: number }): Promise<ApiClient> {
  const keys = await makeKeys(on.ownerUrl, on.tenantId);
  const agent = new Agent({ keepAlive: true });
  let sent = 0;
  return {
    call: (method, path, body) => {
      sent += 1;
      return new Promise((resolve, reject) => {
        const headers = { Authorization: `Bearer ${keys[sent % KEYS]}`, 'Content-Type': 'application/json' };
        const asked = request({ port: on.port, path: `/api/v1${path}`, method, headers, agent }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            if ((answer.statusCode ?? 500) < 300) resolve(JSON.parse(text));
            else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
          });
          answer.on('error', reject);
        });
        asked.on('error', reject);
        asked.end(body === undefined ? undefined : JSON.stringify(body));
      });
    },
    close: () => agent.destroy(),
  };
}

async function makeKeys(ownerUrl: string, tenantId: string): Promise<string[]> {
  const database = await openDatabase({ ownerUrl, log: pino({ level: 'silent' }) });
  try {
    return await database.inTenant(tenantId, async (tx) => {
      const secrets: string[] = [];
      for (let made = 0; made < KEYS; made += 1) {
        const { secret } = await createApiKey(tx, { name: `Client ${made}`, scopes: ['write'], mode: 'LIVE' });
        secrets.push(secret);
      }
      return secrets;
    });
  } finally {
    await database.close();
  }
}
