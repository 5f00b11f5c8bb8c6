import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Database, openDatabase, type Tx } from '../../src/db/database.ts';
import { startServer } from '../../src/server.ts';
import { startWorker } from '../../src/worker.ts';
import { type Client, PLATFORM_KEY, startTestApi, type TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually, workflowBundle } from '../support/stack.ts';
import { clientAt } from './support/programs.ts';
import { type Route, SILENCE, startToxiproxy, through, type Toxiproxy } from './support/toxiproxy.ts';

// A network that swallows every byte and closes nothing. TCP sees no fault in it: each side needs limits of its own.

const temporalAddress = inject('temporalAddress');

let toxiproxy: Toxiproxy;
let route: Route;
/** An API that reaches its database, to make things and to look at them. */
let near: TestApi;
let tenant: Client;
let far: Database;
beforeAll(async () => {
  toxiproxy = await startToxiproxy();
  near = await startTestApi();
  tenant = await near.tenant();
  route = await toxiproxy.route(new URL(near.db.ownerUrl).host);
  far = await openDatabase({ ownerUrl: through(near.db.ownerUrl, route), log: quietLog, poolSize: 3 });
});
afterEach(() => route.heal());
afterAll(async () => {
  await far.close();
  await near.close();
  await toxiproxy.stop();
});

/** A payer with a group. */
async function subscribe(name: string): Promise<string> {
  const payer = await create(tenant, '/customers', { name });
  const { billingGroupId } = await create(tenant, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
  });
  return billingGroupId;
}

const lockGroup = (tx: Tx, groupId: string) =>
  tx.db.selectFrom('billing_groups').where('id', '=', groupId).select('id').forUpdate().executeTakeFirstOrThrow();

describe('a database behind a network that has fallen silent', () => {
  test('a request gets 503 instead of waiting for ever, whether it had a connection or needs one; then all is well', async () => {
    const { secret: key } = await create(tenant, '/api-keys', { scopes: ['write'] });
    const temporal = { address: temporalAddress, namespace: 'default', taskQueue: 'none', uiUrl: null };
    const place = { host: '127.0.0.1', port: 0, platformApiKey: PLATFORM_KEY, log: quietLog };
    const api = await startServer({ database: far, temporal, ...place });
    const client = clientAt(api.url, key);
    const read = () => client.get('/customers');
    const write = () => client.post('/customers', { name: 'Silent' }, { 'Idempotency-Key': 'silence' });
    try {
      expect((await read()).status).toBe(200);
      await route.spoil(...SILENCE);
      // More than the pool holds: the rest waits for a connection.
      const answers = await Promise.all([read(), read(), read(), write(), read(), read()]);
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
        expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
      }
      await route.heal();
      expect((await read()).status).toBe(200);
      expect((await write()).status).toBe(201);
      expect(await near.db.query(`select name from customers where name = 'Silent'`)).toHaveLength(1);
    } finally {
      await api.stop();
    }
  }, 180_000);

  test('what a transaction locked is free again by itself; until then others get 503', async () => {
    const groupId = await subscribe('Locked');
    const { promise: locked, resolve: lock } = Promise.withResolvers<void>();
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const dead = far
      .inTenant(tenant.tenantId, async (tx) => {
        await lockGroup(tx, groupId);
        lock();
        await over;
        await lockGroup(tx, groupId);
      })
      .then(
        () => 'committed',
        () => 'lost',
      );
    await locked;
    await route.spoil(...SILENCE);

    const refused = await tenant.post(`/billing-groups/${groupId}/pause`, {});
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    const paused = await eventually(
      async () => {
        const answer = await tenant.post(`/billing-groups/${groupId}/pause`, {});
        return answer.status === 503 ? null : answer;
      },
      'the lock to be free',
      120,
    );
    expect(paused.status).toBe(200);
    end();
    expect(await dead).toBe('lost');
  }, 180_000);
});

describe('the relay whose listener hears nothing', () => {
  test('finds messages by looking for them, and can be stopped', async () => {
    const database: Database = { ...near.db.database, ownerUrl: through(near.db.ownerUrl, route) };
    const worker = await startWorker({
      database,
      temporal: { address: temporalAddress, namespace: 'default', taskQueue: `silent-${randomUUID()}` },
      log: quietLog,
      publicUrl: near.url,
      workflowBundle: await workflowBundle(),
    });
    const isListening = `select 1 from pg_stat_activity where datname = current_database() and application_name = 'tributary relay'`;
    await eventually(async () => (await near.db.query(isListening)).length === 1, 'the listener');
    await route.spoil(...SILENCE);
    const groupId = await subscribe('Unheard');
    await create(tenant, `/billing-groups/${groupId}/bill-now`, {});
    const run = await eventually(async () => {
      const { body } = await tenant.get(`/billing-groups/${groupId}/runs`);
      return body.items[0]?.status === 'ISSUED' ? body.items[0] : null;
    }, 'the invoice');
    expect(run.invoiceId).toMatch(/^inv_/);
    expect(await near.db.query(isListening)).toHaveLength(1);
    await worker.stop();
  }, 120_000);
});
