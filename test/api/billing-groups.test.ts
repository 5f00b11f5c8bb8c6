import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { billDue, billUntil } from '../support/billing.ts';
import { create, flat, setup } from '../support/billing-shapes.ts';

type Body = Reply['body'];

let api: TestApi;
let client: Client;
let clock: Body;
let payer: Body;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  client = await api.tenant();
  clock = await create(client, '/test-clocks', { name: 'test', now: '2026-03-01T00:00:00Z' });
  payer = await create(client, '/customers', { name: 'Payer', externalId: 'payer', testClockId: clock.id });
});
afterAll(() => api.close());

const until = (to: string): Promise<void> => billUntil(api.db.database, client.tenantId, clock.id, to);
const subscribe = (prices: object[], fields: object = {}): Promise<Body> =>
  create(client, '/subscriptions', { customerId: payer.id, prices, ...fields });
const open = (fields: object = {}): Promise<Body> =>
  create(client, '/billing-groups', { payerCustomerId: payer.id, ...fields });
const read = async (id: string): Promise<Body> => (await client.get(`/billing-groups/${id}`)).body;
const tell = (id: string, verb: string, body?: object): Promise<Reply> =>
  client.post(`/billing-groups/${id}/${verb}`, body);
const told = async (id: string, verb: string, body?: object): Promise<Body> => {
  const reply = await tell(id, verb, body);
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return reply.body;
};
const invoicesOf = async ({ id }: Body): Promise<Body[]> =>
  (await client.get(`/customers/${id}/invoices?include=lines&size=200`)).body.items;
const boundaries = async (id: string, count: number): Promise<string[]> =>
  (await client.get(`/billing-groups/${id}/schedule?count=${count}`)).body.items.map(
    ({ localDate }: Body) => localDate,
  );
const month = { interval: 'MONTH', count: 1 };

