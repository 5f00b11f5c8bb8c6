import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { collectCharges } from '../../src/db/billing/collect.ts';
import { planStep } from '../../src/db/billing/plan-step.ts';
import type { Tx } from '../../src/db/database.ts';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { billDue, billRun, billUntil } from '../support/billing.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { whileOpen } from '../support/race.ts';

type Body = Reply['body'];

let api: TestApi;
let client: Client;
let clock: Body;
let payer: Body;
let subscription: Body;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  client = await api.tenant();
  clock = await create(client, '/test-clocks', { name: 'test', now: '2026-03-01T00:00:00Z' });
  payer = await create(client, '/customers', { name: 'Payer', externalId: 'payer', testClockId: clock.id });
  subscription = await create(client, '/subscriptions', { customerId: payer.id, prices: [flat('base', '10.00')] });
});
afterAll(() => api.close());

const until = (to: string): Promise<void> => billUntil(api.db.database, client.tenantId, clock.id, to);
const charge = (fields: object = {}): Promise<Reply> =>
  client.post('/charges', {
    customerId: payer.id,
    description: 'Visit',
    ...('unitAmount' in fields ? {} : { amount: '5.00' }),
    ...fields,
  });
const charged = async (fields: object = {}): Promise<Body> => {
  const { status, body } = await charge(fields);
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
};
const invoicesOf = async ({ id }: Body): Promise<Body[]> =>
  (await client.get(`/customers/${id}/invoices?include=lines&size=200`)).body.items;
const onLines = (invoice: Body): string[] => invoice.lines.map((line: Body) => `${line.description} ${line.amount}`);
const outbox = () =>
  api.db.query<{ topic: string; key: string; payload: Body }>(
    `select topic, dedupe_key as key, payload from outbox_messages where tenant_id = $1 and delivered_at is null`,
    [client.tenantId],
  );

