import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { billUntil } from '../support/billing.ts';
import { create, flat, perUnit, setup } from '../support/billing-shapes.ts';

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
const refused = async (fields: object): Promise<Body> => {
  const { status, body } = await client.post('/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
    ...fields,
  });
  return { status, code: body.code, path: body.errors?.[0]?.path };
};
const invoices = async (): Promise<Body[]> =>
  (await client.get(`/customers/${payer.id}/invoices?include=lines&size=200`)).body.items;
/** Each invoice as its boundary (or how else it came) and its lines: code, period, amount. */
const billed = async (): Promise<Body[]> =>
  (await invoices()).map(({ boundaryAt, kind, lines }) => [
    boundaryAt?.slice(0, 10) ?? kind,
    ...lines.map((line: Body) =>
      [line.priceCode, line.periodStart?.slice(5, 10), line.periodEnd?.slice(5, 10), line.amount]
        .filter((part) => part !== undefined)
        .join(' '),
    ),
  ]);
const cancel = (id: string, body?: object): Promise<Reply> => client.post(`/subscriptions/${id}/cancel`, body);

describe('creating', () => {
  test('says whom it bills, from when, in which group, and what it holds', async () => {
    const child = await create(client, '/customers', { name: 'Child', parentCustomerId: payer.id });
    const subscription = await create(client, '/subscriptions', {
      customerId: child.id,
      prices: [perUnit('seats', '9.50'), setup('start', '20.00')],
      quantities: { seats: 3 },
    });
    expect(subscription).toMatchObject({
      customerId: child.id,
      payerCustomerId: payer.id,
      invoicingCustomerId: null,
      subscriptionType: 'STANDALONE',
      status: 'ACTIVE',
      currency: 'USD',
      timezone: 'UTC',
      currentPeriodStart: '2026-03-01T00:00:00.000Z',
      currentPeriodEnd: '2026-04-01T00:00:00.000Z',
      nextBillingAt: '2026-03-01T00:00:00.000Z',
      items: [
        { priceCode: 'seats', quantity: '3', price: { amount: '9.5', model: 'PER_UNIT' } },
        { priceCode: 'start', quantity: '1', price: { type: 'SETUP' } },
      ],
    });
    expect((await client.get(`/subscriptions/${subscription.id}`)).body).toEqual(subscription);
    expect((await client.get(`/customers/${child.id}/subscriptions`)).body.items).toEqual([subscription]);
    expect((await client.get(`/customers/${payer.id}/subscriptions`)).body.items).toEqual([]);
    expect((await client.get(`/subscriptions?payerCustomerId=externalId:payer&status=ACTIVE`)).body.items).toEqual([
      subscription,
    ]);
    expect((await client.get(`/subscriptions?status=SCHEDULED`)).body.items).toEqual([]);
    await until('2026-03-01T00:00:00Z');
    expect(await billed()).toEqual([['2026-03-01', 'seats 03-01 04-01 28.50', 'start 20.00']]);
  });

  // Jan       Feb       Mar 1 (now)
  //  |--s------|---------|            boundaries on the 20th: s is the start, 10 January
  test('in the past: the boundaries since its start, each an invoice of its own, oldest first', async () => {
    await subscribe([flat('base', '31.00')], { startDate: '2026-01-10' });
    await until('2026-03-01T00:00:00Z');
    expect(await billed()).toEqual([
      ['2026-01-10', 'base 01-10 02-10 31.00'],
      ['2026-02-10', 'base 02-10 03-10 31.00'],
    ]);
  });

  test('in the past, in a group that has run: one line for each period, on the next event', async () => {
    await subscribe([flat('first', '10.00')]);
    await until('2026-03-02T00:00:00Z');
    await subscribe([flat('late', '28.00')], { startDate: '2026-01-15' });
    await until('2026-04-01T00:00:00Z');
    expect((await billed())[1]).toEqual([
      '2026-04-01',
      'first 04-01 05-01 10.00',
      // 15 to 31 January is 17 of 31 days.
      'late 01-15 02-01 15.35',
      'late 02-01 03-01 28.00',
      'late 03-01 04-01 28.00',
      'late 04-01 05-01 28.00',
    ]);
  });

  test('in the future: nothing before its start; then a stub to the date of the group', async () => {
    await subscribe([flat('first', '10.00')]);
    const scheduled = await subscribe([flat('later', '30.00')], { startDate: '2026-04-16' });
    expect([scheduled.status, scheduled.currentPeriodStart]).toEqual(['SCHEDULED', null]);
    await until('2026-05-01T00:00:00Z');
    expect((await billed()).slice(1)).toEqual([
      ['2026-04-01', 'first 04-01 05-01 10.00'],
      ['2026-05-01', 'first 05-01 06-01 10.00', 'later 04-16 05-01 15.00', 'later 05-01 06-01 30.00'],
    ]);
  });

  test('with a trial: nothing is charged before its end, which is also what the group is aligned to', async () => {
    const trial = await subscribe([flat('base', '10.00'), setup('start', '5.00')], { trialDays: 14 });
    expect(trial).toMatchObject({
      status: 'TRIALING',
      trialEndsAt: '2026-03-15T00:00:00.000Z',
      currentPeriodEnd: '2026-03-15T00:00:00.000Z',
    });
    await until('2026-03-14T23:59:59Z');
    expect(await invoices()).toEqual([]);
    await until('2026-03-15T00:00:00Z');
    expect(await billed()).toEqual([['2026-03-15', 'base 03-15 04-15 10.00', 'start 5.00']]);
    expect((await client.get(`/subscriptions/${trial.id}`)).body.status).toBe('ACTIVE');
  });

  test('tells when it is billed next itself, whatever others of its group have before', async () => {
    const monthly = await subscribe([flat('base', '10.00')]);
    const tried = await subscribe([flat('tried', '5.00')], { trialDays: 40 });
    const yearly = await subscribe([flat('year', '99.00', { cadence: { interval: 'YEAR', count: 1 } })]);
    const over = await subscribe([flat('over', '5.00')], { endDate: '2026-03-20' });
    const next = async () => {
      const read = async ({ id }: Body) => (await client.get(`/subscriptions/${id}`)).body.nextBillingAt?.slice(0, 10);
      return [await read(monthly), await read(tried), await read(yearly), await read(over)];
    };
    expect(await next()).toEqual(['2026-03-01', '2026-05-01', '2026-03-01', '2026-03-01']);
    await until('2026-03-02T00:00:00Z');
    expect(await next()).toEqual(['2026-04-01', '2026-05-01', '2027-03-01', undefined]);
  });

  test('tells of the group that bills it next when it moves', async () => {
    await subscribe([flat('base', '10.00')]);
    const used = await subscribe([flat('used', '4.00', { billing: 'ARREARS' })]);
    await until('2026-03-02T00:00:00Z');
    const other = await create(client, '/billing-groups', { payerCustomerId: payer.id, anchorDate: '2026-03-20' });
    const { body: moved } = await client.put(`/subscriptions/${used.id}`, { billingGroupId: other.id });
    expect(moved).toMatchObject({ billingGroupId: other.id, nextBillingAt: '2026-04-20T00:00:00.000Z' });
    await until('2026-04-19T00:00:00Z');
    expect((await billed()).flat()).not.toContainEqual(expect.stringContaining('used'));
    await until('2026-04-20T00:00:00Z');
    expect((await billed()).at(-1)).toEqual(['2026-04-20', 'used 03-01 03-20 2.71', 'used 03-20 04-20 4.00']);
    expect((await client.get(`/subscriptions/${used.id}`)).body.nextBillingAt).toBe('2026-05-20T00:00:00.000Z');
  });

  test('with an end: the last period is cut, and nothing is given back', async () => {
    const ending = await subscribe([flat('base', '30.00'), flat('used', '60.00', { billing: 'ARREARS' })], {
      endDate: '2026-04-11',
    });
    expect(ending.cancelAt).toBe('2026-04-11T00:00:00.000Z');
    await until('2026-06-01T00:00:00Z');
    expect(await billed()).toEqual([
      ['2026-03-01', 'base 03-01 04-01 30.00'],
      ['2026-04-01', 'base 04-01 04-11 10.00', 'used 03-01 04-01 60.00'],
      ['2026-05-01', 'used 04-01 04-11 20.00'],
    ]);
  });

  test('aligned to nobody: a group and a date of its own', async () => {
    const aligned = await subscribe([flat('base', '10.00')]);
    await until('2026-03-10T00:00:00Z');
    const alone = await subscribe([flat('own', '10.00')], { align: false });
    expect(alone.billingGroupId).not.toBe(aligned.billingGroupId);
    await until('2026-04-10T00:00:00Z');
    expect((await billed()).map(([boundary]) => boundary)).toEqual([
      '2026-03-01',
      '2026-03-10',
      '2026-04-01',
      '2026-04-10',
    ]);
  });

  test('a cadence that is no multiple of the group’s opens a further group; a quarter and a year join the month', async () => {
    const month = await subscribe([flat('month', '10.00')]);
    const longer = await subscribe([
      flat('quarter', '30.00', { cadence: { interval: 'QUARTER', count: 1 } }),
      flat('year', '120.00', { cadence: { interval: 'YEAR', count: 1 } }),
    ]);
    const week = await subscribe([flat('week', '7.00', { cadence: { interval: 'WEEK', count: 1 } })]);
    expect(longer.billingGroupId).toBe(month.billingGroupId);
    expect(week.billingGroupId).not.toBe(month.billingGroupId);
    const group = (await client.get(`/billing-groups/${week.billingGroupId}`)).body;
    expect(group.cadence).toEqual({ interval: 'WEEK', count: 1 });
    await until('2026-06-01T00:00:00Z');
    const ofMonth = (await invoices()).filter(({ billingGroupId }) => billingGroupId === month.billingGroupId);
    expect(ofMonth.map(({ lines }) => lines.map(({ priceCode }: Body) => priceCode))).toEqual([
      ['month', 'quarter', 'year'],
      ['month'],
      ['month'],
      ['month', 'quarter'],
    ]);
  });
});