describe('opening and changing', () => {
  test('every field, read back, with what follows from it', async () => {
    const entity = await create(client, '/billing-entities', {
      entityCode: 'JP',
      displayName: 'JP',
      baseCurrency: 'JPY',
      countryCode: 'JP',
      billingTimezone: 'Asia/Tokyo',
    });
    const sent = {
      billingEntityId: entity.id,
      currency: 'USD',
      name: 'Factories',
      cadence: { interval: 'QUARTER', count: 1 },
      anchorDate: '2026-01-31',
      taxAddress: 'OWNER',
      midCycleCharges: 'IMMEDIATE',
      settleMinutes: 0,
      graceHours: 0,
      purchaseOrder: 'PO-7',
    };
    const group = await open({ ...sent, payerCustomerId: 'externalId:payer' });
    expect(group).toEqual({
      ...sent,
      id: expect.stringMatching(/^grp_/),
      payerCustomerId: payer.id,
      timezone: 'Asia/Tokyo',
      isDefault: false,
      nextSchedule: null,
      status: 'ACTIVE',
      statusReason: null,
      nextBillingAt: null,
      lastBoundaryAt: null,
      workflowId: `billing-group/${client.tenantId}/${group.id}`,
      temporalUrl: null,
      subscriptionCount: 0,
      testClockId: clock.id,
      createdAt: '2026-03-01T00:00:00.000Z',
    });
    expect(await read(group.id)).toEqual(group);
  });

  test('what is not sent comes from the payer, else the default entity', async () => {
    expect(await open()).toMatchObject({
      currency: 'USD',
      timezone: 'UTC',
      cadence: month,
      anchorDate: null,
      name: null,
      taxAddress: 'PAYER',
      midCycleCharges: 'NEXT_INVOICE',
      settleMinutes: 15,
      graceHours: 0,
      purchaseOrder: null,
    });
    const entity = await create(client, '/billing-entities', {
      entityCode: 'EU',
      displayName: 'EU',
      baseCurrency: 'EUR',
      countryCode: 'DE',
      billingTimezone: 'Europe/Berlin',
    });
    await client.put(`/customers/${payer.id}`, { billingEntityId: entity.id });
    expect(await open()).toMatchObject({ billingEntityId: entity.id, currency: 'EUR', timezone: 'Europe/Berlin' });
    await client.put(`/customers/${payer.id}`, { currency: 'JPY' });
    expect(await open()).toMatchObject({ currency: 'JPY' });
    await client.post(`/billing-entities/${entity.id}/archive`);
    expect((await client.post('/billing-groups', { payerCustomerId: payer.id })).body).toMatchObject({
      status: 409,
      code: 'entity.archived',
      errors: [{ path: 'billingEntityId' }],
    });
    await client.post(`/customers/${payer.id}/archive`);
    expect((await client.post('/billing-groups', { payerCustomerId: payer.id })).body).toMatchObject({
      status: 409,
      code: 'payer.inactive',
    });
  });

  test('only what is sent changes; a closed group does not', async () => {
    const group = await open({ name: 'Before', purchaseOrder: 'PO-1' });
    const changed = await client.put(`/billing-groups/${group.id}`, {
      name: null,
      taxAddress: 'OWNER',
      settleMinutes: 1440,
    });
    expect(changed.body).toEqual({ ...group, name: null, taxAddress: 'OWNER', settleMinutes: 1440 });
    const patched = await client.send('PATCH', `/billing-groups/${group.id}`, {
      purchaseOrder: 'PO-2',
      midCycleCharges: 'IMMEDIATE',
    });
    expect(patched.body).toEqual({ ...changed.body, purchaseOrder: 'PO-2', midCycleCharges: 'IMMEDIATE' });
    for (const [fields, path] of [
      [{ graceHours: 4 }, 'graceHours'],
      [{ settleMinutes: 1441 }, 'settleMinutes'],
      [{ settleMinutes: -1 }, 'settleMinutes'],
      [{ currency: 'EUR' }, 'currency'],
      [{ anchorDate: '2026-01-01' }, 'anchorDate'],
    ] as const) {
      const { status, body } = await client.put(`/billing-groups/${group.id}`, fields);
      expect([status, body.errors?.[0]?.path], JSON.stringify(body)).toEqual([400, path]);
    }
    const { body: log } = await client.get(`/audit-events?subjectId=${group.id}&action=billing_group.changed`);
    expect(log.items.map(({ detail }: Body) => detail)).toEqual([
      { name: null, taxAddress: 'OWNER', settleMinutes: 1440 },
      { purchaseOrder: 'PO-2', midCycleCharges: 'IMMEDIATE' },
    ]);
    await told(group.id, 'close');
    expect((await client.put(`/billing-groups/${group.id}`, { name: 'x' })).body).toMatchObject({
      status: 409,
      code: 'group.closed',
    });
  });

  test('the default group of the first subscription has its start as anchor, and counts its members', async () => {
    const { billingGroupId, id } = await subscribe([flat('base', '10.00')], { startDate: '2026-03-10' });
    await subscribe([flat('late', '10.00')], { startDate: '2026-06-01' });
    expect(await read(billingGroupId)).toMatchObject({
      isDefault: true,
      anchorDate: '2026-03-10',
      subscriptionCount: 2,
      nextBillingAt: '2026-03-10T00:00:00.000Z',
    });
    await client.post(`/subscriptions/${id}/cancel`, { effective: 'NOW' });
    expect(await read(billingGroupId)).toMatchObject({ subscriptionCount: 1 });
  });
});