describe('a charge for the next invoice', () => {
  test('waits, is told in full, and is on the next invoice with its description, quantity and tax code', async () => {
    const child = await create(client, '/customers', {
      name: 'Child',
      parentCustomerId: payer.id,
      externalId: 'child',
    });
    await create(client, '/tax-rates', { code: 'SRV', name: 'Services', percent: '10', taxCode: 'service' });
    const waiting = await charged({
      customerId: 'externalId:child',
      unitAmount: '0.125',
      quantity: 3,
      taxCode: 'service',
      description: 'Hours',
    });
    expect(waiting).toEqual({
      id: expect.stringMatching(/^chg_/),
      customerId: child.id,
      payerCustomerId: payer.id,
      billingGroupId: subscription.billingGroupId,
      billingEntityId: subscription.billingEntityId,
      currency: 'USD',
      description: 'Hours',
      quantity: '3',
      unitAmount: '0.125',
      amount: '0.38',
      taxCode: 'service',
      timing: 'NEXT_INVOICE',
      chargeOn: '2026-03-01',
      status: 'WAITING',
      invoiceId: null,
      runId: null,
      createdAt: '2026-03-01T00:00:00.000Z',
    });
    await until('2026-03-01T00:00:00Z');
    const [invoice] = await invoicesOf(payer);
    expect(invoice.lines[1]).toMatchObject({
      kind: 'ONE_TIME',
      chargeId: waiting.id,
      description: 'Hours',
      billedFrom: { customerId: child.id, externalId: 'child', name: 'Child' },
      quantity: '3',
      unitAmount: '0.125',
      amount: '0.38',
      taxPercent: '10.00',
      tax: '0.04',
      subscriptionId: null,
      priceCode: null,
      periodStart: null,
      periodEnd: null,
    });
    const billed = (await client.get(`/charges/${waiting.id}`)).body;
    expect(billed).toEqual({ ...waiting, status: 'BILLED', invoiceId: invoice.id, runId: invoice.runId });
    expect((await client.delete(`/charges/${waiting.id}`)).body).toMatchObject({
      status: 409,
      code: 'conflict',
      detail: expect.stringContaining(invoice.id),
    });
    const { body: log } = await client.get(`/audit-events?subjectId=${waiting.id}`);
    expect(log.items).toMatchObject([{ action: 'charge.created', happenedAt: '2026-03-01T00:00:00.000Z' }]);
  });

  test('waits for its day; below 0 it takes off what is due', async () => {
    await until('2026-03-01T00:00:00Z');
    await charged({ description: 'Later', chargeOn: '2026-04-02' });
    await charged({ description: 'On the day', chargeOn: '2026-04-01', amount: '-3.00' });
    await charged({ description: 'Long past', chargeOn: '2026-01-01' });
    await until('2026-05-01T00:00:00Z');
    expect((await invoicesOf(payer)).map((invoice) => [onLines(invoice), invoice.total])).toEqual([
      [['base 10.00'], '10.00'],
      [['base 10.00', 'On the day -3.00', 'Long past 5.00'], '12.00'],
      [['base 10.00', 'Later 5.00'], '15.00'],
    ]);
  });

  test("today is the day of the payer's clock in the group's zone", async () => {
    const entity = await create(client, '/billing-entities', {
      entityCode: 'JP',
      displayName: 'JP',
      baseCurrency: 'JPY',
      countryCode: 'JP',
      billingTimezone: 'Asia/Tokyo',
    });
    const tokyo = await create(client, '/customers', { name: 'T', testClockId: clock.id, billingEntityId: entity.id });
    await create(client, '/subscriptions', {
      customerId: tokyo.id,
      prices: [flat('base', '10')],
      startDate: '2026-03-02',
    });
    await until('2026-03-01T14:59:59Z');
    expect((await charged({ customerId: tokyo.id, amount: '7' })).chargeOn).toBe('2026-03-01');
    await until('2026-03-01T15:00:00Z');
    expect(await charged({ customerId: tokyo.id, amount: '8' })).toMatchObject({
      chargeOn: '2026-03-02',
      currency: 'JPY',
      amount: '8',
    });
    // Dated the boundary's day, but after its cut-off: it waits for the next one.
    await until('2026-04-02T00:00:00Z');
    expect((await invoicesOf(tokyo)).map(onLines)).toEqual([
      ['base 10', 'Visit 7'],
      ['base 10', 'Visit 8'],
    ]);
  });

  test('goes to the group that it names; one that does not fit is refused, and nothing is stored', async () => {
    const other = await create(client, '/billing-groups', {
      payerCustomerId: payer.id,
      name: 'Extras',
      anchorDate: '2026-03-10',
    });
    expect(await charged({ billingGroupId: other.id })).toMatchObject({ billingGroupId: other.id });
    const stranger = await create(client, '/customers', { name: 'Stranger', testClockId: clock.id });
    const theirs = await create(client, '/billing-groups', { payerCustomerId: stranger.id });
    const entity = await create(client, '/billing-entities', {
      entityCode: 'EU',
      displayName: 'EU',
      baseCurrency: 'EUR',
      countryCode: 'DE',
    });
    for (const fields of [
      { billingGroupId: theirs.id },
      { billingGroupId: other.id, currency: 'EUR' },
      { billingGroupId: other.id, billingEntityId: entity.id },
    ]) {
      const { status, body } = await charge(fields);
      expect([status, body.code, body.errors[0].path], JSON.stringify(fields)).toEqual([
        409,
        'group.mismatch',
        'billingGroupId',
      ]);
    }
    expect((await client.get('/charges')).body.totalItems).toBe(1);
    const empty = await create(client, '/billing-groups', { payerCustomerId: payer.id });
    await client.post(`/billing-groups/${empty.id}/close`);
    expect((await charge({ billingGroupId: empty.id })).body).toMatchObject({ status: 409, code: 'group.closed' });
    expect((await charge({ billingGroupId: 'grp_nobody' })).body).toMatchObject({
      status: 404,
      errors: [{ path: 'billingGroupId' }],
    });
    await until('2026-03-10T00:00:00Z');
    expect((await invoicesOf(payer)).map(onLines)).toEqual([['base 10.00'], ['Visit 5.00']]);
  });

  test('takes currency, entity and zone from the group that it names', async () => {
    const entity = await create(client, '/billing-entities', {
      entityCode: 'NZ',
      displayName: 'NZ',
      baseCurrency: 'NZD',
      countryCode: 'NZ',
      billingTimezone: 'Pacific/Auckland',
    });
    const other = await create(client, '/billing-groups', { payerCustomerId: payer.id, billingEntityId: entity.id });
    await client.put(`/customers/${payer.id}`, { currency: 'EUR', billingEntityId: subscription.billingEntityId });
    await client.put(`/billing-entities/${entity.id}`, { billingTimezone: 'Pacific/Pago_Pago' });
    // Midnight in UTC is 13 o'clock in Auckland, where the group is pinned, and the day before in Pago Pago.
    const named = await charged({ billingGroupId: other.id, timing: 'IMMEDIATE' });
    expect(named).toMatchObject({ currency: 'NZD', billingEntityId: entity.id, chargeOn: '2026-03-01' });
    expect((await charge({ currency: 'NZD', billingEntityId: entity.id })).body).toMatchObject({
      billingGroupId: other.id,
      chargeOn: '2026-03-01',
    });
    expect(await charged({ timing: 'IMMEDIATE', billingEntityId: entity.id })).toMatchObject({
      currency: 'EUR',
      chargeOn: '2026-02-28',
    });
  });

  test('lets its group look again', async () => {
    await api.db.query(`update outbox_messages set delivered_at = now()`);
    const { id, billingGroupId } = await charged();
    const refresh = { topic: 'group.refresh', key: billingGroupId, payload: { billingGroupId } };
    expect(await outbox()).toEqual([refresh]);
    await api.db.query(`update outbox_messages set delivered_at = now()`);
    await client.delete(`/charges/${id}`);
    expect(await outbox()).toEqual([refresh]);
  });

  test('without a group that fits it is refused, and says what to do', async () => {
    const alone = await create(client, '/customers', { name: 'Alone', testClockId: clock.id });
    const refused = await charge({ customerId: alone.id });
    expect(refused.body).toMatchObject({
      status: 409,
      code: 'group.none',
      detail: expect.stringContaining('IMMEDIATE'),
    });
    expect((await charge({ currency: 'EUR' })).body).toMatchObject({
      code: 'group.none',
      detail: expect.stringContaining('EUR'),
    });
    const closed = await create(client, '/billing-groups', { payerCustomerId: alone.id });
    await client.post(`/billing-groups/${closed.id}/close`);
    expect((await charge({ customerId: alone.id })).body).toMatchObject({ status: 409, code: 'group.none' });
    const only = await create(client, '/billing-groups', { payerCustomerId: alone.id });
    expect((await charged({ customerId: alone.id })).billingGroupId).toBe(only.id);
    await create(client, '/billing-groups', { payerCustomerId: alone.id });
    expect((await charge({ customerId: alone.id })).body).toMatchObject({
      code: 'group.none',
      detail: expect.stringContaining('several'),
    });
  });

  test('is paid by whom the tree says, or by whom it names, if that one can pay', async () => {
    const child = await create(client, '/customers', { name: 'Child', parentCustomerId: payer.id });
    const own = await create(client, '/customers', { name: 'Own', parentCustomerId: payer.id, billTo: 'SELF' });
    const living = await create(client, '/customers', { name: 'In real time' });
    const gone = await create(client, '/customers', { name: 'Gone', testClockId: clock.id });
    await client.post(`/customers/${gone.id}/archive`);
    expect(await charged({ customerId: child.id })).toMatchObject({ customerId: child.id, payerCustomerId: payer.id });
    expect((await charge({ customerId: own.id })).body.code).toBe('group.none');
    expect(await charged({ customerId: own.id, invoicingCustomerId: 'externalId:payer' })).toMatchObject({
      payerCustomerId: payer.id,
    });
    for (const [fields, status, code] of [
      [{ invoicingCustomerId: gone.id }, 409, 'payer.inactive'],
      [{ customerId: gone.id }, 409, 'customer.archived'],
      [{ invoicingCustomerId: living.id }, 409, 'clock.mismatch'],
      [{ invoicingCustomerId: 'externalId:nobody' }, 404, 'not_found'],
      [{ customerId: 'cus_nobody' }, 404, 'not_found'],
      [{ billingEntityId: 'ent_nobody' }, 404, 'not_found'],
    ] as const) {
      expect((await charge(fields)).body, JSON.stringify(fields)).toMatchObject({ status, code });
    }
  });

  /** The run of the group's first boundary, opened and not begun. */
  const openedRun = async (): Promise<string> => {
    const setClock = (status: string) =>
      api.db.query(`update test_clocks set status = $2 where id = $1`, [clock.id, status]);
    await setClock('ADVANCING');
    const { step } = await api.db.database.inTenant(client.tenantId, (tx) => planStep(tx, subscription.billingGroupId));
    await setClock('READY');
    return step.kind === 'RUN' ? step.runId : '';
  };

  test('written while a run takes its cut-off, it waits for the run and goes on the next invoice', async () => {
    await charged({ description: 'Before' });
    const runId = await openedRun();
    const collect = (tx: Tx) => collectCharges(tx, runId);
    const during = await whileOpen(api.db, client.tenantId, collect, () => charge({ description: 'During' }));
    expect(during.status).toBe(201);
    await billRun(api.db.database, client.tenantId, runId);
    await until('2026-04-01T00:00:00Z');
    expect((await invoicesOf(payer)).map(onLines)).toEqual([
      ['base 10.00', 'Before 5.00'],
      ['base 10.00', 'During 5.00'],
    ]);
  });

  test('deleted while a run takes its cut-off, it is on the invoice and stays', async () => {
    const { id } = await charged();
    const runId = await openedRun();
    const collect = (tx: Tx) => collectCharges(tx, runId);
    const refused = await whileOpen(api.db, client.tenantId, collect, () => client.delete(`/charges/${id}`));
    expect(refused.body).toMatchObject({ status: 409, code: 'conflict', detail: expect.stringContaining('Discard') });
    await billRun(api.db.database, client.tenantId, runId);
    expect((await invoicesOf(payer)).map(onLines)).toEqual([['base 10.00', 'Visit 5.00']]);
  });
});