describe('what begins between two boundaries', () => {
  test('waits for the next invoice, or gets one of its own at once', async () => {
    await subscribe([flat('first', '10.00')]);
    await until('2026-03-22T09:00:00Z');
    await subscribe([flat('waits', '31.00')]);
    await subscribe([flat('at-once', '31.00'), setup('start', '1.00')], { midCycleCharges: 'IMMEDIATE' });
    await until('2026-04-01T00:00:00Z');
    expect((await billed()).slice(1)).toEqual([
      ['IMMEDIATE', 'at-once 03-22 04-01 10.00', 'start 1.00'],
      [
        '2026-04-01',
        'first 04-01 05-01 10.00',
        'waits 03-22 04-01 10.00',
        'waits 04-01 05-01 31.00',
        'at-once 04-01 05-01 31.00',
      ],
    ]);
  });

  test('and is to be billed at once, but begins later: at its start', async () => {
    await subscribe([flat('first', '10.00')]);
    await subscribe([flat('at-once', '31.00')], { midCycleCharges: 'IMMEDIATE', startDate: '2026-03-22' });
    await until('2026-03-23T00:00:00Z');
    const [, own] = await invoices();
    expect([own.kind, own.issuedAt, own.total]).toEqual(['IMMEDIATE', '2026-03-22T00:00:00.000Z', '10.00']);
  });

  test('on the day of a boundary that has run: the whole period, on an invoice of its own', async () => {
    await subscribe([flat('first', '10.00')]);
    await until('2026-04-01T15:00:00Z');
    await subscribe([flat('same-day', '30.00')]);
    await until('2026-05-01T00:00:00Z');
    expect((await billed()).slice(1)).toEqual([
      ['2026-04-01', 'first 04-01 05-01 10.00'],
      ['IMMEDIATE', 'same-day 04-01 05-01 30.00'],
      ['2026-05-01', 'first 05-01 06-01 10.00', 'same-day 05-01 06-01 30.00'],
    ]);
  });
});