test('groups are listed by each of their filters; another tenant sees none', async () => {
  const entity = await create(client, '/billing-entities', {
    entityCode: 'EU',
    displayName: 'EU',
    baseCurrency: 'EUR',
    countryCode: 'DE',
  });
  const stranger = await create(client, '/customers', { name: 'Stranger' });
  const [first, second, third] = [
    await open(),
    await open({ billingEntityId: entity.id }),
    await open({ payerCustomerId: stranger.id }),
  ];
  await told(third.id, 'pause');
  const ids = async (query: string) =>
    (await client.get(`/billing-groups?${query}`)).body.items.map(({ id }: Body) => id);
  for (const [query, expected] of [
    ['', [first, second, third]],
    ['sort=-createdAt', [third, second, first]],
    ['payerCustomerId=externalId:payer', [first, second]],
    [`billingEntityId=${entity.id}`, [second]],
    ['status=PAUSED', [third]],
    ['currency=EUR', [second]],
  ] as const) {
    expect(await ids(query), query).toEqual(expected.map(({ id }) => id));
  }
  const other = await api.tenant();
  expect((await other.get('/billing-groups')).body.items).toEqual([]);
  expect((await other.get('/runs')).body.items).toEqual([]);
  for (const path of ['', '/preview', '/schedule', '/runs'])
    expect((await other.get(`/billing-groups/${first.id}${path}`)).status, path).toBe(404);
  for (const verb of ['pause', 'resume', 'close', 'bill-now', 'skip', 'realign'])
    expect((await other.post(`/billing-groups/${first.id}/${verb}`)).status, verb).toBe(404);
  expect((await other.put(`/billing-groups/${first.id}`, { name: 'x' })).status).toBe(404);
});