describe('a charge billed at once', () => {
  test('needs no group: it asks for a run of its own, which makes its invoice', async () => {
    const alone = await create(client, '/customers', { name: 'Alone', testClockId: clock.id });
    const once = await charged({ customerId: alone.id, timing: 'IMMEDIATE', amount: '12.34' });
    expect(once).toMatchObject({
      status: 'WAITING',
      timing: 'IMMEDIATE',
      billingGroupId: null,
      invoiceId: null,
      runId: expect.stringMatching(/^run_/),
    });
    expect(await outbox()).toContainEqual({
      topic: 'run.start',
      key: once.runId,
      payload: { runId: once.runId, testClockId: clock.id },
    });
    expect((await client.get(`/runs/${once.runId}`)).body).toMatchObject({
      kind: 'IMMEDIATE',
      status: 'OPEN',
      boundaryAt: null,
      billingGroupId: null,
      members: [],
    });
    await billRun(api.db.database, client.tenantId, once.runId);
    const [invoice] = await invoicesOf(alone);
    expect(invoice).toMatchObject({
      kind: 'IMMEDIATE',
      billingGroupId: null,
      boundaryAt: null,
      number: 'INV-0001',
      status: 'OPEN',
      total: '12.34',
    });
    expect((await client.get(`/charges/${once.id}`)).body).toMatchObject({
      status: 'BILLED',
      invoiceId: invoice.id,
      runId: once.runId,
    });
    expect((await client.get(`/runs/${once.runId}`)).body).toMatchObject({
      status: 'ISSUED',
      invoiceId: invoice.id,
      invoiceIds: [invoice.id],
    });
  });

  test('of a group is carried out by the group, and leaves what waits where it is', async () => {
    const { billingGroupId } = subscription;
    await charged({ description: 'Waits', chargeOn: '2026-03-02' });
    const once = await charged({ timing: 'IMMEDIATE', billingGroupId, description: 'Now' });
    expect((await outbox()).filter(({ topic }) => topic === 'run.start')).toEqual([]);
    expect(await outbox()).toContainEqual({ topic: 'group.refresh', key: billingGroupId, payload: { billingGroupId } });
    await billDue(api.db.database, client.tenantId, billingGroupId);
    expect(
      (await invoicesOf(payer)).map((invoice) => [onLines(invoice), invoice.billingGroupId, invoice.kind]),
    ).toEqual([[['Now 5.00'], billingGroupId, 'IMMEDIATE']]);
    expect((await client.get(`/charges/${once.id}`)).body).toMatchObject({ status: 'BILLED' });
    await until('2026-04-01T00:00:00Z');
    expect((await invoicesOf(payer)).slice(1).map(onLines)).toEqual([['base 10.00'], ['base 10.00', 'Waits 5.00']]);
  });

  test('a clock that is moved bills it first', async () => {
    await charged({ timing: 'IMMEDIATE', description: 'Now' });
    await until('2026-03-01T00:00:00Z');
    expect((await invoicesOf(payer)).map(onLines)).toEqual([['Now 5.00'], ['base 10.00']]);
  });

  test('cannot be of a later day', async () => {
    expect((await charge({ timing: 'IMMEDIATE', chargeOn: '2026-03-02' })).body).toMatchObject({
      status: 400,
      errors: [{ path: 'chargeOn' }],
    });
    expect((await charge({ timing: 'IMMEDIATE', chargeOn: '2026-02-01' })).status).toBe(201);
  });
});