describe('canceling', () => {
  test('at the end of the period, unless it says otherwise: no credit, and it runs until then', async () => {
    const leaving = await subscribe([flat('base', '30.00')]);
    await until('2026-03-10T00:00:00Z');
    const { status, body } = await cancel(leaving.id);
    expect([status, body.status, body.cancelAt]).toEqual([200, 'ACTIVE', '2026-04-01T00:00:00.000Z']);
    await until('2026-06-01T00:00:00Z');
    expect(await billed()).toEqual([['2026-03-01', 'base 03-01 04-01 30.00']]);
    expect((await client.get(`/subscriptions/${leaving.id}`)).body.status).toBe('CANCELED');
    expect((await cancel(leaving.id)).body.code).toBe('subscription.status');
  });

  test('before its start: it never starts', async () => {
    const scheduled = await subscribe([flat('base', '30.00'), setup('start', '9.00')], { startDate: '2026-04-01' });
    expect((await cancel(scheduled.id)).body).toMatchObject({
      status: 'CANCELED',
      endedAt: '2026-04-01T00:00:00.000Z',
    });
    await until('2026-06-01T00:00:00Z');
    expect(await invoices()).toEqual([]);
  });

  test('at once with an invoice of its own: what is unused, what was used, and the credit goes to the wallet', async () => {
    const leaving = await subscribe([flat('base', '31.00'), flat('used', '62.00', { billing: 'ARREARS' })]);
    await until('2026-03-11T08:00:00Z');
    await cancel(leaving.id, { effective: 'NOW', invoiceNow: true });
    await until('2026-05-01T00:00:00Z');
    expect((await billed()).slice(1)).toEqual([
      // 10 days used at 2.00, 21 days unused at 1.00.
      ['IMMEDIATE', 'base 03-11 04-01 -21.00', 'used 03-01 03-11 20.00'],
    ]);
    const [first, own] = await invoices();
    expect(own.lines[0]).toMatchObject({ kind: 'PRORATION_CREDIT', creditsLineId: first.lines[0].id });
    expect([own.total, own.creditGranted, own.status]).toEqual(['0.00', '1.00', 'PAID']);
  });

  test('at once without proration: nothing is given back', async () => {
    const leaving = await subscribe([flat('base', '31.00')]);
    await until('2026-03-11T08:00:00Z');
    await cancel(leaving.id, { effective: 'NOW', prorate: false });
    await until('2026-05-01T00:00:00Z');
    expect(await billed()).toHaveLength(1);
  });

  test('on a date: the period that is billed knows it; one that was billed before gives back', async () => {
    const leaving = await subscribe([flat('base', '30.00')]);
    await until('2026-03-10T00:00:00Z');
    await cancel(leaving.id, { effective: '2026-04-16' });
    await until('2026-04-02T00:00:00Z');
    const sooner = await cancel(leaving.id, { effective: '2026-04-11' });
    expect(sooner.body.cancelAt).toBe('2026-04-11T00:00:00.000Z');
    await until('2026-06-01T00:00:00Z');
    expect((await billed()).slice(1)).toEqual([
      ['2026-04-01', 'base 04-01 04-16 15.00'],
      ['2026-05-01', 'base 04-11 04-16 -5.00'],
    ]);
  });

  test('in the past, or nowhere: refused, and nothing changes', async () => {
    const running = await subscribe([flat('base', '30.00')]);
    const past = await cancel(running.id, { effective: '2026-02-01' });
    expect([past.status, past.body.errors[0].path]).toEqual([400, 'effective']);
    expect((await cancel(running.id, { effective: 'SOON' })).body.errors[0].path).toBe('effective');
    expect((await cancel('sub_nope')).status).toBe(404);
    expect((await client.get(`/subscriptions/${running.id}`)).body.cancelAt).toBeNull();
  });

  test('a line in a draft was not charged yet: it is cut there, and the draft is computed anew', async () => {
    await client.put(`/customers/${payer.id}`, { invoicingFlow: 'REVIEW', taxRate: '10.00' });
    const [leaving, staying] = [await subscribe([flat('leaves', '31.00')]), await subscribe([flat('stays', '8.00')])];
    await until('2026-03-11T08:00:00Z');
    expect((await invoices())[0]).toMatchObject({ status: 'DRAFT', number: null, total: '42.90' });
    await cancel(leaving.id, { effective: 'NOW' });
    const [draft] = await invoices();
    expect(draft).toMatchObject({ status: 'DRAFT', subtotal: '18.00', taxTotal: '1.80', total: '19.80' });
    expect(draft.lines.map((line: Body) => [line.priceCode, line.periodEnd.slice(0, 10), line.amount])).toEqual([
      ['leaves', '2026-03-11', '10.00'],
      ['stays', '2026-04-01', '8.00'],
    ]);
    expect((await client.post(`/invoices/${draft.id}/issue`)).body).toMatchObject({
      status: 'OPEN',
      number: 'INV-0001',
      total: '19.80',
    });
    await until('2026-04-01T00:00:00Z');
    expect((await invoices())[1].lines.map(({ priceCode }: Body) => priceCode)).toEqual(['stays']);
    expect(staying.status).toBe('ACTIVE');
  });
});

