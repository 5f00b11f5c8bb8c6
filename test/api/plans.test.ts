import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { resolvePlan, storeSubscriptionPrices } from '../../src/db/catalog.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  client = await api.tenant();
});
afterAll(() => api.close());

const seat = { code: 'seat', type: 'RECURRING', model: 'PER_UNIT', amount: '19.00' };
const setup = { code: 'setup', type: 'SETUP', model: 'FLAT', amount: '99' };
const pro = { code: 'PRO', prices: [seat, setup] };

const entity = (entityCode: string) =>
  client.post('/billing-entities', { entityCode, displayName: entityCode, baseCurrency: 'EUR', countryCode: 'DE' });
const resolve = (code: string) => api.db.database.inTenant(client.tenantId, (tx) => resolvePlan(tx, code));
const count = async (table: string) =>
  (await api.db.query(`select 1 from ${table} where tenant_id = '${client.tenantId}'`)).length;

describe('creating a plan', () => {
  test('answers with every field, unit prices without trailing zeros', async () => {
    const { status, body } = await client.post('/plans', pro);
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^pln_/),
      code: 'PRO',
      name: 'PRO',
      version: 1,
      currency: null,
      billingEntityId: null,
      minimumAmount: null,
      maximumAmount: null,
      taxCode: null,
      prices: [
        {
          id: expect.stringMatching(/^prc_/),
          code: 'seat',
          type: 'RECURRING',
          model: 'PER_UNIT',
          amount: '19',
          tiers: null,
          packageSize: null,
          freeUnits: null,
          percent: null,
          freeEvents: null,
          freeAmount: null,
          perEventMinimum: null,
          perEventMaximum: null,
          minimumAmount: null,
          maximumAmount: null,
          billing: 'ADVANCE',
          cadence: null,
          meter: null,
          taxCode: null,
          taxInclusive: false,
        },
        expect.objectContaining({ code: 'setup', type: 'SETUP', amount: '99', billing: 'ADVANCE' }),
      ],
      archivedAt: null,
      createdAt: expect.any(String),
      versionCreatedAt: expect.any(String),
    });
  });

  test('keeps what is sent', async () => {
    const { body: eu } = await entity('EU');
    const price = {
      ...seat,
      amount: '0.0150',
      freeUnits: 2.5,
      billing: 'ARREARS',
      cadence: { interval: 'QUARTER' },
      taxCode: 'BOOKS',
      taxInclusive: true,
    };
    const sent = { code: 'EU pro', name: 'Pro', currency: 'EUR', billingEntityId: eu.id, taxCode: 'SAAS' };
    const { body } = await client.post('/plans', { ...sent, prices: [price, setup] });
    expect(body).toMatchObject(sent);
    expect(body.prices[0]).toMatchObject({
      amount: '0.015',
      freeUnits: '2.5',
      billing: 'ARREARS',
      cadence: { interval: 'QUARTER', count: 1 },
      taxCode: 'BOOKS',
      taxInclusive: true,
    });
    expect(body.prices[1].taxCode).toBe('SAAS');
  });

  test('is done once per Idempotency-Key', async () => {
    const first = await client.post('/plans', pro, { 'Idempotency-Key': 'k' });
    const again = await client.post('/plans', pro, { 'Idempotency-Key': 'k' });
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(await count('plans')).toBe(1);
  });

  test('refuses a code that is taken, in this tenant alone', async () => {
    await client.post('/plans', pro);
    expect(await client.post('/plans', pro)).toMatchObject({
      status: 409,
      body: { code: 'conflict', errors: [{ path: 'code' }] },
    });
    expect((await (await api.tenant()).post('/plans', pro)).status).toBe(201);
  });

  // prettier-ignore
  test.each<{ fault: string; plan: object; path: string; code: string; message: RegExp }>([
    { fault: 'no price',          plan: { prices: [] },                                        path: 'prices',                code: 'request.invalid',  message: /at least one/ },
    { fault: 'a price twice',     plan: { prices: [seat, setup, seat] },                       path: 'prices[2].code',        code: 'price.invalid',    message: /"seat"/ },
    { fault: 'a number as money', plan: { prices: [{ ...seat, amount: 19 }] },                 path: 'prices[0].amount',      code: 'request.invalid',  message: /loses cents/ },
    { fault: 'no amount',         plan: { prices: [{ ...seat, amount: null }] },               path: 'prices[0].amount',      code: 'price.invalid',    message: /needs an amount/ },
    { fault: 'a negative amount', plan: { prices: [setup, { ...seat, amount: '-1' }] },        path: 'prices[1].amount',      code: 'request.invalid',  message: /0 or more/ },
    { fault: 'too fine an amount', plan: { prices: [{ ...seat, amount: '0.0000000000001' }] }, path: 'prices[0].amount',      code: 'money.invalid',    message: /12 decimals/ },
    { fault: 'USAGE',             plan: { prices: [{ ...seat, type: 'USAGE', meter: 'm' }] },  path: 'prices[0].type',        code: 'price.invalid',    message: /USAGE is not supported/ },
    { fault: 'tiers',             plan: { prices: [{ code: 'x', type: 'RECURRING', model: 'GRADUATED', tiers: [{ upTo: null, unitAmount: '1' }] }] }, path: 'prices[0].model', code: 'price.invalid', message: /GRADUATED is not supported/ },
    { fault: 'a foreign field',   plan: { prices: [{ ...seat, packageSize: '10' }] },          path: 'prices[0].packageSize', code: 'price.invalid',    message: /has no packageSize/ },
    { fault: 'an unknown field',  plan: { prices: [{ ...seat, amuont: '1' }] },                path: 'prices[0].amuont',      code: 'request.invalid',  message: /Unknown field/ },
    { fault: 'a meter',           plan: { prices: [{ ...seat, meter: 'calls' }] },             path: 'prices[0].meter',       code: 'price.invalid',    message: /no meter/ },
    { fault: 'a minimum',         plan: { prices: [{ ...seat, minimumAmount: '5' }] },         path: 'prices[0].minimumAmount', code: 'price.invalid',  message: /not supported/ },
    { fault: 'its own minimum',   plan: { minimumAmount: '5' },                                path: 'minimumAmount',         code: 'price.invalid',    message: /not supported/ },
    { fault: 'setup in arrears',  plan: { prices: [{ ...setup, billing: 'ARREARS' }] },        path: 'prices[0].billing',     code: 'price.invalid',    message: /when its item is added/ },
    { fault: 'an endless cadence', plan: { prices: [{ ...seat, cadence: { interval: 'DAY', count: 0 } }] }, path: 'prices[0].cadence.count', code: 'request.invalid', message: /1 or more/ },
    { fault: 'no such currency',  plan: { currency: 'EURO' },                                  path: 'currency',              code: 'currency.unknown', message: /ISO 4217/ },
    { fault: 'a blank code',      plan: { code: ' PRO' },                                      path: 'code',                  code: 'request.invalid',  message: /space/ },
  ])('refuses $fault', async ({ plan, path, code, message }) => {
    const { status, body } = await client.post('/plans', { ...pro, ...plan });
    expect(body).toMatchObject({ status: 400, code, errors: [{ path, message: expect.stringMatching(message) }] });
    expect(body.errors).toHaveLength(1);
    expect(status).toBe(400);
    expect(await count('plans')).toBe(0);
  });

  test('refuses an entity that is archived, absent or of another tenant', async () => {
    const { body: eu } = await entity('EU');
    await client.post(`/billing-entities/${eu.id}/archive`);
    const refused = (billingEntityId: string) => client.post('/plans', { ...pro, billingEntityId });
    const errors = [{ path: 'billingEntityId' }];
    expect((await refused(eu.id)).body).toMatchObject({ status: 409, code: 'entity.archived', errors });
    expect((await refused('ent_none')).body).toMatchObject({ status: 404, code: 'not_found', errors });
    const { body: theirs } = await (await api.tenant()).get('/tenant');
    expect((await refused(theirs.defaultEntityId)).body).toMatchObject({ status: 404, errors });
    expect(await count('plans')).toBe(0);
  });
});

