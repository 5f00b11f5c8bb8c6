import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { billDue, billRun, billUntil } from '../support/billing.ts';
import { create, flat, setup } from '../support/billing-shapes.ts';

type Body = Reply['body'];

let api: TestApi;
let client: Client;
let clock: Body;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  client = await api.tenant();
  clock = await create(client, '/test-clocks', { name: 'test', now: '2026-03-01T00:00:00Z' });
});
afterAll(() => api.close());

const until = (to: string): Promise<void> => billUntil(api.db.database, client.tenantId, clock.id, to);
const billNow = async (groupId: string): Promise<void> => {
  expect((await client.post(`/billing-groups/${groupId}/bill-now`)).status).toBe(200);
  await billDue(api.db.database, client.tenantId, groupId);
};
const reviewed = (fields: object = {}): Promise<Body> =>
  create(client, '/customers', { name: 'Careful', testClockId: clock.id, invoicingFlow: 'REVIEW', ...fields });
const subscribe = (customerId: string, prices: object[], fields: object = {}): Promise<Body> =>
  create(client, '/subscriptions', { customerId, prices, ...fields });
const invoicesOf = async ({ id }: Body): Promise<Body[]> =>
  (await client.get(`/customers/${id}/invoices?include=lines&size=200`)).body.items;
const runsOf = async (groupId: string): Promise<[string, string | null][]> =>
  (await client.get(`/billing-groups/${groupId}/runs`)).body.items.map(({ status, reason }: Body) => [status, reason]);
const balance = async ({ id }: Body): Promise<string> =>
  (await client.get(`/customers/${id}/wallet`)).body.balances[0]?.amount ?? '0.00';
/** What a line takes, in one word each. */
const spans = (invoice: Body): string[] =>
  invoice.lines.map(
    (line: Body) =>
      `${line.priceCode ?? line.description} ${line.amount}${line.periodStart === null ? '' : ` ${line.periodStart.slice(0, 10)}`}`,
  );

