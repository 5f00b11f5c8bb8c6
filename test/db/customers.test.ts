import { afterAll, beforeAll, expect, test } from 'vitest';
import { payerOf, readCustomerForBinding, resolveCustomerId, resolveCustomerIds } from '../../src/db/customers.ts';
import type { Tx } from '../../src/db/database.ts';
import { nowOf } from '../../src/db/time.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { whileOpen } from '../support/race.ts';

const wall = '2026-03-01T12:00:00.000Z';
const onClock = '2030-01-01T00:00:00.000Z';
let api: TestApi;
let client: Client;
const ids: Record<string, string> = {};
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => wall } });
  client = await api.tenant();
  await api.db.query(
    `insert into test_clocks (tenant_id, id, name, now_at, target_at, status, created_at) values ($1, 'clk_1', 'x', $2, $2, 'READY', now())`,
    [client.tenantId, onClock],
  );
  const create = async (name: string, fields: object = {}) => {
    ids[name] = (await client.post('/customers', { name, externalId: name, ...fields })).body.id;
  };
  await create('Root');
  await create('Self', { parentCustomerId: ids['Root'], billTo: 'SELF' });
  await create('Leaf', { parentCustomerId: ids['Self'] });
  await create('Other', { parentCustomerId: ids['Root'] });
  await create('Timed', { testClockId: 'clk_1' });
  await create('Gone');
  await client.post(`/customers/${ids['Gone']}/archive`);
});
afterAll(() => api.close());

const inTenant = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => api.db.database.inTenant(client.tenantId, work);
const idOf = (name: string): string => ids[name] ?? '';

test.each([
  { customer: 'Root', payer: 'Root' },
  { customer: 'Self', payer: 'Self' },
  { customer: 'Leaf', payer: 'Self' },
  { customer: 'Other', payer: 'Root' },
])('$payer pays for $customer', async ({ customer, payer }) => {
  expect(await inTenant((tx) => payerOf(tx, idOf(customer)))).toBe(idOf(payer));
});

test('nobody pays for a stranger', async () => {
  await expect(inTenant((tx) => payerOf(tx, 'cus_nobody'))).rejects.toMatchObject({ code: 'not_found' });
});

test.each([
  { of: 'a customer on a test clock', subject: () => ({ customerId: idOf('Timed') }), now: onClock },
  { of: 'a customer on none', subject: () => ({ customerId: idOf('Root') }), now: wall },
  { of: 'a clock', subject: () => ({ testClockId: 'clk_1' }), now: onClock },
  { of: 'no clock', subject: () => ({ testClockId: null }), now: wall },
])('now of $of', async ({ subject, now }) => {
  expect(await inTenant((tx) => nowOf(tx, subject()))).toBe(now);
});

test('now of nobody, and of a clock that is not there', async () => {
  for (const subject of [{ customerId: 'cus_nobody' }, { testClockId: 'clk_nobody' }]) {
    await expect(inTenant((tx) => nowOf(tx, subject))).rejects.toMatchObject({ code: 'not_found' });
  }
});

test('references mean ids, in their order, and an unknown one is told by its field', async () => {
  const found = await inTenant((tx) => resolveCustomerIds(tx, ['externalId:Leaf', idOf('Root'), 'externalId:Leaf']));
  expect(found).toEqual([idOf('Leaf'), idOf('Root'), idOf('Leaf')]);
  expect(await inTenant((tx) => resolveCustomerIds(tx, []))).toEqual([]);
  await expect(inTenant((tx) => resolveCustomerId(tx, 'Leaf', 'payerId'))).rejects.toMatchObject({
    code: 'not_found',
    faults: [{ path: 'payerId' }],
  });
});

test.each([
  { role: 'owner', code: 'customer.archived' },
  { role: 'parent', code: 'customer.archived' },
  { role: 'payer', code: 'payer.inactive' },
] as const)('an archived customer is no $role', async ({ role, code }) => {
  const attempt = inTenant((tx) => readCustomerForBinding(tx, 'externalId:Gone', role, 'field'));
  await expect(attempt).rejects.toMatchObject({ code, faults: [{ path: 'field' }] });
});

test('what is being bound cannot be archived until the binding is done', async () => {
  const steps: string[] = [];
  await whileOpen(
    api.db,
    client.tenantId,
    async (tx) => {
      await readCustomerForBinding(tx, idOf('Other'), 'owner', 'customerId');
      steps.push('bound');
    },
    async () => {
      const { status } = await client.post(`/customers/${idOf('Other')}/archive`, undefined);
      steps.push(`archived ${status}`);
    },
  );
  expect(steps).toEqual(['bound', 'archived 200']);
});