describe('the verbs of an operator', () => {
  test('a paused group waits; on resume its boundaries run in order', async () => {
    const { billingGroupId } = await subscribe([flat('base', '10.00')]);
    await until('2026-03-01T00:00:00Z');
    expect(await told(billingGroupId, 'pause')).toMatchObject({ status: 'PAUSED' });
    await until('2026-05-15T00:00:00Z');
    expect(await invoicesOf(payer)).toHaveLength(1);
    expect(await told(billingGroupId, 'resume')).toMatchObject({ status: 'ACTIVE' });
    expect((await tell(billingGroupId, 'resume')).body).toMatchObject({ status: 409, code: 'group.status' });
    await until('2026-05-15T00:00:00Z');
    expect((await invoicesOf(payer)).map(({ boundaryAt, issueDate }) => [boundaryAt.slice(0, 10), issueDate])).toEqual([
      ['2026-03-01', '2026-03-01'],
      ['2026-04-01', '2026-05-15'],
      ['2026-05-01', '2026-05-15'],
    ]);
  });

  test('bill-now takes waiting charges and leaves the schedule', async () => {
    const { billingGroupId } = await subscribe([flat('base', '10.00')]);
    await until('2026-03-10T00:00:00Z');
    await create(client, '/charges', { customerId: payer.id, description: 'Visit', amount: '5.00' });
    const before = await read(billingGroupId);
    expect(await told(billingGroupId, 'bill-now')).toMatchObject({ nextBillingAt: before.nextBillingAt });
    await billDue(api.db.database, client.tenantId, billingGroupId);
    const [, now] = await invoicesOf(payer);
    expect(now).toMatchObject({ kind: 'IMMEDIATE', boundaryAt: null, total: '5.00', billingGroupId });
    const { body } = await client.get(`/billing-groups/${billingGroupId}/runs`);
    expect(body.items.map(({ kind, status }: Body) => [kind, status])).toEqual([
      ['BOUNDARY', 'ISSUED'],
      ['BILL_NOW', 'ISSUED'],
    ]);
  });

  test('a skipped boundary moves what it would have billed to the next', async () => {
    const { billingGroupId } = await subscribe([flat('base', '10.00')]);
    await until('2026-03-02T00:00:00Z');
    await told(billingGroupId, 'skip');
    expect((await read(billingGroupId)).nextBillingAt).toBe('2026-05-01T00:00:00.000Z');
    expect((await client.get(`/billing-groups/${billingGroupId}/preview`)).body.invoices[0].total).toBe('20.00');
    expect((await tell(billingGroupId, 'skip', { boundaryAt: '2026-05-02T00:00:00Z' })).body).toMatchObject({
      status: 400,
      errors: [{ path: 'boundaryAt' }],
    });
    expect((await tell(billingGroupId, 'skip', { boundaryAt: '2026-03-01T00:00:00Z' })).body).toMatchObject({
      status: 409,
      code: 'group.status',
    });
    await until('2026-05-02T00:00:00Z');
    expect((await invoicesOf(payer)).map(({ boundaryAt, total }) => [boundaryAt.slice(0, 10), total])).toEqual([
      ['2026-03-01', '10.00'],
      ['2026-05-01', '20.00'],
    ]);
    const { body } = await client.get(`/billing-groups/${billingGroupId}/runs?status=SKIPPED`);
    expect(body.items).toMatchObject([
      { boundaryAt: '2026-04-01T00:00:00.000Z', reason: 'SKIPPED_BY_OPERATOR', invoiceId: null },
    ]);
  });

  test('a realign for later is told beforehand, in the group and in its schedule, and then holds', async () => {
    const { billingGroupId } = await subscribe([flat('base', '31.00')]);
    await until('2026-03-02T00:00:00Z');
    const set = await told(billingGroupId, 'realign', { anchorDate: '2026-04-15', effective: 'PERIOD_END' });
    expect(set).toMatchObject({
      anchorDate: '2026-03-01',
      nextSchedule: { validFrom: '2026-04-01T00:00:00.000Z', anchorDate: '2026-04-15', cadence: month },
    });
    expect(await boundaries(billingGroupId, 3)).toEqual(['2026-04-15', '2026-05-15', '2026-06-15']);
    await until('2026-04-01T00:00:00Z');
    expect(await read(billingGroupId)).toMatchObject({ anchorDate: '2026-04-15', nextSchedule: null });
    await until('2026-04-15T00:00:00Z');
    expect(await read(billingGroupId)).toMatchObject({
      anchorDate: '2026-04-15',
      nextSchedule: null,
      lastBoundaryAt: '2026-04-15T00:00:00.000Z',
    });
    for (const [body, path] of [
      [{}, 'anchorDate'],
      [{ anchorDate: '2026-04-31' }, 'anchorDate'],
      [{ cadence: { interval: 'MONTH', count: 0 } }, 'cadence.count'],
      [{ anchorDate: '2026-04-20', effective: 'SOON' }, 'effective'],
      [{ anchorDate: '2026-04-20', effective: '2026-04-15' }, 'effective'],
    ] as const) {
      const refused = await tell(billingGroupId, 'realign', body);
      expect([refused.status, refused.body.errors?.[0]?.path], JSON.stringify(refused.body)).toEqual([400, path]);
    }
  });

  test('a group is closed when nothing is left to bill, and is told nothing any more', async () => {
    const { billingGroupId, id } = await subscribe([flat('base', '10.00')]);
    expect((await tell(billingGroupId, 'close')).body).toMatchObject({ status: 409, code: 'group.status' });
    await until('2026-03-02T00:00:00Z');
    await client.post(`/subscriptions/${id}/cancel`, { effective: 'PERIOD_END' });
    await until('2026-04-02T00:00:00Z');
    expect(await told(billingGroupId, 'close')).toMatchObject({ status: 'CLOSED', nextBillingAt: null });
    for (const verb of ['pause', 'resume', 'close', 'bill-now', 'skip', 'realign']) {
      expect((await tell(billingGroupId, verb)).body, verb).toMatchObject({ status: 409, code: 'group.closed' });
    }
  });
});

