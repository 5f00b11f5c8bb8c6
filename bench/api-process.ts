import { pino } from 'pino';
import { openDatabase } from '../src/db/database.ts';
import { startServer } from '../src/server.ts';
import { workAsChild } from './child.ts';
import { countStatements } from './count-statements.ts';

/** The API of the product by itself. It writes its log as it does in operation, to where it costs no disk. */
export interface ApiJob {
  readonly ownerUrl: string;
  readonly port: number;
}

/** Nobody listens there, and the API does not mind: it takes writes while Temporal is away. */
const TEMPORAL = { address: '127.0.0.1:9', namespace: 'default', taskQueue: 'bench', uiUrl: null };

workAsChild<ApiJob>(async ({ ownerUrl, port }) => {
  const sent = countStatements();
  const log = pino({ level: 'info' }, pino.destination('/dev/null'));
  const database = await openDatabase({ ownerUrl, log });
  const platformApiKey = 'bench-platform-key';
  const api = await startServer({ database, temporal: TEMPORAL, host: '127.0.0.1', port, platformApiKey, log });
  const stop = async () => {
    await api.stop();
    await database.close();
  };
  return { counts: () => ({ ...sent }), stop };
});