describe('reading plans', () => {
  test('by id and by code; another tenant finds neither', async () => {
    const { body } = await client.post('/plans', pro);
    expect((await client.get(`/plans/${body.id}`)).body).toEqual(body);
    expect((await client.get('/plans/PRO')).body).toEqual(body);
    const stranger = await api.tenant();
    for (const path of [`/plans/${body.id}`, '/plans/PRO', '/plans/PRO/versions']) {
      expect((await stranger.get(path)).status).toBe(404);
    }
    expect((await stranger.put('/plans/PRO', { name: 'Mine' })).status).toBe(404);
    expect((await stranger.post('/plans/PRO/archive')).status).toBe(404);
  });

  test('by its id first, should a code look like one', async () => {
    const { body: first } = await client.post('/plans', pro);
    await client.post('/plans', { ...pro, code: first.id });
    expect((await client.get(`/plans/${first.id}`)).body.code).toBe('PRO');
  });

  test('with its prices in the order in which they were sent', async () => {
    await client.post('/plans', pro);
    await api.db.query('update prices set position = 1 - position where tenant_id = $1', [client.tenantId]);
    const { prices } = (await client.get('/plans/PRO')).body;
    expect(prices.map((one: { code: string }) => one.code)).toEqual(['setup', 'seat']);
  });

  test('in a list, filtered and sorted', async () => {
    await client.post('/plans', { ...pro, code: 'B', name: 'x', currency: 'EUR' });
    await client.post('/plans', { ...pro, code: 'A', name: 'y', currency: 'USD' });
    await client.post('/plans/B/archive');
    const codes = async (query: string) =>
      (await client.get(`/plans?${query}`)).body.items.map((one: { code: string }) => one.code);
    expect(await codes('')).toEqual(['B', 'A']);
    expect(await codes('sort=code')).toEqual(['A', 'B']);
    expect(await codes('sort=-name')).toEqual(['A', 'B']);
    expect(await codes('currency=EUR')).toEqual(['B']);
    expect(await codes('archived=false')).toEqual(['A']);
    expect(await codes('archived=true')).toEqual(['B']);
    expect(await codes('code=A')).toEqual(['A']);
    expect(await codes('billingEntityId=ent_none')).toEqual([]);
    expect((await client.get('/plans?size=1&page=1')).body).toMatchObject({
      totalItems: 2,
      totalPages: 2,
      items: [{ code: 'A', prices: [{ code: 'seat' }, { code: 'setup' }] }],
    });
  });
});