describe('the schedule', () => {
  test('begins with the next boundary that bills, in UTC and by local date', async () => {
    const entity = await create(client, '/billing-entities', {
      entityCode: 'JP',
      displayName: 'JP',
      baseCurrency: 'JPY',
      countryCode: 'JP',
      billingTimezone: 'Asia/Tokyo',
    });
    const { billingGroupId } = await subscribe([flat('base', '10')], {
      billingEntityId: entity.id,
      startDate: '2026-01-31',
    });
    const { body } = await client.get(`/billing-groups/${billingGroupId}/schedule?count=3`);
    expect(body).toEqual({
      items: [
        { boundaryAt: '2026-01-30T15:00:00.000Z', localDate: '2026-01-31' },
        { boundaryAt: '2026-02-27T15:00:00.000Z', localDate: '2026-02-28' },
        { boundaryAt: '2026-03-30T15:00:00.000Z', localDate: '2026-03-31' },
      ],
    });
    await until('2026-03-01T00:00:00Z');
    expect(await boundaries(billingGroupId, 1)).toEqual(['2026-03-31']);
    expect((await client.get(`/billing-groups/${billingGroupId}/schedule`)).body.items).toHaveLength(24);
  });

  test('is empty without an anchor, and goes on from today where nothing is to be billed', async () => {
    expect(await boundaries((await open()).id, 5)).toEqual([]);
    await until('2026-03-01T09:00:00Z');
    const idle = await open({ anchorDate: '2020-01-01', cadence: { interval: 'DAY', count: 1 } });
    expect(await boundaries(idle.id, 2)).toEqual(['2026-03-02', '2026-03-03']);
    const rare = await open({ anchorDate: '2026-01-01', cadence: { interval: 'YEAR', count: 1000 } });
    expect(await boundaries(rare.id, 500)).toHaveLength(7);
    for (const count of ['0', '501', 'many'])
      expect((await client.get(`/billing-groups/${idle.id}/schedule?count=${count}`)).status).toBe(400);
  });
});

describe('the runs', () => {
  test('say what became of each, of a group with its members and of the tenant by filter', async () => {
    const one = await subscribe([flat('base', '10.00')]);
    const two = await subscribe([flat('base', '10.00')], {
      startDate: '2026-03-15',
      shippingAddress: { city: 'Kyoto', country: 'JP' },
    });
    const own = await subscribe([flat('own', '1.00')], { align: false, startDate: '2026-03-20' });
    await until('2026-04-01T00:00:00Z');
    const { body } = await client.get(`/billing-groups/${one.billingGroupId}/runs`);
    const [march, april] = body.items;
    const invoices = await invoicesOf(payer);
    const ofRun = (run: Body) => invoices.filter(({ runId }) => runId === run.id).map(({ id }) => id);
    expect(march).toEqual({
      id: expect.stringMatching(/^run_/),
      kind: 'BOUNDARY',
      billingGroupId: one.billingGroupId,
      payerCustomerId: payer.id,
      billingEntityId: one.billingEntityId,
      currency: 'USD',
      timezone: 'UTC',
      boundaryAt: '2026-03-01T00:00:00.000Z',
      status: 'ISSUED',
      reason: null,
      invoiceId: ofRun(march)[0],
      invoiceIds: ofRun(march),
      cutOffAt: '2026-03-01T00:00:00.000Z',
      retryAt: null,
      failures: 0,
      createdAt: '2026-03-01T00:00:00.000Z',
      finishedAt: '2026-03-01T00:00:00.000Z',
      members: [{ subscriptionId: one.id, outcome: 'COLLECTED', reason: null }],
    });
    expect(ofRun(april)).toHaveLength(2);
    expect(april).toMatchObject({
      invoiceIds: ofRun(april),
      invoiceId: ofRun(april)[0],
      members: [one, two].map(({ id }) => ({ subscriptionId: id, outcome: 'COLLECTED', reason: null })),
    });
    expect((await client.get(`/runs/${april.id}`)).body).toEqual(april);
    const list = async (query: string) => (await client.get(`/runs?${query}`)).body.items;
    const ids = async (query: string) => (await list(query)).map(({ id }: Body) => id);
    const [ownRun] = (await client.get(`/billing-groups/${own.billingGroupId}/runs`)).body.items;
    expect(await ids('')).toEqual([march, ownRun, april].map(({ id }) => id));
    expect(await ids(`billingGroupId=${one.billingGroupId}`)).toEqual([march.id, april.id]);
    expect(await ids(`billingEntityId=${one.billingEntityId}&sort=-createdAt`)).toEqual(
      [april, ownRun, march].map(({ id }) => id),
    );
    expect([await ids('status=OPEN'), await ids('kind=BILL_NOW')]).toEqual([[], []]);
    expect(await list('status=ISSUED&include=members')).toEqual([march, ownRun, april]);
    expect((await list(''))[0]).not.toHaveProperty('members');
    expect((await client.get('/runs/run_nobody')).status).toBe(404);
    const { body: stretch } = await client.get('/runs?size=2');
    expect(await ids(`size=2&cursor=${stretch.nextCursor}`)).toEqual([april.id]);
  });
});