test('a charge that waits is deleted, and what was to bill it ends', async () => {
  const [waiting, once, grouped] = [
    await charged(),
    await charged({ timing: 'IMMEDIATE' }),
    await charged({ timing: 'IMMEDIATE', billingGroupId: subscription.billingGroupId }),
  ];
  for (const { id } of [waiting, once, grouped]) expect((await client.delete(`/charges/${id}`)).status).toBe(204);
  for (const { id } of [waiting, once, grouped]) {
    expect((await client.get(`/charges/${id}`)).status).toBe(404);
    expect((await client.delete(`/charges/${id}`)).status).toBe(404);
  }
  for (const { runId } of [once, grouped])
    expect((await client.get(`/runs/${runId}`)).body).toMatchObject({ status: 'EMPTY', reason: 'CHARGE_DELETED' });
  await until('2026-03-01T00:00:00Z');
  expect((await invoicesOf(payer)).map(onLines)).toEqual([['base 10.00']]);
});

test('charges are listed by each of their filters', async () => {
  const child = await create(client, '/customers', { name: 'Child', parentCustomerId: payer.id, externalId: 'child' });
  const first = await charged();
  await until('2026-03-01T00:00:00Z');
  const [second, third] = [
    await charged({ customerId: child.id }),
    await charged({ timing: 'IMMEDIATE', currency: 'EUR' }),
  ];
  const ids = async (query: string) => (await client.get(`/charges?${query}`)).body.items.map(({ id }: Body) => id);
  for (const [query, expected] of [
    ['', [first, second, third]],
    ['sort=-createdAt', [third, second, first]],
    ['customerId=externalId:child', [second]],
    [`payerCustomerId=${payer.id}&size=2&page=1`, [third]],
    [`billingGroupId=${subscription.billingGroupId}`, [first, second]],
    [`billingEntityId=${subscription.billingEntityId}`, [first, second, third]],
    ['currency=EUR', [third]],
    ['timing=NEXT_INVOICE', [first, second]],
    ['status=WAITING', [second, third]],
    ['status=BILLED', [first]],
  ] as const) {
    expect(await ids(query), query).toEqual(expected.map(({ id }) => id));
  }
  const other = await api.tenant();
  expect((await other.get('/charges')).body.items).toEqual([]);
  expect([
    (await other.get(`/charges/${first.id}`)).status,
    (await other.delete(`/charges/${second.id}`)).status,
  ]).toEqual([404, 404]);
});

