import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { listCharges } from '../../src/db/charges/views.ts';
import type { Tx } from '../../src/db/database.ts';
import { listGroups } from '../../src/db/group-views.ts';
import { listInvoiceLines, listInvoices } from '../../src/db/invoices/list.ts';
import { listRuns } from '../../src/db/run-views.ts';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { billUntil } from '../support/billing.ts';
import { create, flat } from '../support/billing-shapes.ts';

type Body = Reply['body'];

let api: TestApi;
let client: Client;
let payer: Body;
beforeAll(async () => {
  api = await startTestApi();
  client = await api.tenant();
  const clock = await create(client, '/test-clocks', { name: 'test', now: '2026-03-01T00:00:00Z' });
  payer = await create(client, '/customers', { name: 'Payer', testClockId: clock.id });
  const child = await create(client, '/customers', { name: 'Child', parentCustomerId: payer.id });
  await create(client, '/tax-rates', { code: 'VAT', name: 'VAT', percent: '20' });
  await create(client, '/credits', { customerId: payer.id, amount: '50.00' });
  const daily = { cadence: { interval: 'DAY', count: 1 } };
  for (const { id } of [payer, child]) {
    await create(client, '/subscriptions', {
      customerId: id,
      prices: [flat('a', '1.00', daily), flat('b', '2.00', daily)],
    });
  }
  await create(client, '/billing-groups', { payerCustomerId: payer.id });
  for (let made = 0; made < 5; made += 1)
    await create(client, '/charges', { customerId: child.id, description: 'Visit', amount: '3.00' });
  await billUntil(api.db.database, client.tenantId, clock.id, '2026-03-30T00:00:00Z');
});
afterAll(() => api.close());

/** How many statements a read sends, its transaction's own left out. */
const statementsOf = (
  read: (tx: Tx) => Promise<{ items: unknown[] }>,
): Promise<{ items: number; statements: number }> =>
  api.db.database.inTenant(
    client.tenantId,
    async (tx) => {
      const query = vi.spyOn(pg.Client.prototype, 'query');
      try {
        const { items } = await read(tx);
        return { items: items.length, statements: query.mock.calls.length };
      } finally {
        query.mockRestore();
      }
    },
    { readOnly: true },
  );

const ascending = { page: 0, descending: false };

test.each<[what: string, atMost: number, read: (size: number) => (tx: Tx) => Promise<{ items: unknown[] }>]>([
  ['invoices', 5, (size) => (tx) => listInvoices(tx, { ...ascending, size, lines: false })],
  ['invoices with their lines', 7, (size) => (tx) => listInvoices(tx, { ...ascending, size, lines: true })],
  [
    'runs with their members',
    3,
    (size) => (tx) => listRuns(tx, { ...ascending, size, cursor: undefined, members: true }),
  ],
  ['charges', 2, (size) => (tx) => listCharges(tx, { ...ascending, size })],
])('a page of %s takes at most %i statements, whatever its size', async (_, atMost, read) => {
  const [one, many] = [await statementsOf(read(1)), await statementsOf(read(5))];
  expect([one.items, many.items]).toEqual([1, 5]);
  expect(one.statements).toBeGreaterThan(1);
  expect(many.statements).toBeLessThanOrEqual(atMost);
  expect(one.statements).toBe(many.statements);
  if (atMost > 2) expect((await statementsOf(read(29))).statements).toBe(many.statements);
});

test('a page of groups takes as many statements for two as for one', async () => {
  const [one, two] = [
    await statementsOf((tx) => listGroups(tx, { ...ascending, size: 1 })),
    await statementsOf((tx) => listGroups(tx, { ...ascending, size: 2 })),
  ];
  expect([one.items, two.items]).toEqual([1, 2]);
  expect(two.statements).toBe(one.statements);
  expect(two.statements).toBeLessThanOrEqual(8);
});

test('a page of lines takes four statements', async () => {
  const { items } = await api.db.database.inTenant(client.tenantId, (tx) =>
    listInvoices(tx, { ...ascending, size: 1, lines: true }),
  );
  const id = (items[0] as { id: string }).id;
  const found = await statementsOf((tx) => listInvoiceLines(tx, id, { ...ascending, size: 3 }));
  expect(found).toEqual({ items: 3, statements: 4 });
});
