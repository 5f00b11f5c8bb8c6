// two small tenants billed, their statistics taken: the big one is unknown to the planner
import { openDatabase } from '/work/main/src/db/database.ts';
import { createTenant } from '/work/main/src/db/tenants.ts';
import { makeCrowd } from '/work/main/test/activities/crowd.ts';
import { billUntil } from '/work/main/test/support/billing.ts';
import { pino } from 'pino';
import pg from 'pg';
const url = 'postgresql://postgres@127.0.0.1:54999/h_crowd';
const db = await openDatabase({ ownerUrl: url, log: pino({ level: 'warn' }) });
for (const n of [5, 60]) {
const { id: tenantId } = await db.inTenant('', (tx) => createTenant(tx, { name: 'T', mode: 'TEST', actor: 'x' }));
const crowd = await makeCrowd(db, tenantId, { children: n, items: 10 });
await billUntil(db, tenantId, crowd.testClockId, '2026-02-01T00:00:00Z');
}
const o = new pg.Client(url); await o.connect(); await o.query('analyze invoice_lines'); await o.query('analyze claims'); await o.query('analyze invoices');
console.log((await o.query('select count(*) from invoice_lines')).rows);
await o.end();
await db.close();