describe('groups of a subscription', () => {
  test('others of the same payer move to its group at their next boundary, with a stub', async () => {
    const first = await subscribe([flat('first', '31.00')]);
    await until('2026-03-15T00:00:00Z');
    const second = await subscribe([flat('second', '30.00')], { align: false, groupedSubscriptionIds: [first.id] });
    expect((await client.get(`/subscriptions/${first.id}`)).body.billingGroupId).toBe(second.billingGroupId);
    await until('2026-05-15T00:00:00Z');
    expect(await billed()).toEqual([
      ['2026-03-01', 'first 03-01 04-01 31.00'],
      // The stub belongs to the event at or before its start; 14 of the 31 days from 15 March.
      ['2026-03-15', 'first 04-01 04-15 14.00', 'second 03-15 04-15 30.00'],
      ['2026-04-15', 'first 04-15 05-15 31.00', 'second 04-15 05-15 30.00'],
      ['2026-05-15', 'first 05-15 06-15 31.00', 'second 05-15 06-15 30.00'],
    ]);
  });

  test('one of another payer, or in another currency, is refused and nothing is stored', async () => {
    const stranger = await create(client, '/customers', { name: 'Stranger', testClockId: clock.id });
    const theirs = await create(client, '/subscriptions', { customerId: stranger.id, prices: [flat('base', '10.00')] });
    const euros = await subscribe([flat('base', '10.00')], { currency: 'EUR' });
    for (const other of [theirs.id, euros.id]) {
      expect(await refused({ groupedSubscriptionIds: [other] })).toMatchObject({ status: 409, code: 'group.mismatch' });
    }
    expect((await client.get(`/subscriptions`)).body.totalItems).toBe(2);
    expect(euros.billingGroupId).not.toBe(theirs.billingGroupId);
  });

  test('a group that is named must fit', async () => {
    const stranger = await create(client, '/customers', { name: 'Stranger', testClockId: clock.id });
    const theirs = await create(client, '/billing-groups', { payerCustomerId: stranger.id });
    const weekly = await create(client, '/billing-groups', {
      payerCustomerId: payer.id,
      cadence: { interval: 'WEEK', count: 1 },
    });
    const expected = { status: 409, code: 'group.mismatch', path: 'billingGroupId' };
    expect(await refused({ billingGroupId: theirs.id })).toEqual(expected);
    expect(
      await refused({
        billingGroupId: weekly.id,
        prices: [flat('month', '1.00', { cadence: { interval: 'MONTH', count: 1 } })],
      }),
    ).toEqual(expected);
    const shorter = await subscribe([flat('day', '1.00', { cadence: { interval: 'DAY', count: 1 } })], {
      billingGroupId: weekly.id,
    });
    await until('2026-03-08T00:00:00Z');
    expect((await invoices()).map(({ lines }) => lines.length)).toEqual([1, 7]);
    expect(shorter.billingGroupId).toBe(weekly.id);
  });

  test('a shipping address keeps its recurring lines off the rollup', async () => {
    await subscribe([flat('plain', '10.00')]);
    const shipped = await subscribe([flat('box', '20.00'), setup('crate', '3.00')], {
      shippingAddress: { line1: 'Pier 1', country: 'US' },
    });
    await until('2026-04-01T00:00:00Z');
    const all = await invoices();
    expect(
      all.map(({ boundaryAt, splitSubscriptionId, lines }) => [
        boundaryAt.slice(0, 10),
        splitSubscriptionId,
        lines.map(({ priceCode }: Body) => priceCode),
      ]),
    ).toEqual([
      ['2026-03-01', null, ['plain', 'crate']],
      ['2026-03-01', shipped.id, ['box']],
      ['2026-04-01', null, ['plain']],
      ['2026-04-01', shipped.id, ['box']],
    ]);
  });
});

