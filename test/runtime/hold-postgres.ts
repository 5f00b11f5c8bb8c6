import { pino } from 'pino';
import { startPostgres } from '../../src/runtime/embedded-postgres.ts';

// A program to be killed: it starts a database and writes its address.
const [dataDir = ''] = process.argv.slice(2);
const { ownerUrl } = await startPostgres({ dataDir, log: pino({ level: 'silent' }) });
process.stdout.write(ownerUrl);
setInterval(() => undefined, 60_000);
