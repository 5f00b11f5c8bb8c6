import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { billUntil } from '../support/billing.ts';
import { create, flat, perUnit, setup } from '../support/billing-shapes.ts';

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
const customer = (name: string, fields: object = {}): Promise<Body> =>
  create(client, '/customers', { name, ...('parentCustomerId' in fields ? {} : { testClockId: clock.id }), ...fields });
const subscribe = (customerId: string, prices: object[], fields: object = {}): Promise<Body> =>
  create(client, '/subscriptions', { customerId, prices, ...fields });
const invoicesOf = async (payer: Body, query = ''): Promise<Body[]> =>
  (await client.get(`/customers/${payer.id}/invoices?include=lines&size=200${query}`)).body.items;
const codes = (invoice: Body): string[] => invoice.lines.map((line: Body) => line.priceCode ?? line.description);

const japan = {
  entityCode: 'JP',
  displayName: 'Acme Japan',
  legalName: 'Acme K.K.',
  baseCurrency: 'JPY',
  countryCode: 'JP',
  billingTimezone: 'Asia/Tokyo',
  taxRegistrationNumber: 'T1234567890123',
  taxJurisdiction: 'Japan',
  address: { line1: '1-1 Marunouchi', city: 'Tokyo', postalCode: '100-0005', country: 'JP' },
  invoiceNumberPrefix: 'JP',
  invoiceNumberFormat: '{prefix}-{YYYY}-{seq:0000}',
  logoUrl: 'https://acme.example/logo.png',
  footerText: 'ありがとうございます',
};

