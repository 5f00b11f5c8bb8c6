import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { changeCustomer } from '../../src/db/customer-changes.ts';
import { resolveCustomerId } from '../../src/db/customers.ts';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { whileOpen } from '../support/race.ts';

let now = '2026-03-01T00:00:00.000Z';
let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => now } });
});
beforeEach(async () => {
  now = '2026-03-01T00:00:00.000Z';
  client = await api.tenant();
});
afterAll(() => api.close());

const create = async (name: string, fields: object = {}): Promise<Reply['body']> =>
  (await client.post('/customers', { name, externalId: name, ...fields })).body;
/** Customers by name, each with its parent's name: `{ B: 'A' }`. Parents come first. */
const grow = async (tree: Record<string, string | null>) => {
  for (const [name, parent] of Object.entries(tree)) {
    await create(name, parent === null ? {} : { parentCustomerId: `externalId:${parent}` });
  }
};
const move = (name: string, parent: string | null) =>
  client.put(`/customers/externalId:${name}`, { parentCustomerId: parent === null ? null : `externalId:${parent}` });
const read = async (name: string) => (await client.get(`/customers/externalId:${name}`)).body;
const clock = async (id: string, nowAt: string, tenantId = client.tenantId) => {
  await api.db.query(
    `insert into test_clocks (tenant_id, id, name, now_at, target_at, status, created_at) values ($1, $2, $2, $3, $3, 'READY', now())`,
    [tenantId, id, nowAt],
  );
  return id;
};

describe('trees', () => {
  test('a child shows its parent and who pays, a parent lists its children', async () => {
    await grow({ Holding: null, Sub: 'Holding', Team: 'Sub' });
    const [holding, team] = [await read('Holding'), await read('Team')];
    expect(team.parent).toEqual({ id: (await read('Sub')).id, externalId: 'Sub', name: 'Sub' });
    expect(team.payerCustomerId).toBe(holding.id);
    expect(team.billingNotice).toEqual({
      subscriptions: 'New subscriptions of Team are billed to Holding unless a subscription says otherwise.',
      invoices: 'Only invoices billed to Team itself are listed; most appear under Holding.',
    });
    expect(holding).toMatchObject({ parent: null, payerCustomerId: holding.id, billingNotice: null });
    const { body } = await client.get(`/customers/${holding.id}/children`);
    expect(body).toMatchObject({ totalItems: 1, items: [{ name: 'Sub' }] });
    expect((await client.get('/customers/nobody/children')).status).toBe(404);
  });

  test('an account that bills itself pays for what is below it', async () => {
    await grow({ Holding: null, Sub: 'Holding', Team: 'Sub' });
    await client.put('/customers/externalId:Sub', { billTo: 'SELF' });
    const sub = await read('Sub');
    expect([sub.payerCustomerId, (await read('Team')).payerCustomerId]).toEqual([sub.id, sub.id]);
    expect(sub.billingNotice).toBeNull();
  });

  //        A
  //      ┌─┴─┐
  //      B   C        the tree is the same, wherever it is asked for
  //    ┌─┴─┐
  //    D   E
  test.each([
    { asked: 'A', ancestors: [] },
    { asked: 'C', ancestors: ['A'] },
    { asked: 'E', ancestors: ['A', 'B'] },
  ])('the hierarchy, asked at $asked', async ({ asked, ancestors }) => {
    await grow({ A: null, B: 'A', C: 'A', D: 'B', E: 'B', Stranger: null });
    const { body } = await client.get(`/customers/externalId:${asked}/hierarchy`);
    type Node = { name: string; children: Node[] };
    const shape = ({ name, children }: Node): unknown =>
      children.length === 0 ? name : [name, ...children.map(shape)];
    expect(shape(body.tree)).toEqual(['A', ['B', 'D', 'E'], 'C']);
    expect(body.ancestors.map(({ name }: Node) => name)).toEqual(ancestors);
    expect(body.tree).toMatchObject({
      externalId: 'A',
      status: 'ACTIVE',
      billTo: 'PARENT',
      payerCustomerId: body.tree.id,
    });
  });

  test.each([
    { child: 'A', parent: 'A', circle: 'A → A' },
    { child: 'A', parent: 'B', circle: 'A → B → A' },
    { child: 'A', parent: 'C', circle: 'A → C → B → A' },
    { child: 'B', parent: 'C', circle: 'B → C → B' },
  ])('$child under $parent would be a circle', async ({ child, parent, circle }) => {
    await grow({ A: null, B: 'A', C: 'B' });
    const { status, body } = await move(child, parent);
    expect({ status, code: body.code, path: body.errors[0].path }).toEqual({
      status: 409,
      code: 'customer.cycle',
      path: 'parentCustomerId',
    });
    expect(body.detail).toContain(`: ${circle}.`);
    expect((await read('A')).parentCustomerId).toBeNull();
  });

  test('of two moves at once that would close a circle together, one is refused', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [a, b, c] = [`a${round}`, `b${round}`, `c${round}`];
      await grow({ [a]: null, [b]: null, [c]: null });
      const replies = await Promise.all([move(a, b), move(b, c), move(c, a)]);
      expect(replies.map(({ status }) => status).toSorted((one, two) => one - two)).toEqual([200, 200, 409]);
      expect(replies.find(({ status }) => status === 409)?.body.code).toBe('customer.cycle');
    }
  });

  //   A   C     A moves under D while C moves under B: neither move touches a row of the other, and together they would
  //   B   D     make A → D → C → B → A.
  test('of two moves in distant branches that would close a circle together, one waits and is refused', async () => {
    await grow({ A: null, B: 'A', C: null, D: 'C' });
    const second = await whileOpen(
      api.db,
      client.tenantId,
      async (tx) => {
        const by = { actor: 'test', mode: 'TEST' } as const;
        await changeCustomer(tx, await resolveCustomerId(tx, 'externalId:A'), { parentCustomerId: 'externalId:D' }, by);
      },
      () => move('C', 'B'),
    );
    expect(second.body).toMatchObject({ status: 409, code: 'customer.cycle' });
    expect(second.body.detail).toContain(': C → B → A → D → C.');
  });

  test('fifty levels and no more, however the tree is put together', async () => {
    const names = Array.from({ length: 49 }, (_, n) => `L${n + 1}`);
    await grow(Object.fromEntries(names.map((name, n) => [name, names[n - 1] ?? null])));
    await create('L50', { parentCustomerId: 'externalId:L49' });
    const leaf = await client.post('/customers', { name: 'L51', parentCustomerId: 'externalId:L50' });
    expect(leaf.body).toMatchObject({ status: 409, code: 'customer.too_deep' });
    await grow({ Twig: null, TwigLeaf: 'Twig' });
    expect((await move('Twig', 'L49')).body.code).toBe('customer.too_deep');
    expect((await move('Twig', 'L48')).status).toBe(200);
  });
});