describe('issuing a draft', () => {
  test('computes coupons, tax and credits anew, numbers it and captures what it held', async () => {
    const payer = await reviewed();
    await create(client, '/coupons', { code: 'HALF', type: 'PERCENT', percent: '50', duration: 'ONCE' });
    const { billingGroupId } = await subscribe(payer.id, [flat('base', '100.00')]);
    await until('2026-03-01T00:00:00Z');
    const [draft] = await invoicesOf(payer);
    expect(draft).toMatchObject({
      status: 'DRAFT',
      number: null,
      discountTotal: '0.00',
      taxTotal: '0.00',
      amountDue: '100.00',
    });
    expect(await runsOf(billingGroupId)).toEqual([['WAITING', 'REVIEW']]);

    await create(client, '/coupon-redemptions', { couponCode: 'HALF', customerId: payer.id });
    await create(client, '/tax-rates', { code: 'VAT', name: 'VAT', percent: '20' });
    await create(client, '/credits', { customerId: payer.id, amount: '15.00' });
    const issued = await client.post(`/invoices/${draft.id}/issue`);
    expect(issued.status).toBe(200);
    expect(issued.body).toMatchObject({
      id: draft.id,
      status: 'OPEN',
      number: 'INV-0001',
      issueDate: '2026-03-01',
      subtotal: '100.00',
      discountTotal: '50.00',
      taxTotal: '10.00',
      total: '60.00',
      creditsApplied: '15.00',
      amountDue: '45.00',
    });
    expect((await client.get(`/invoices/${draft.id}`)).body).toEqual(issued.body);
    expect(await runsOf(billingGroupId)).toEqual([['ISSUED', null]]);
    expect(await balance(payer)).toBe('0.00');
    const { body: log } = await client.get(`/audit-events?subjectId=${draft.id}`);
    expect(log.items.map(({ action, actor }: Body) => [action, actor.split(':')[0]])).toEqual([
      ['invoice.issued', 'system'],
      ['invoice.approved', 'key'],
    ]);

    // The coupon's one cycle is used up; a later draft does not wait, and has none.
    await until('2026-04-01T00:00:00Z');
    expect((await invoicesOf(payer))[1]).toMatchObject({ status: 'DRAFT', discountTotal: '0.00', total: '120.00' });
  });

  test('issues the other drafts of its run with it, the rollup first', async () => {
    const payer = await reviewed();
    const { billingGroupId } = await subscribe(payer.id, [flat('base', '10.00'), setup('start', '1.00')], {
      shippingAddress: { city: 'Kyoto', country: 'JP' },
    });
    await subscribe(payer.id, [flat('other', '20.00')]);
    await until('2026-03-01T00:00:00Z');
    const [rollup, split] = await invoicesOf(payer);
    expect([spans(rollup), spans(split)]).toEqual([
      ['start 1.00', 'other 20.00 2026-03-01'],
      ['base 10.00 2026-03-01'],
    ]);
    expect((await client.post(`/invoices/${split.id}/issue`)).body).toMatchObject({
      id: split.id,
      number: 'INV-0002',
      status: 'OPEN',
    });
    expect((await client.get(`/invoices/${rollup.id}`)).body).toMatchObject({ number: 'INV-0001', status: 'OPEN' });
    expect(await runsOf(billingGroupId)).toEqual([['ISSUED', null]]);
  });

  test('is refused for what is no draft, is at work, or whose entity is suspended; a second time it is refused', async () => {
    const entity = await create(client, '/billing-entities', {
      entityCode: 'EU',
      displayName: 'EU',
      baseCurrency: 'EUR',
      countryCode: 'DE',
    });
    const payer = await reviewed({ billingEntityId: entity.id });
    await subscribe(payer.id, [flat('base', '10.00')]);
    await until('2026-03-01T00:00:00Z');
    const [draft] = await invoicesOf(payer);
    await client.post(`/billing-entities/${entity.id}/suspend`);
    expect((await client.post(`/invoices/${draft.id}/issue`)).body).toMatchObject({
      status: 409,
      code: 'entity.suspended',
    });
    await client.post(`/billing-entities/${entity.id}/reactivate`);

    await api.db.query(`update billing_runs set status = 'OPEN' where id = $1`, [draft.runId]);
    for (const reply of [
      await client.post(`/invoices/${draft.id}/issue`),
      await client.delete(`/invoices/${draft.id}`),
    ]) {
      expect(reply.body).toMatchObject({
        status: 409,
        code: 'invoice.status',
        detail: expect.stringContaining('at this moment'),
      });
    }
    await api.db.query(`update billing_runs set status = 'BLOCKED', reason = 'broken' where id = $1`, [draft.runId]);
    expect((await client.post(`/invoices/${draft.id}/issue`)).body).toMatchObject({
      code: 'invoice.status',
      detail: expect.stringContaining('BLOCKED (broken)'),
    });
    await api.db.query(`update billing_runs set status = 'WAITING', reason = 'REVIEW' where id = $1`, [draft.runId]);

    expect((await client.post(`/invoices/${draft.id}/issue`, { now: true })).status).toBe(400);
    expect((await client.post(`/invoices/${draft.id}/issue`)).status).toBe(200);
    expect((await client.post(`/invoices/${draft.id}/issue`)).body).toMatchObject({
      status: 409,
      code: 'invoice.status',
    });
    expect((await client.delete(`/invoices/${draft.id}`)).body).toMatchObject({ status: 409, code: 'invoice.status' });
    expect((await invoicesOf(payer))[0].number).toBe('INV-0001');
  });

  test('twice at once gives one number', async () => {
    const payer = await reviewed();
    await subscribe(payer.id, [flat('base', '10.00')]);
    await until('2026-03-01T00:00:00Z');
    const [draft] = await invoicesOf(payer);
    const replies = await Promise.all([1, 2, 3].map(() => client.post(`/invoices/${draft.id}/issue`)));
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
    expect((await invoicesOf(payer)).map(({ number }) => number)).toEqual(['INV-0001']);
  });

  test('a draft of 0 that the entity wants no document for is gone, and not billed again', async () => {
    const { body: tenant } = await client.get('/tenant');
    await client.put(`/billing-entities/${tenant.defaultEntityId}`, { zeroInvoices: 'SKIP' });
    const payer = await reviewed();
    const { billingGroupId } = await subscribe(payer.id, [flat('free', '0.00')]);
    await until('2026-03-01T00:00:00Z');
    const [draft] = await invoicesOf(payer);
    expect((await client.post(`/invoices/${draft.id}/issue`)).body).toMatchObject({
      id: draft.id,
      status: 'DRAFT',
      total: '0.00',
    });
    expect((await client.get(`/invoices/${draft.id}`)).status).toBe(404);
    expect(await runsOf(billingGroupId)).toEqual([['EMPTY', 'ZERO']]);
    await until('2026-04-01T00:00:00Z');
    expect((await invoicesOf(payer)).map(spans)).toEqual([['free 0.00 2026-04-01']]);
  });
});

