import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';

let now = '2026-08-01T00:00:00.000Z';
let api: TestApi;
let client: Client;
let customerId: string;
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => now } });
});
beforeEach(async () => {
  now = '2026-08-01T00:00:00.000Z';
  client = await api.tenant();
  customerId = (await client.post('/customers', { name: 'Acme', externalId: 'acme' })).body.id;
});
afterAll(() => api.close());

const grant = (body: object = {}) => client.post('/credits', { customerId, amount: '30', currency: 'USD', ...body });
const wallet = async (id = customerId) => (await client.get(`/customers/${id}/wallet`)).body;
const count = async (table: string) =>
  (await api.db.query(`select 1 from ${table} where tenant_id = $1`, [client.tenantId])).length;
const entryOf = (id: string) =>
  api.db.query(
    `select e.event, e.billing_entity_id as entity, e.posted_at as at, p.account, p.direction, p.currency, p.amount::float8, p.base_amount::float8 as base
       from ledger_entries e join ledger_postings p on p.tenant_id = e.tenant_id and p.entry_id = e.id
      where e.subject_id = $1 order by p.position`,
    [id],
  );

describe('granting credit', () => {
  test('answers with the grant, and what holds unless sent', async () => {
    const { status, body } = await grant();
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^crd_/),
      customerId,
      kind: 'PROMOTIONAL',
      currency: 'USD',
      amount: '30.00',
      remaining: '30.00',
      priority: 100,
      expiresAt: null,
      sourceInvoiceId: null,
      createdAt: now,
    });
    expect((await client.get(`/credits/${body.id}`)).body).toEqual(body);
  });

  test('keeps what is sent', async () => {
    const sent = { customerId: 'externalId:acme', kind: 'PAID', priority: 5, expiresAt: '2026-12-31T23:59:59Z' };
    const { body } = await grant({ ...sent, amount: '1500', currency: 'JPY' });
    expect(body).toMatchObject({ ...sent, customerId, amount: '1500', expiresAt: '2026-12-31T23:59:59.000Z' });
  });

  test('takes the currency of the customer, else the base of its entity', async () => {
    const { body: entity } = await client.post('/billing-entities', {
      entityCode: 'KW',
      displayName: 'KW',
      baseCurrency: 'KWD',
      countryCode: 'KW',
    });
    const customer = async (fields: object) =>
      (await client.post('/customers', { name: 'x', billingEntityId: entity.id, ...fields })).body.id as string;
    const inCurrency = async (id: string) =>
      (await client.post('/credits', { customerId: id, amount: '1' })).body as { currency: string; amount: string };
    expect(await inCurrency(await customer({ currency: 'JPY' }))).toMatchObject({ currency: 'JPY', amount: '1' });
    expect(await inCurrency(await customer({}))).toMatchObject({ currency: 'KWD', amount: '1.000' });
  });

  test('is done and posted once per Idempotency-Key', async () => {
    const send = () =>
      client.post('/credits', { customerId, amount: '30', currency: 'USD' }, { 'Idempotency-Key': 'k' });
    const first = await send();
    expect(await send()).toMatchObject({ status: 201, body: first.body });
    expect([await count('credit_grants'), await count('ledger_entries')]).toEqual([1, 1]);
  });

  // prettier-ignore
  test.each<{ fault: string; body: object; path: string; code?: string; status?: number }>([
    { fault: 'an amount of 0',        body: { amount: '0.00' },                              path: 'amount' },
    { fault: 'a negative amount',     body: { amount: '-1' },                                path: 'amount' },
    { fault: 'a number as money',     body: { amount: 30 },                                  path: 'amount' },
    { fault: 'too fine an amount',    body: { amount: '0.001' },                             path: 'amount',     code: 'money.scale' },
    { fault: 'parts of a yen',        body: { amount: '0.5', currency: 'JPY' },              path: 'amount',     code: 'money.scale' },
    { fault: 'too large an amount',   body: { amount: '1000000000000000' },                  path: 'amount',     code: 'money.invalid' },
    { fault: 'no such currency',      body: { currency: 'XXX' },                             path: 'currency',   code: 'currency.unknown' },
    { fault: 'no such kind',          body: { kind: 'GIFT' },                                path: 'kind' },
    { fault: 'a negative priority',   body: { priority: -1 },                                path: 'priority' },
    { fault: 'half a priority',       body: { priority: 1.5 },                               path: 'priority' },
    { fault: 'one that has expired',  body: { expiresAt: '2026-08-01T00:00:00Z' },           path: 'expiresAt', code: 'request.refused' },
    { fault: 'no such customer',      body: { customerId: 'cus_none' },                      path: 'customerId', code: 'not_found', status: 404 },
  ])('refuses $fault', async ({ body, path, code = 'request.invalid', status = 400 }) => {
    expect((await grant(body)).body).toMatchObject({ status, code, errors: [{ path }] });
    expect([await count('credit_grants'), await count('ledger_entries')]).toEqual([0, 0]);
  });

  test('refuses an archived customer, and another tenant its own', async () => {
    const stranger = await api.tenant();
    expect((await stranger.post('/credits', { customerId, amount: '1' })).status).toBe(404);
    await client.post(`/customers/${customerId}/archive`);
    expect((await grant()).body).toMatchObject({
      status: 409,
      code: 'customer.archived',
      errors: [{ path: 'customerId' }],
    });
  });
});