test.each([
  [{ amount: '0.001' }, 'amount', 'money.scale'],
  [{ amount: '0.00' }, 'amount', 'request.invalid'],
  [{ amount: 5 }, 'amount', 'request.invalid'],
  [{ unitAmount: '1', amount: '1' }, 'unitAmount', 'request.invalid'],
  [{ amount: '1', quantity: '1' }, 'quantity', 'request.invalid'],
  [{ unitAmount: '999999999999999', quantity: '2' }, 'unitAmount', 'money.invalid'],
  [{ currency: 'usd' }, 'currency', 'currency.unknown'],
  [{ timing: 'LATER' }, 'timing', 'request.invalid'],
  [{ chargeOn: '2026-02-30' }, 'chargeOn', 'date.invalid'],
  [{ description: ' ' }, 'description', 'request.invalid'],
  [{ colour: 'red' }, 'colour', 'request.invalid'],
])('%j is refused at %s', async (fields, path, code) => {
  const { status, body } = await charge(fields);
  expect([status, body.code, body.errors?.[0]?.path], JSON.stringify(body)).toEqual([400, code, path]);
  expect((await client.get('/charges')).body.totalItems).toBe(0);
});

test('neither amount nor unit amount is refused', async () => {
  const { status, body } = await client.post('/charges', { customerId: payer.id, description: 'Visit' });
  expect([status, body.errors[0].path]).toEqual([400, 'amount']);
});

test('a repeat with the same idempotency key charges once', async () => {
  const [first, again] = [
    await client.post(
      '/charges',
      { customerId: payer.id, description: 'Visit', amount: '5.00' },
      { 'Idempotency-Key': 'k' },
    ),
    await client.post(
      '/charges',
      { customerId: payer.id, description: 'Visit', amount: '5.00' },
      { 'Idempotency-Key': 'k' },
    ),
  ];
  expect([first.status, again.status, again.body]).toEqual([201, 201, first.body]);
  expect((await client.get('/charges')).body.totalItems).toBe(1);
});