describe('the preview', () => {
  /** What a stored invoice has and one that is looked ahead to has not. */
  const STORED = [
    'id',
    'number',
    'status',
    'runId',
    'issuedAt',
    'issueDate',
    'issueDateText',
    'dueDate',
    'createdAt',
    'paidAt',
  ] as const;
  const census = () =>
    api.db.query(
      `select (select count(*)::int from invoices) as invoices, (select count(*)::int from invoice_lines) as lines,
              (select count(*)::int from claims) as claims, (select count(*)::int from outbox_messages) as messages,
              (select sum(remaining)::text from credit_grants) as credits, (select count(*)::int from coupon_reservations) as cycles`,
    );
  const bare = (invoice: Body): Body => {
    const figures = { ...invoice, lines: invoice.lines.map(({ id: _, ...line }: Body) => line) };
    for (const field of STORED) delete figures[field];
    return figures;
  };

  test('is what the boundary then issues, to the cent and word by word; it writes nothing', async () => {
    const child = await create(client, '/customers', {
      name: 'Child',
      parentCustomerId: payer.id,
      externalId: 'child',
      address: { region: 'CA', country: 'US' },
    });
    await create(client, '/tax-rates', { code: 'VAT', name: 'VAT', percent: '19' });
    await create(client, '/coupons', {
      code: 'FIX',
      type: 'FIXED',
      amount: '12.00',
      currency: 'USD',
      duration: 'REPEATING',
      cycles: 2,
      carryRemainder: true,
    });
    await create(client, '/coupon-redemptions', { couponCode: 'FIX', customerId: child.id });
    await create(client, '/credits', { customerId: payer.id, amount: '20.00', kind: 'PAID' });
    await create(client, '/credits', { customerId: payer.id, amount: '5.00', priority: 1 });
    const { billingGroupId } = await subscribe([flat('base', '33.33'), setup('start', '9.99')]);
    const leaving = await subscribe([flat('leaves', '31.00', { taxInclusive: true })], { customerId: child.id });
    await subscribe([flat('shipped', '10.00')], {
      customerId: child.id,
      shippingAddress: { city: 'Kyoto', country: 'JP' },
      startDate: '2026-02-15',
    });
    await client.put(`/billing-groups/${billingGroupId}`, { taxAddress: 'OWNER' });
    await create(client, '/charges', { customerId: child.id, description: 'Visit', unitAmount: '0.333', quantity: 7 });
    let issued = 0;
    for (const boundary of ['2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z', '2026-05-01T00:00:00.000Z']) {
      if (boundary.startsWith('2026-05')) {
        await until('2026-04-11T00:00:00Z');
        await client.post(`/subscriptions/${leaving.id}/cancel`, { effective: 'NOW' });
      }
      const before = await census();
      const [preview, again] = [
        await tell(billingGroupId, 'preview'),
        await client.get(`/billing-groups/${billingGroupId}/preview`),
      ];
      expect(preview.body.boundaryAt).toBe(boundary);
      expect(again.body).toEqual(preview.body);
      expect(await census()).toEqual(before);
      for (const invoice of preview.body.invoices) {
        for (const field of STORED) expect(invoice[field], field).toBe(field === 'status' ? 'DRAFT' : null);
      }
      await until(boundary);
      const issuedNow = (await invoicesOf(payer)).slice(issued);
      expect(preview.body.invoices.map(bare)).toEqual(issuedNow.map(bare));
      issued += issuedNow.length;
    }
    expect(issued).toBe(6);
  });

  test('is refused where nothing is to be billed', async () => {
    const group = await open({ anchorDate: '2026-03-01' });
    for (const method of ['GET', 'POST']) {
      expect((await client.send(method, `/billing-groups/${group.id}/preview`)).body).toMatchObject({
        status: 409,
        code: 'group.status',
      });
    }
  });
});