describe('changing a plan', () => {
  test('writes a new version; the one before stays as it was', async () => {
    const { body: first } = await client.post('/plans', { ...pro, currency: 'EUR' });
    const { status, body: second } = await client.put('/plans/PRO', {
      name: 'Gold',
      prices: [{ ...seat, amount: '21' }],
    });
    expect(status).toBe(200);
    expect(second).toMatchObject({ id: first.id, version: 2, name: 'Gold', currency: 'EUR' });
    expect(second.prices).toEqual([{ ...first.prices[0], id: second.prices[0].id, amount: '21' }]);
    expect(second.prices[0].id).not.toBe(first.prices[0].id);
    expect((await client.get('/plans/PRO')).body).toEqual(second);
    const { body: versions } = await client.get(`/plans/${first.id}/versions`);
    expect(versions).toMatchObject({ totalItems: 2, items: [first, second] });
    expect((await client.get('/plans/PRO/versions?sort=-version&size=1')).body.items).toEqual([second]);
  });

  test('that changes nothing makes no version, so a repeat makes none', async () => {
    await client.post('/plans', pro);
    const change = { name: 'Gold', prices: [{ ...seat, amount: '21.000' }] };
    const { body: second } = await client.put('/plans/PRO', change);
    expect((await client.put('/plans/PRO', change)).body).toEqual(second);
    expect((await client.put('/plans/PRO', {})).body).toEqual(second);
    expect((await client.put('/plans/PRO', { code: 'PRO' })).body).toEqual(second);
  });

  test('clears what is sent as null, and moves the tax code of prices that follow it', async () => {
    await client.post('/plans', {
      ...pro,
      currency: 'EUR',
      taxCode: 'SAAS',
      prices: [seat, { ...setup, taxCode: 'BOOKS' }],
    });
    const { body } = await client.put('/plans/PRO', { currency: null, taxCode: null });
    expect(body).toMatchObject({ currency: null, taxCode: null, prices: [{ taxCode: null }, { taxCode: 'BOOKS' }] });
  });

  test('refuses another code, and no prices at all', async () => {
    await client.post('/plans', pro);
    const refused = await client.put('/plans/PRO', { code: 'GOLD', name: 'Gold' });
    expect(refused.body).toMatchObject({ status: 409, code: 'conflict', errors: [{ path: 'code' }] });
    expect((await client.put('/plans/PRO', { prices: [] })).status).toBe(400);
    expect((await client.get('/plans/PRO')).body).toMatchObject({ version: 1, name: 'PRO' });
  });

  test('refuses an archived entity only when it is new', async () => {
    const { body: eu } = await entity('EU');
    const { body: us } = await entity('US');
    await client.post('/plans', { ...pro, billingEntityId: eu.id });
    for (const { id } of [eu, us]) await client.post(`/billing-entities/${id}/archive`);
    expect((await client.put('/plans/PRO', { billingEntityId: us.id })).body.code).toBe('entity.archived');
    expect((await client.put('/plans/PRO', { billingEntityId: eu.id, name: 'Gold' })).body.version).toBe(2);
  });

  test('versions of many changes at once follow one another', async () => {
    await client.post('/plans', pro);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(names.map((name) => client.put('/plans/PRO', { name })));
    const { items } = (await client.get('/plans/PRO/versions')).body;
    expect(items.map((one: { version: number }) => one.version)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(
      items
        .slice(1)
        .map((one: { name: string }) => one.name)
        .toSorted(),
    ).toEqual(names);
  });
});

describe('archiving a plan', () => {
  test('takes it out of sale, for good', async () => {
    await client.post('/plans', pro);
    const { status, body } = await client.post('/plans/PRO/archive');
    expect({ status, body }).toMatchObject({ status: 200, body: { archivedAt: expect.any(String) } });
    for (const again of [client.post('/plans/PRO/archive'), client.put('/plans/PRO', { name: 'Gold' })]) {
      expect((await again).body).toMatchObject({ status: 409, code: 'conflict' });
    }
    await expect(resolve('PRO')).rejects.toMatchObject({ code: 'conflict', faults: [{ path: 'planCode' }] });
    expect((await client.get('/plans/PRO')).body).toEqual(body);
  });
});

test('every change is in the audit log', async () => {
  const { body } = await client.post('/plans', pro);
  await client.put('/plans/PRO', { name: 'Gold' });
  await client.post('/plans/PRO/archive');
  const { items } = (await client.get(`/audit-events?subjectId=${body.id}`)).body;
  expect(items.map((one: { action: string }) => one.action)).toEqual(['plan.created', 'plan.updated', 'plan.archived']);
  expect(items[1].detail).toEqual({ code: 'PRO', version: 2 });
});

describe('what subscriptions take', () => {
  test('is the newest version, its prices as the domain has them', async () => {
    const { body: eu } = await entity('EU');
    await client.post('/plans', { ...pro, currency: 'EUR', billingEntityId: eu.id });
    const { body } = await client.put('/plans/PRO', { name: 'Gold' });
    const { id, ...price } = body.prices[0];
    expect(await resolve('PRO')).toEqual({
      planId: body.id,
      version: 2,
      name: 'Gold',
      currency: 'EUR',
      billingEntityId: eu.id,
      prices: [{ priceId: id, price }, expect.objectContaining({ priceId: body.prices[1].id })],
    });
  });

  test('is found by its code alone', async () => {
    const { body } = await client.post('/plans', pro);
    await expect(resolve(body.id)).rejects.toMatchObject({ code: 'not_found', faults: [{ path: 'planCode' }] });
  });

  test('may be prices of its own, which no plan shows', async () => {
    const { body } = await client.post('/plans', pro);
    const { id: _, ...price } = body.prices[0];
    const ids = await api.db.database.inTenant(client.tenantId, (tx) => storeSubscriptionPrices(tx, [price, price]));
    expect(ids).toHaveLength(2);
    const rows = await api.db.query('select plan_id, code, definition from prices where id = any($1)', [ids]);
    expect(rows).toEqual([1, 2].map(() => ({ plan_id: null, code: 'seat', definition: price })));
    expect((await client.get('/plans/PRO')).body.prices).toHaveLength(2);
    expect(await api.db.database.inTenant(client.tenantId, (tx) => storeSubscriptionPrices(tx, []))).toEqual([]);
  });
});