describe('an invoice', () => {
  test('says who, when, what and how much, word by word', async () => {
    const entity = await create(client, '/billing-entities', japan);
    const payer = await customer('Holding KK', {
      externalId: 'crm-1',
      billingEntityId: entity.id,
      email: 'ap@kk.example',
      paymentTermsDays: 14,
      address: { city: 'Osaka', country: 'JP' },
      taxId: 'T99',
    });
    const child = await customer('Branch', { parentCustomerId: payer.id, externalId: 'crm-2' });
    await create(client, '/tax-rates', { code: 'JCT', name: 'Consumption tax', percent: '10', country: 'JP' });
    await create(client, '/coupons', { code: 'TEN', type: 'PERCENT', percent: '10', duration: 'FOREVER' });
    const grant = await create(client, '/credits', { customerId: payer.id, amount: '500', kind: 'PAID' });
    const own = await subscribe(payer.id, [flat('base', '1000'), setup('start', '200')]);
    const childs = await subscribe(child.id, [perUnit('seats', '333.5')], { quantity: 2.5, coupons: ['TEN'] });
    await until('2026-03-01T00:00:00Z');

    const [invoice] = await invoicesOf(payer);
    const jct = (base: string, amount: string) => ({
      code: 'JCT',
      name: 'Consumption tax',
      percent: '10.00',
      base,
      amount,
      reason: null,
    });
    const billedTo = { customerId: payer.id, externalId: 'crm-1', name: 'Holding KK' };
    const line = (fields: object) => ({
      id: expect.stringMatching(/^lin_/),
      kind: 'RECURRING',
      chargeId: null,
      billedTo,
      billedFrom: billedTo,
      subscriptionId: own.id,
      periodStart: '2026-03-01T00:00:00.000+09:00',
      periodEnd: '2026-04-01T00:00:00.000+09:00',
      quantity: '1',
      discount: '0',
      taxPercent: '10.00',
      creditsLineId: null,
      ...fields,
    });
    // 2.5 × 333.5 = 833.75, 834 yen; less 10 %, 83.4, is 83: 751 taxable. Tax on 1951 is 195.1: 195 = 100 + 20 + 75.
    expect(invoice).toEqual({
      id: expect.stringMatching(/^inv_/),
      number: 'JP-2026-0001',
      status: 'OPEN',
      kind: 'RECURRING',
      billingEntity: {
        id: entity.id,
        entityCode: 'JP',
        displayName: 'Acme Japan',
        legalName: 'Acme K.K.',
        countryCode: 'JP',
        address: {
          line1: '1-1 Marunouchi',
          line2: null,
          city: 'Tokyo',
          region: null,
          postalCode: '100-0005',
          country: 'JP',
        },
        taxRegistrationNumber: 'T1234567890123',
        taxJurisdiction: 'Japan',
        logoUrl: 'https://acme.example/logo.png',
        footerText: 'ありがとうございます',
      },
      payer: {
        id: payer.id,
        externalId: 'crm-1',
        name: 'Holding KK',
        email: 'ap@kk.example',
        taxId: 'T99',
        address: { line1: null, line2: null, city: 'Osaka', region: null, postalCode: null, country: 'JP' },
      },
      billingGroupId: own.billingGroupId,
      splitSubscriptionId: null,
      runId: expect.stringMatching(/^run_/),
      currency: 'JPY',
      timezone: 'Asia/Tokyo',
      boundaryAt: '2026-03-01T00:00:00.000+09:00',
      issuedAt: '2026-03-01T09:00:00.000+09:00',
      issueDate: '2026-03-01',
      issueDateText: 'Mar 1, 2026 (JST)',
      dueDate: '2026-03-15',
      purchaseOrder: null,
      createdAt: '2026-03-01T09:00:00.000+09:00',
      paidAt: null,
      voidedAt: null,
      subtotal: '2034',
      discountTotal: '83',
      taxTotal: '195',
      total: '2146',
      creditGranted: '0',
      creditsApplied: '500',
      amountPaid: '0',
      amountDue: '1646',
      taxes: [jct('1951', '195')],
      credits: [{ grantId: grant.id, kind: 'PAID', amount: '500' }],
      accounts: [
        {
          customerId: payer.id,
          externalId: 'crm-1',
          name: 'Holding KK',
          label: 'Primary Account',
          subtotal: '1200',
          discount: '0',
          tax: '120',
          total: '1320',
        },
        {
          customerId: child.id,
          externalId: 'crm-2',
          name: 'Branch',
          label: 'Linked Account',
          subtotal: '834',
          discount: '83',
          tax: '75',
          total: '826',
        },
      ],
      lines: [
        line({
          priceCode: 'base',
          description: 'base',
          unitAmount: '1000',
          amount: '1000',
          taxable: '1000',
          tax: '100',
          total: '1100',
          taxes: [jct('1000', '100')],
        }),
        line({
          kind: 'SETUP',
          priceCode: 'start',
          description: 'start',
          periodStart: null,
          periodEnd: null,
          unitAmount: '200',
          amount: '200',
          taxable: '200',
          tax: '20',
          total: '220',
          taxes: [jct('200', '20')],
        }),
        line({
          priceCode: 'seats',
          description: 'seats',
          subscriptionId: childs.id,
          billedFrom: { customerId: child.id, externalId: 'crm-2', name: 'Branch' },
          quantity: '2.5',
          unitAmount: '333.5',
          amount: '834',
          discount: '83',
          taxable: '751',
          tax: '75',
          total: '826',
          taxes: [jct('751', '75')],
        }),
      ],
      linesTruncated: false,
      hostedUrl: null,
      pdfUrl: null,
      replaces: null,
      replacedBy: null,
    });
    expect((await client.get(`/invoices/${invoice.id}`)).body).toEqual(invoice);
    expect((await client.get(`/invoices/${invoice.id}/lines`)).body).toMatchObject({
      items: invoice.lines,
      totalItems: 3,
      nextCursor: null,
    });
  });

  test('stays as it was issued, whatever changes afterwards; a draft shows what is', async () => {
    const payer = await customer('Old name', { externalId: 'a' });
    const draftPayer = await customer('Draft payer', { invoicingFlow: 'REVIEW' });
    for (const { id } of [payer, draftPayer]) await subscribe(id, [flat('base', '10.00')]);
    await until('2026-03-01T00:00:00Z');
    const [before] = await invoicesOf(payer);
    await client.put(`/customers/${payer.id}`, {
      name: 'New name',
      externalId: 'b',
      address: { city: 'Rome', country: 'IT' },
    });
    await client.put(`/customers/${draftPayer.id}`, { name: 'Renamed' });
    await client.put(`/billing-entities/${before.billingEntity.id}`, { legalName: 'Other Ltd', footerText: 'new' });
    expect(await invoicesOf(payer)).toEqual([before]);
    const [draft] = await invoicesOf(draftPayer);
    expect(draft).toMatchObject({
      status: 'DRAFT',
      number: null,
      issuedAt: null,
      issueDate: null,
      issueDateText: null,
      dueDate: null,
      payer: { name: 'Renamed' },
      billingEntity: { legalName: 'Other Ltd', footerText: 'new' },
      total: '10.00',
    });
    expect(draft.lines[0].billedTo.name).toBe('Renamed');
  });

  test('with very many lines shows the first 500; all are under /lines, by page and by cursor', async () => {
    const payer = await customer('Many');
    const { billingGroupId, billingEntityId } = await subscribe(payer.id, [flat('base', '1.00')]);
    await api.db.query(
      `insert into one_time_charges (tenant_id, id, customer_id, payer_customer_id, billing_group_id, billing_entity_id, currency, description,
                                     quantity, unit_amount, amount, timing, charge_on, created_at)
       select $1, 'chg_many' || lpad(n::text, 4, '0'), $2, $2, $3, $4, 'USD', 'Item ' || n, 1, 0.01, 0.01, 'NEXT_INVOICE', '2026-03-01', '2026-03-01'
         from generate_series(1, 509) n`,
      [client.tenantId, payer.id, billingGroupId, billingEntityId],
    );
    await until('2026-03-01T00:00:00Z');
    const [invoice] = await invoicesOf(payer);
    expect([invoice.lines.length, invoice.linesTruncated, invoice.total]).toEqual([500, true, '6.09']);
    const seen: Body[] = [];
    for (let cursor = ''; ;) {
      const { body } = await client.get(`/invoices/${invoice.id}/lines?size=170${cursor}`);
      seen.push(...body.items);
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen).toHaveLength(510);
    expect(seen.slice(0, 500)).toEqual(invoice.lines);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(510);
    expect((await client.get(`/invoices/${invoice.id}/lines?size=200&page=2&sort=-position`)).body).toMatchObject({
      totalItems: 510,
      items: seen.toReversed().slice(400),
    });
  });

  test('is not there for another tenant, nor are its lines; ids that are none are not found', async () => {
    const payer = await customer('Payer');
    await subscribe(payer.id, [flat('base', '10.00')]);
    await until('2026-03-01T00:00:00Z');
    const [{ id }] = (await invoicesOf(payer)) as [Body];
    const other = await api.tenant();
    for (const path of [`/invoices/${id}`, `/invoices/${id}/lines`]) expect((await other.get(path)).status).toBe(404);
    expect((await other.post(`/invoices/${id}/issue`)).status).toBe(404);
    expect((await other.delete(`/invoices/${id}`)).status).toBe(404);
    expect((await other.get('/invoices')).body.items).toEqual([]);
    expect((await other.get(`/customers/${payer.id}/invoices`)).status).toBe(404);
    expect((await client.get('/invoices/inv_nobody')).body).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('a list', () => {
  test('is filtered by each of its filters, and says what it cannot be asked', async () => {
    const entity = await create(client, '/billing-entities', { ...japan, entityCode: 'TYO' });
    const [a, b] = [
      await customer('A', { externalId: 'cust-a' }),
      await customer('B', { billingEntityId: entity.id, invoicingFlow: 'REVIEW' }),
    ];
    const subA = await subscribe(a.id, [flat('base', '10.00')]);
    const subB = await subscribe(b.id, [flat('base', '1000')]);
    await until('2026-04-15T00:00:00Z');
    const list = async (query: string): Promise<Body[]> => {
      const { status, body } = await client.get(`/invoices?${query}`);
      expect(status, JSON.stringify(body)).toBe(200);
      return body.items;
    };
    const all = await list('');
    expect(all.map(({ payer, boundaryAt }) => [payer.name, boundaryAt])).toEqual([
      ['A', expect.stringMatching(/^2026-03-01/)],
      ['B', '2026-03-01T00:00:00.000+09:00'],
      ['B', '2026-04-01T00:00:00.000+09:00'],
      ['A', expect.stringMatching(/^2026-04-01/)],
    ]);
    const [marchA, marchB, aprilB, aprilA] = all;
    expect(all.every((invoice) => !('lines' in invoice))).toBe(true);
    for (const [query, expected] of [
      [`payerCustomerId=${a.id}`, [marchA, aprilA]],
      ['payerCustomerId=externalId:cust-a', [marchA, aprilA]],
      [`billingGroupId=${subB.billingGroupId}`, [marchB, aprilB]],
      [`billingEntityId=${entity.id}`, [marchB, aprilB]],
      [`subscriptionId=${subA.id}`, [marchA, aprilA]],
      ['status=DRAFT', [marchB, aprilB]],
      ['kind=RECURRING', all],
      ['kind=IMMEDIATE', []],
      [`number=${marchA.number}`, [marchA]],
      // Tokyo's 1 April begins on 31 March at 15:00 in UTC.
      ['boundaryFrom=2026-03-31T15:00:00Z', [aprilB, aprilA]],
      ['boundaryFrom=2026-03-31T15:00:00.001Z', [aprilA]],
      ['boundaryTo=2026-02-28T15:00:00Z', [marchB]],
      ['boundaryFrom=2026-04-01', [aprilB, aprilA]],
      ['boundaryTo=2026-03-01', [marchA, marchB]],
      ['issueDateFrom=2026-04-01', [aprilA]],
      ['issueDateTo=2026-03-01', [marchA]],
      ['issueDateFrom=2026-03-01&issueDateTo=2026-04-01', [marchA, aprilA]],
      [`status=OPEN&payerCustomerId=${b.id}`, []],
      ['sort=-createdAt', all.toReversed()],
    ] as const) {
      expect(await list(query), query).toEqual(expected);
    }
    expect((await client.get(`/customers/externalId:cust-a/invoices?boundaryTo=2026-03-31`)).body.items).toEqual([
      marchA,
    ]);
    for (const query of [
      'status=LOST',
      'include=all',
      'boundaryFrom=yesterday',
      'issueDateTo=2026-13-01',
      'page=-1',
      'cursor=x',
      'colour=red',
    ]) {
      const { status, body } = await client.get(`/invoices?${query}`);
      expect([status, body.errors?.[0]?.path], query).toEqual([400, query.split('=')[0]]);
    }
    expect((await client.get('/invoices?payerCustomerId=externalId:nobody')).status).toBe(404);
  });

  test('is read on by cursor, also while invoices are added', async () => {
    const payer = await customer('Daily');
    await subscribe(payer.id, [flat('base', '1.00', { cadence: { interval: 'DAY', count: 1 } })]);
    await until('2026-03-05T00:00:00Z');
    const first = await client.get(`/customers/${payer.id}/invoices?size=2`);
    expect(first.body).toMatchObject({ totalItems: 5, totalPages: 3, page: 0 });
    await until('2026-03-07T00:00:00Z');
    const second = await client.get(`/customers/${payer.id}/invoices?size=2&cursor=${first.body.nextCursor}`);
    const third = await client.get(`/customers/${payer.id}/invoices?size=3&cursor=${second.body.nextCursor}`);
    const items = [first, second, third].flatMap(({ body }) => body.items);
    expect(items.map(({ boundaryAt }) => boundaryAt.slice(0, 10))).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((day) => `2026-03-0${day}`),
    );
    expect(second.body.totalItems).toBeUndefined();
  });
});

test('the lines of one subscription alone make it found by that subscription, with codes in order', async () => {
  const payer = await customer('Payer');
  const child = await customer('Child', { parentCustomerId: payer.id });
  await subscribe(payer.id, [flat('own', '1.00')]);
  const childs = await subscribe(child.id, [flat('x', '2.00'), flat('y', '3.00')]);
  await until('2026-03-01T00:00:00Z');
  const [invoice] = await invoicesOf(payer, `&subscriptionId=${childs.id}`);
  expect(codes(invoice)).toEqual(['own', 'x', 'y']);
  expect(await invoicesOf(child)).toEqual([]);
});