describe('the ledger', () => {
  // prettier-ignore
  test.each([
    { kind: 'PAID',        account: 'CASH'                },
    { kind: 'PROMOTIONAL', account: 'PROMOTIONAL_EXPENSE' },
    { kind: 'GIFT_CARD',   account: 'GIFT_CARDS'          },
    { kind: 'REFUND',      account: 'REFUNDS'             },
  ])('debits $account for a $kind grant', async ({ kind, account }) => {
    const { body: tenant } = await client.get('/tenant');
    const { body } = await grant({ kind });
    const common = { event: 'CREDIT_GRANTED', entity: tenant.defaultEntityId, at: new Date(now), currency: 'USD', amount: 30, base: 30 };
    expect(await entryOf(body.id)).toEqual([
      { ...common, account, direction: 'DEBIT' },
      { ...common, account: 'CUSTOMER_CREDIT', direction: 'CREDIT' },
    ]);
  });

  test("is that of the customer's entity; the base amount waits for a rate when the currencies differ", async () => {
    const { body: entity } = await client.post('/billing-entities', {
      entityCode: 'EU',
      displayName: 'EU',
      baseCurrency: 'EUR',
      countryCode: 'DE',
    });
    await client.put(`/customers/${customerId}`, { billingEntityId: entity.id });
    const { body } = await grant();
    expect(await entryOf(body.id)).toMatchObject(
      [1, 2].map(() => ({ entity: entity.id, currency: 'USD', base: null })),
    );
  });

  test('and the audit log are told by the clock of the customer', async () => {
    const { body: clock } = await client.post('/test-clocks', { now: '2030-01-01T00:00:00Z' });
    const { body: tested } = await client.post('/customers', { name: 'Test', testClockId: clock.id });
    const { body } = await grant({ customerId: tested.id });
    expect(body.createdAt).toBe('2030-01-01T00:00:00.000Z');
    expect((await entryOf(body.id))[0]).toMatchObject({ at: new Date('2030-01-01') });
    const { items } = (await client.get(`/audit-events?subjectId=${body.id}`)).body;
    expect(items).toMatchObject([
      { action: 'credit.granted', happenedAt: '2030-01-01T00:00:00.000Z', recordedAt: now },
    ]);
    const late = { customerId: tested.id, expiresAt: '2029-01-01T00:00:00Z' };
    expect((await grant(late)).body).toMatchObject({ status: 400, errors: [{ path: 'expiresAt' }] });
  });
});

describe('listing grants', () => {
  test('by customer, currency and kind; another tenant sees none', async () => {
    const { body: other } = await client.post('/customers', { name: 'Other' });
    const { body: a } = await grant({ kind: 'PAID' });
    const { body: b } = await grant({ currency: 'EUR', expiresAt: '2027-01-01T00:00:00Z' });
    const { body: c } = await grant({ customerId: other.id, expiresAt: '2026-10-01T00:00:00Z' });
    const ids = async (query: string) =>
      (await client.get(`/credits?${query}`)).body.items.map((one: { id: string }) => one.id);
    expect(await ids('')).toEqual([a.id, b.id, c.id]);
    expect(await ids('customerId=externalId:acme')).toEqual([a.id, b.id]);
    expect(await ids('currency=EUR')).toEqual([b.id]);
    expect(await ids('kind=PAID')).toEqual([a.id]);
    expect(await ids('sort=expiresAt')).toEqual([c.id, b.id, a.id]);
    const stranger = await api.tenant();
    expect((await stranger.get('/credits')).body.totalItems).toBe(0);
    expect((await stranger.get(`/credits/${a.id}`)).status).toBe(404);
  });
});