describe('discarding a draft', () => {
  test('releases all that it held; the next event bills it with its own periods', async () => {
    const payer = await reviewed();
    await create(client, '/coupons', {
      code: 'ONCE',
      type: 'FIXED',
      amount: '30.00',
      currency: 'USD',
      duration: 'ONCE',
    });
    await create(client, '/credits', { customerId: payer.id, amount: '25.00' });
    const { billingGroupId } = await subscribe(
      payer.id,
      [flat('base', '100.00'), flat('after', '7.00', { billing: 'ARREARS' }), setup('start', '5.00')],
      {
        coupons: ['ONCE'],
        startDate: '2026-02-15',
      },
    );
    const group = await client.get(`/billing-groups/${billingGroupId}`);
    expect(group.body.anchorDate).toBe('2026-02-15');
    const charge = await create(client, '/charges', {
      customerId: payer.id,
      description: 'Visit',
      amount: '40.00',
      chargeOn: '2026-02-20',
    });
    await until('2026-03-15T00:00:00Z');
    const [february, march] = await invoicesOf(payer);
    expect(spans(february)).toEqual(['base 100.00 2026-02-15', 'start 5.00']);
    expect(spans(march)).toEqual(['base 100.00 2026-03-15', 'after 7.00 2026-02-15', 'Visit 40.00']);
    expect([february.discountTotal, february.creditsApplied, march.discountTotal, march.creditsApplied]).toEqual([
      '30.00',
      '25.00',
      '0.00',
      '0.00',
    ]);
    expect((await client.get(`/charges/${charge.id}`)).body).toMatchObject({
      status: 'BILLED',
      invoiceId: march.id,
      runId: march.runId,
    });

    // An item goes back only over what no later invoice holds.
    const refused = await client.delete(`/invoices/${february.id}`);
    expect(refused.body).toMatchObject({
      status: 409,
      code: 'invoice.status',
      detail: expect.stringContaining(march.id),
    });
    for (const { id } of [march, february]) expect((await client.delete(`/invoices/${id}`)).status).toBe(204);
    expect((await client.get(`/invoices/${march.id}`)).status).toBe(404);
    expect(await runsOf(billingGroupId)).toEqual([
      ['EMPTY', 'DISCARDED'],
      ['EMPTY', 'DISCARDED'],
    ]);
    expect(await balance(payer)).toBe('25.00');
    expect((await client.get(`/charges/${charge.id}`)).body).toMatchObject({
      status: 'WAITING',
      invoiceId: null,
      runId: null,
    });

    await until('2026-04-15T00:00:00Z');
    const [april] = await invoicesOf(payer);
    expect(spans(april)).toEqual([
      'base 100.00 2026-02-15',
      'base 100.00 2026-03-15',
      'base 100.00 2026-04-15',
      'after 7.00 2026-02-15',
      'after 7.00 2026-03-15',
      'start 5.00',
      'Visit 40.00',
    ]);
    expect([april.discountTotal, april.creditsApplied]).toEqual(['30.00', '25.00']);

    // Periods of three months go back together, and come again as they were.
    expect((await client.delete(`/invoices/${april.id}`)).status).toBe(204);
    await billNow(billingGroupId);
    const [again] = await invoicesOf(payer);
    expect(spans(again)).toEqual(spans(april));
    expect((await client.post(`/invoices/${again.id}/issue`)).body).toMatchObject({
      number: 'INV-0001',
      total: '329.00',
    });
    expect(await balance(payer)).toBe('0.00');
    await until('2026-05-15T00:00:00Z');
    expect((await invoicesOf(payer)).slice(1).map(spans)).toEqual([
      ['base 100.00 2026-05-15', 'after 7.00 2026-04-15'],
    ]);
  });

  test('bill-now bills what was on it', async () => {
    const payer = await reviewed();
    const { billingGroupId } = await subscribe(payer.id, [flat('base', '31.00'), setup('start', '5.00')]);
    await until('2026-03-01T00:00:00Z');
    const [draft] = await invoicesOf(payer);
    await client.delete(`/invoices/${draft.id}`);
    await billNow(billingGroupId);
    const [again] = await invoicesOf(payer);
    expect(spans(again)).toEqual(spans(draft));
    expect([again.kind, again.status]).toEqual(['IMMEDIATE', 'DRAFT']);
    await client.post(`/invoices/${again.id}/issue`);
    await until('2026-04-01T00:00:00Z');
    expect((await invoicesOf(payer)).map(spans)).toEqual([
      ['base 31.00 2026-03-01', 'start 5.00'],
      ['base 31.00 2026-04-01'],
    ]);
  });

  test('gives the credit for unused time again', async () => {
    const payer = await reviewed();
    const { billingGroupId, id } = await subscribe(payer.id, [flat('base', '31.00')]);
    await subscribe(payer.id, [flat('stays', '1.00')]);
    await until('2026-03-01T00:00:00Z');
    const [march] = await invoicesOf(payer);
    await client.post(`/invoices/${march.id}/issue`);
    await until('2026-03-11T00:00:00Z');
    await client.post(`/subscriptions/${id}/cancel`, { effective: 'NOW' });
    await until('2026-04-01T00:00:00Z');
    const [, april] = await invoicesOf(payer);
    expect(spans(april)).toEqual(['base -21.00 2026-03-11', 'stays 1.00 2026-04-01']);
    await client.delete(`/invoices/${april.id}`);
    await billNow(billingGroupId);
    const [, again] = await invoicesOf(payer);
    expect(spans(again)).toEqual(spans(april));
    expect(again.lines[0].creditsLineId).toBe(march.lines[0].id);
    await client.post(`/invoices/${again.id}/issue`);
    await until('2026-06-02T00:00:00Z');
    expect((await invoicesOf(payer)).slice(2).map(spans)).toEqual([
      ['stays 1.00 2026-05-01'],
      ['stays 1.00 2026-06-01'],
    ]);
  });

  test('leaves the other drafts of its run as they are', async () => {
    const payer = await reviewed();
    const { billingGroupId } = await subscribe(payer.id, [flat('shipped', '10.00')], {
      shippingAddress: { city: 'Kyoto', country: 'JP' },
    });
    await subscribe(payer.id, [flat('other', '20.00')]);
    await until('2026-03-01T00:00:00Z');
    const [rollup, split] = await invoicesOf(payer);
    await client.delete(`/invoices/${rollup.id}`);
    expect(await runsOf(billingGroupId)).toEqual([['WAITING', 'REVIEW']]);
    expect(await invoicesOf(payer)).toEqual([split]);
    expect((await client.post(`/invoices/${split.id}/issue`)).body.number).toBe('INV-0001');
    await until('2026-04-01T00:00:00Z');
    const [, april] = await invoicesOf(payer);
    expect(spans(april)).toEqual(['other 20.00 2026-03-01', 'other 20.00 2026-04-01']);
  });

  test('a charge billed at once waits for the next invoice of its group, or to be deleted where it has none', async () => {
    const payer = await reviewed();
    const { billingGroupId } = await subscribe(payer.id, [flat('base', '10.00')]);
    await until('2026-03-01T00:00:00Z');
    const once = (fields: object) =>
      create(client, '/charges', {
        customerId: payer.id,
        description: 'Now',
        amount: '3.00',
        timing: 'IMMEDIATE',
        ...fields,
      });
    const [grouped, alone] = [await once({ billingGroupId }), await once({})];
    await billDue(api.db.database, client.tenantId, billingGroupId);
    await billRun(api.db.database, client.tenantId, alone.runId);
    const drafts = (await invoicesOf(payer)).slice(1);
    expect(
      drafts.map(({ kind, status, billingGroupId: group, boundaryAt }) => [kind, status, group, boundaryAt]),
    ).toEqual([
      ['IMMEDIATE', 'DRAFT', billingGroupId, null],
      ['IMMEDIATE', 'DRAFT', null, null],
    ]);
    for (const { id } of drafts) expect((await client.delete(`/invoices/${id}`)).status).toBe(204);
    expect((await client.get(`/charges/${grouped.id}`)).body).toMatchObject({
      status: 'WAITING',
      timing: 'NEXT_INVOICE',
    });
    expect((await client.get(`/charges/${alone.id}`)).body).toMatchObject({ status: 'WAITING', timing: 'IMMEDIATE' });
    expect((await client.delete(`/charges/${alone.id}`)).status).toBe(204);
    expect((await client.get(`/runs/${alone.runId}`)).body).toMatchObject({ status: 'EMPTY', reason: 'DISCARDED' });
    await until('2026-04-01T00:00:00Z');
    expect(spans((await invoicesOf(payer))[1])).toEqual(['base 10.00 2026-04-01', 'Now 3.00']);
  });

  test('a blocked run that is discarded lets its group go on', async () => {
    const payer = await reviewed();
    const { billingGroupId } = await subscribe(payer.id, [flat('base', '10.00')]);
    await until('2026-03-01T00:00:00Z');
    const [draft] = await invoicesOf(payer);
    await api.db.query(`update billing_runs set status = 'BLOCKED', reason = 'broken' where id = $1`, [draft.runId]);
    await api.db.query(`update billing_groups set status = 'BLOCKED', status_reason = 'broken' where id = $1`, [
      billingGroupId,
    ]);
    expect((await client.delete(`/invoices/${draft.id}`)).status).toBe(204);
    expect((await client.get(`/billing-groups/${billingGroupId}`)).body).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
    });
    await until('2026-04-01T00:00:00Z');
    expect((await invoicesOf(payer)).map(spans)).toEqual([['base 10.00 2026-03-01', 'base 10.00 2026-04-01']]);
  });
});
