import { randomUUID } from 'node:crypto';
import { Client as TemporalClient, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { roleUrl } from '../../src/db/roles.ts';
import { createLog } from '../../src/runtime/log.ts';
import { startWorker } from '../../src/worker.ts';
import { workflowId } from '../../src/workflows/contract.ts';
import { rowsOf } from '../activities/dump.ts';
import { type Client, PLATFORM_KEY, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { advanceClock, eventually, workflowBundle } from '../support/stack.ts';
import { addCustomers, blunder, PERSONAL, subscribeBoth } from './secrets-scene.ts';
import { recordOf } from './workflow-records.ts';

// A tenant's whole life at the most talkative log level, with everything going wrong that can: no secret and nothing
// personal is found in the log, in a failure's answer, or in what Temporal keeps.

const address = inject('temporalAddress');
const taskQueue = `secrets-${randomUUID()}`;
const logged: string[] = [];
const errors: Reply[] = [];
let api: TestApi;
let connection: Connection;
let temporal: TemporalClient;
let worker: { stop(): Promise<void> };
let tenant: Client;
let adminKey: string;
let readKey: string;
let groupId: string;

beforeAll(async () => {
  const log = createLog('trace', { write: (line) => void logged.push(line) });
  api = await startTestApi({ log });
  connection = await Connection.connect({ address });
  temporal = new TemporalClient({ connection });
  const place = { address, namespace: 'default', taskQueue };
  const shared = { database: api.db.database, publicUrl: api.url, workflowBundle: await workflowBundle() };
  worker = await startWorker({ ...shared, temporal: place, log });
});
afterAll(async () => {
  await api.db.refuse(false);
  await worker.stop();
  await connection.close();
  await api.close();
});

// What is written past the log is no less written.
beforeEach(() => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation(
      (...words: unknown[]) => void logged.push(words.map(String).join(' ')),
    );
  }
});
afterEach(() => void vi.restoreAllMocks());

/** What an operator sees of a run in the end. */
const untilRun = (group: string, status: string) =>
  eventually(
    async () => {
      const { body } = await tenant.get(`/billing-groups/${group}/runs`);
      return body.items[0]?.status === status ? body.items[0] : null;
    },
    `the run to be ${status}`,
    90,
  );

test('a tenant signs up, bills a customer, and everything goes wrong', async () => {
  const { body: signUp } = await api.platform.post('/tenants', { name: 'Tenant of Quackenbush' });
  adminKey = signUp.apiKey;
  tenant = api.as(adminKey, signUp.id);
  readKey = (await create(tenant, '/api-keys', { name: 'Reader', scopes: ['read'] })).secret;
  const customers = await addCustomers(tenant);
  groupId = await subscribeBoth(tenant, customers);
  await create(tenant, `/billing-groups/${groupId}/bill-now`, {});
  await untilRun(groupId, 'ISSUED');
  errors.push(...(await blunder(api, tenant, adminKey)), ...(await blunder(api, tenant, readKey)));
  expect(errors.filter(({ status }) => status < 400 || status >= 500)).toEqual([]);

  const clock = await create(tenant, '/test-clocks', { name: PERSONAL.name, now: '2026-01-01T00:00:00Z' });
  const timed = await create(tenant, '/customers', { name: PERSONAL.name, testClockId: clock.id });
  await create(tenant, '/subscriptions', { customerId: timed.id, prices: [flat('base', '1.00')] });
  await advanceClock(tenant, clock.id, '2026-02-15T00:00:00Z');
  await create(tenant, '/charges', {
    customerId: timed.id,
    description: PERSONAL.description,
    amount: '1',
    timing: 'IMMEDIATE',
  });
}, 180_000);

test('what the database refuses is an unexpected failure, in a request and in a run', async () => {
  // The message of the one tells the value, that of the other the constraint.
  await api.db.query(`
    create function planted() returns trigger language plpgsql as $$ begin perform new.tax_id::int; return new; end $$;
    create trigger planted before insert on customers for each row execute function planted();
    create function misread() returns trigger language plpgsql as $$ begin perform new.name::int; return new; end $$;
    create trigger misread before insert on invoice_accounts for each row when (new.name like '%misread')
      execute function misread();
    alter table invoice_accounts add constraint planted check (name not like '%refused') not valid`);
  const reply = await tenant.post('/customers', { name: PERSONAL.name, taxId: PERSONAL.taxId });
  expect(reply.status).toBe(500);
  errors.push(reply);

  const blockedRun = async (name: string) => {
    const payer = await create(tenant, '/customers', { name: `${PERSONAL.name} ${name}` });
    const { billingGroupId } = await create(tenant, '/subscriptions', {
      customerId: payer.id,
      prices: [flat('base', '1.00')],
    });
    await create(tenant, `/billing-groups/${billingGroupId}/bill-now`, {});
    return { billingGroupId, ...(await untilRun(billingGroupId, 'BLOCKED')) };
  };
  expect((await blockedRun('is misread')).reason).toBe('invalid input syntax for type integer: "…"');
  const { billingGroupId, reason } = await blockedRun('is refused');
  expect(reason).toContain('planted');
  const handle = temporal.workflow.getHandle(workflowId.billingGroup(tenant.tenantId, billingGroupId));
  await expect(handle.executeUpdate('realign', { args: [{}] })).rejects.toThrow('Workflow Update failed');
}, 180_000);