describe('a named payer', () => {
  test('must be active, stands alone, and never changes by PUT', async () => {
    const finance = await create(client, '/customers', { name: 'Finance', testClockId: clock.id });
    const own = await subscribe([flat('base', '10.00')], { invoicingCustomerId: finance.id });
    expect([own.payerCustomerId, own.invoicingCustomerId]).toEqual([finance.id, finance.id]);
    expect(await refused({ invoicingCustomerId: finance.id, groupedSubscriptionIds: [own.id] })).toMatchObject({
      status: 400,
      path: 'invoicingCustomerId',
    });
    const { status, body } = await client.put(`/subscriptions/${own.id}`, { invoicingCustomerId: payer.id });
    expect([status, body.code]).toEqual([409, 'subscription.payer_immutable']);
    await client.post(`/customers/${finance.id}/archive`);
    const gone = await client.post('/subscriptions', {
      customerId: payer.id,
      invoicingCustomerId: finance.id,
      prices: [flat('base', '1.00')],
    });
    expect([gone.status, gone.body.code]).toEqual([409, 'payer.inactive']);
    expect(gone.body.detail).toContain('invoicing customer is not active');
  });

  test('lives on the same clock as the owner', async () => {
    const elsewhere = await create(client, '/customers', { name: 'Real time' });
    expect(await refused({ invoicingCustomerId: elsewhere.id })).toMatchObject({ status: 409, code: 'clock.mismatch' });
  });
});

test.each([
  ['neither plan nor prices', { prices: undefined }, 'planCode'],
  ['both', { planCode: 'pro' }, 'prices'],
  ['an end before the start', { startDate: '2026-03-10', endDate: '2026-03-10' }, 'endDate'],
  [
    'a trial that ends before the start',
    { startDate: '2026-03-10', trialEndsAt: '2026-03-09T00:00:00Z' },
    'trialEndsAt',
  ],
  ['two starts', { startDate: '2026-03-10', startAt: '2026-03-10T00:00:00Z' }, 'startDate'],
  ['a quantity below 0', { quantity: -1 }, 'quantity'],
  ['a quantity for a price that there is not', { quantities: { seats: 2 } }, 'quantities.seats'],
  ['a group and none', { billingGroupId: 'grp_1', align: false }, 'align'],
  ['money as a number', { prices: [{ ...flat('base', '1.00'), amount: 19 }] }, 'prices[0].amount'],
])('%s is refused with 400 at its field', async (_, fields, path) => {
  expect(await refused(fields)).toMatchObject({ status: 400, path });
  expect((await client.get('/subscriptions')).body.totalItems).toBe(0);
  expect((await client.get('/billing-groups')).body.totalItems).toBe(0);
});
