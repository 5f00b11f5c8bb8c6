import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadAccountOrders } from '../../src/db/billing/facts.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let client: Client;
let seconds = 0;
const ids: Record<string, string> = {};

/** Each is made a second after the one before. */
const create = async (name: string, parent?: string): Promise<void> => {
  const fields = parent === undefined ? {} : { parentCustomerId: ids[parent] };
  ids[name] = (await client.post('/customers', { name, ...fields })).body.id;
};

beforeAll(async () => {
  api = await startTestApi({
    clock: { now: () => new Date(Date.UTC(2026, 2, 1) + (seconds += 1) * 1000).toISOString() },
  });
  client = await api.tenant();
  await create('Elsewhere');
  await create('Root');
  await create('North', 'Root');
  await create('South', 'Root');
  await create('North 1', 'North');
  await create('South 1', 'South');
  await create('North 2', 'North');
  await create('Deep', 'North 1');
  await create('Mover', 'North');
  await client.send('PATCH', `/customers/${ids['Mover']}`, { parentCustomerId: ids['South'] });
  await create('Late', 'Root');
});
afterAll(() => api.close());

const orders = async (...parties: readonly [payer: string, owners: readonly string[]][]): Promise<string[][]> => {
  const names = new Map(Object.entries(ids).map(([name, id]) => [id, name]));
  const loaded = await api.db.database.inTenant(client.tenantId, (tx) =>
    loadAccountOrders(
      tx,
      parties.map(([payer, owners]) => ({
        payerId: ids[payer] ?? '',
        ownerIds: owners.map((name) => ids[name] ?? ''),
      })),
    ),
  );
  // Accounts that own nothing may be named as well; they have no lines.
  return loaded.map((order, index) =>
    order
      .map((id) => names.get(id) ?? id)
      .filter((name) => parties[index]?.[0] === name || parties[index]?.[1].includes(name)),
  );
};

const EVERYBODY = ['Late', 'Mover', 'Deep', 'South 1', 'North 2', 'North 1', 'South', 'North', 'Elsewhere', 'Root'];

test('the payer, its tree depth first with siblings by creation, then owners from elsewhere (RO1)', async () => {
  expect(await orders(['Root', EVERYBODY])).toEqual([
    ['Root', 'North', 'North 1', 'Deep', 'North 2', 'South', 'South 1', 'Mover', 'Late', 'Elsewhere'],
  ]);
});

test('accounts that own nothing still hold the place of what is below them', async () => {
  expect(await orders(['Root', ['Late', 'Mover', 'South 1', 'Deep', 'Deep']])).toEqual([
    ['Root', 'Deep', 'South 1', 'Mover', 'Late'],
  ]);
});

test('several payers at once, one of them alone, one within the tree of another', async () => {
  expect(
    await orders(['North', ['Deep', 'Late', 'North 2']], ['Elsewhere', ['Elsewhere']], ['Root', ['South', 'North']]),
  ).toEqual([['North', 'Deep', 'North 2', 'Late'], ['Elsewhere'], ['Root', 'North', 'South']]);
});

test('a payer alone needs no statement', async () => {
  expect(await loadAccountOrders({} as never, [{ payerId: 'p', ownerIds: ['p', 'p'] }])).toEqual([['p']]);
});