test('the database goes away', async () => {
  await api.db.refuse(true);
  const reply = await tenant.get('/customers');
  expect(reply.status).toBe(503);
  errors.push(reply);
  await eventually(
    async () => logged.some((line) => line.includes('outbox: the database does not take it')),
    'the relay to notice',
  );
  await api.db.refuse(false);
  await eventually(async () => (await tenant.get('/customers')).status === 200, 'the database to be back');
}, 60_000);

/** Everything that opens a door, by what it is. */
async function secrets(): Promise<Record<string, string>> {
  const rows = await rowsOf(api.db, tenant.tenantId);
  const all = (table: string, column: string) =>
    (rows[table] as Record<string, string>[]).map((row, index) => [`${column} ${index}`, row[column] ?? ''] as const);
  const passwordOf = (url: string) => decodeURIComponent(new URL(url).password);
  return {
    adminKey,
    readKey,
    platformKey: PLATFORM_KEY,
    wrongKey: adminKey.slice(0, -4),
    ownerPassword: passwordOf(api.db.ownerUrl),
    appPassword: passwordOf(roleUrl(api.db.ownerUrl, 'tributary_app')),
    systemPassword: passwordOf(roleUrl(api.db.ownerUrl, 'tributary_system')),
    ...Object.fromEntries([...all('api_keys', 'secret_hash'), ...all('invoices', 'hosted_token')]),
  };
}

/** Which of them occur in a text, as they are or as a URL writes them, and where. */
const foundIn = (text: string, wanted: Readonly<Record<string, string>>): string[] =>
  Object.entries(wanted).flatMap(([what, value]) =>
    [value, encodeURIComponent(value)].flatMap((form) => {
      const at = text.toLowerCase().indexOf(form.toLowerCase());
      return at < 0 ? [] : [`${what}: ${text.slice(Math.max(0, at - 150), at + 150)}`];
    }),
  );

test('the database holds all that is personal: the search below can find it', async () => {
  const rows = JSON.stringify(await rowsOf(api.db, tenant.tenantId));
  expect(
    Object.keys(PERSONAL).filter((what) => foundIn(rows, { [what]: PERSONAL[what as 'name'] }).length === 0),
  ).toEqual([]);
  const hidden = await secrets();
  expect(Object.entries(hidden).filter(([, value]) => value.length < 16)).toEqual([]);
  expect(Object.keys(hidden).filter((what) => what.startsWith('hosted_token')).length).toBeGreaterThan(2);
});

test('the log holds no secret and nothing personal', async () => {
  const log = logged.join('\n');
  for (const line of ['unexpected failure', 'request failed', tenant.tenantId, '"code":"22P02"', '"status":401']) {
    expect(log).toContain(line);
  }
  expect(foundIn(log, { ...(await secrets()), ...PERSONAL })).toEqual([]);
});

test('the answers to what failed hold no secret, and nothing personal where it was no fault of the caller', async () => {
  const hidden = await secrets();
  const told = errors.flatMap(({ status, body, headers }) => {
    const text = `${JSON.stringify(body)} ${JSON.stringify([...headers])}`;
    return foundIn(text, status >= 500 ? { ...hidden, ...PERSONAL } : hidden);
  });
  expect(told).toEqual([]);
});

test('Temporal holds no secret and nothing personal: no payload, failure, memo, attribute, summary or detail', async () => {
  const record = await recordOf(temporal, `TaskQueue = '${taskQueue}'`);
  for (const seen of [
    groupId,
    tenant.tenantId,
    'TributaryPayer',
    'planted',
    'collect the charges',
    'Next billing',
    'testClockWorkflow',
    'billingRunWorkflow',
  ]) {
    expect(record).toContain(seen);
  }
  expect(foundIn(record, { ...(await secrets()), ...PERSONAL })).toEqual([]);
});