describe('a parent is a dated fact', () => {
  const facts = async (name: string) =>
    (
      await api.db.query(
        `select q.name as parent, p.valid_from, p.valid_to from customer_parents p
           join customers c on c.id = p.customer_id join customers q on q.id = p.parent_customer_id
          where p.tenant_id = $1 and c.name = $2 order by p.valid_from`,
        [client.tenantId, name],
      )
    ).map(({ parent, valid_from: from, valid_to: to }) => [
      parent,
      from.toISOString().slice(0, 10),
      to?.toISOString().slice(0, 10) ?? null,
    ]);

  test('each move closes one and opens the next; a move to where it is changes nothing', async () => {
    await grow({ A: null, B: null, Child: 'A' });
    now = '2026-04-01T00:00:00.000Z';
    await move('Child', 'B');
    now = '2026-05-01T00:00:00.000Z';
    await move('Child', 'B');
    await move('Child', null);
    now = '2026-06-01T00:00:00.000Z';
    await move('Child', 'A');
    expect(await facts('Child')).toEqual([
      ['A', '2026-03-01', '2026-04-01'],
      ['B', '2026-04-01', '2026-05-01'],
      ['A', '2026-06-01', null],
    ]);
  });

  test('two moves at one instant leave the second', async () => {
    await grow({ A: null, B: null, Child: 'A' });
    await move('Child', 'B');
    expect(await facts('Child')).toEqual([['B', '2026-03-01', null]]);
    await move('Child', null);
    expect(await facts('Child')).toEqual([]);
  });

  test("it begins by the customer's clock", async () => {
    await create('A', { testClockId: await clock('clk_2030', '2030-01-01T00:00:00.000Z') });
    await grow({ Child: 'A' });
    expect(await facts('Child')).toEqual([['A', '2030-01-01', null]]);
    const { body } = await client.get(`/audit-events?subjectId=${(await read('Child')).id}`);
    expect(body.items[0]).toMatchObject({ happenedAt: '2030-01-01T00:00:00.000Z', recordedAt: now });
  });
});

describe('test clocks', () => {
  test("a child inherits its parent's; naming the same is fine, another is not", async () => {
    const testClockId = await clock('clk_1', now);
    await clock('clk_2', now);
    await create('A', { testClockId });
    expect((await create('B', { parentCustomerId: 'externalId:A' })).testClockId).toBe(testClockId);
    expect((await create('C', { parentCustomerId: 'externalId:A', testClockId })).testClockId).toBe(testClockId);
    for (const sent of ['clk_2', null]) {
      const { body } = await client.post('/customers', {
        name: 'D',
        parentCustomerId: 'externalId:A',
        testClockId: sent,
      });
      expect(body).toMatchObject({ status: 409, code: 'clock.mismatch' });
    }
  });

  test('two clocks never meet in one tree', async () => {
    await clock('clk_a', now);
    await clock('clk_b', now);
    await create('OnA', { testClockId: 'clk_a' });
    await create('OnB', { testClockId: 'clk_b' });
    await create('OnNone');
    for (const [child, parent] of [
      ['OnA', 'OnB'],
      ['OnA', 'OnNone'],
      ['OnNone', 'OnA'],
    ] as const) {
      expect((await move(child, parent)).body).toMatchObject({ status: 409, code: 'clock.mismatch' });
    }
  });

  test('a clock is for ever; sending it unchanged is no change', async () => {
    await clock('clk_c', now);
    const { id } = await create('A', { testClockId: 'clk_c' });
    expect((await client.put(`/customers/${id}`, { testClockId: 'clk_c' })).status).toBe(200);
    expect((await client.put(`/customers/${id}`, { testClockId: null })).body.code).toBe('clock.immutable');
  });

  test('a LIVE tenant has none, and nobody sees the clock of another tenant', async () => {
    const live = await api.tenant('LIVE');
    await clock('clk_d', now);
    await clock('clk_e', now, live.tenantId);
    const refused = await live.post('/customers', { name: 'A', testClockId: 'clk_e' });
    expect(refused.body).toMatchObject({ status: 409, code: 'clock.live_tenant' });
    expect((await client.post('/customers', { name: 'A', testClockId: 'clk_e' })).status).toBe(404);
  });
});