describe('a wallet', () => {
  test('of nobody is not found; of a new customer it is empty', async () => {
    expect(await wallet()).toEqual({ balances: [], grants: [], transactions: [] });
    expect((await client.get('/customers/externalId:acme/wallet')).status).toBe(200);
    expect((await client.get('/customers/cus_none/wallet')).status).toBe(404);
    expect((await (await api.tenant()).get(`/customers/${customerId}/wallet`)).status).toBe(404);
  });

  test('holds balances by currency; what has expired does not count', async () => {
    const { body: a } = await grant();
    const { body: b } = await grant({ amount: '12.50', expiresAt: '2026-09-01T00:00:00Z' });
    const { body: c } = await grant({ amount: '700', currency: 'JPY' });
    await grant({ customerId: (await client.post('/customers', { name: 'Other' })).body.id });
    expect(await wallet()).toMatchObject({
      balances: [
        { currency: 'JPY', amount: '700' },
        { currency: 'USD', amount: '42.50' },
      ],
      grants: [a, b, c],
    });
    now = '2026-09-01T00:00:00.000Z';
    const later = await wallet();
    expect(later.balances).toEqual([
      { currency: 'JPY', amount: '700' },
      { currency: 'USD', amount: '30.00' },
    ]);
    expect(later.grants).toEqual([a, b, c]);
    expect(later.transactions).toEqual([
      { type: 'GRANTED', at: a.createdAt, grantId: a.id, invoiceId: null, currency: 'USD', amount: '30.00' },
      { type: 'GRANTED', at: b.createdAt, grantId: b.id, invoiceId: null, currency: 'USD', amount: '12.50' },
      { type: 'GRANTED', at: c.createdAt, grantId: c.id, invoiceId: null, currency: 'JPY', amount: '700' },
      { type: 'EXPIRED', at: now, grantId: b.id, invoiceId: null, currency: 'USD', amount: '-12.50' },
    ]);
  });

  test('tells what invoices and drafts took', async () => {
    const { body } = await grant();
    const { tenantId } = client;
    const use = (invoice: string, amount: number, status: string, settled: string) =>
      `('${tenantId}', '${body.id}', '${invoice}', ${amount}, '${status}', '2026-08-02T00:00:00Z', ${settled})`;
    await api.db.query(`set session_replication_role = replica;
      insert into credit_reservations (tenant_id, grant_id, invoice_id, amount, status, reserved_at, settled_at) values
        ${use('inv_1', 10, 'CAPTURED', `'2026-08-03T00:00:00Z'`)}, ${use('inv_2', 5, 'RESERVED', 'null')};
      update credit_grants set remaining = 15 where tenant_id = '${tenantId}';
      reset session_replication_role`);
    const { balances, grants, transactions } = await wallet();
    expect(balances).toEqual([{ currency: 'USD', amount: '15.00' }]);
    expect(grants).toEqual([{ ...body, remaining: '15.00' }]);
    expect(transactions.slice(1)).toEqual([
      {
        type: 'RESERVED',
        at: '2026-08-02T00:00:00.000Z',
        grantId: body.id,
        invoiceId: 'inv_2',
        currency: 'USD',
        amount: '-5.00',
      },
      {
        type: 'APPLIED',
        at: '2026-08-03T00:00:00.000Z',
        grantId: body.id,
        invoiceId: 'inv_1',
        currency: 'USD',
        amount: '-10.00',
      },
    ]);
  });

  test("goes by the customer's clock", async () => {
    const { body: clock } = await client.post('/test-clocks', { now: '2020-01-01T00:00:00Z' });
    const { body: tested } = await client.post('/customers', { name: 'Test', testClockId: clock.id });
    await grant({ customerId: tested.id, expiresAt: '2020-02-01T00:00:00Z' });
    expect((await wallet(tested.id)).balances).toEqual([{ currency: 'USD', amount: '30.00' }]);
  });
});
