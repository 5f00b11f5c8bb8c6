import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

const vat = { code: 'VAT', percent: '19' };
const post = (body: object = {}) => client.post('/tax-rates', { ...vat, ...body });
const entity = async (entityCode: string) =>
  (await client.post('/billing-entities', { entityCode, displayName: 'x', baseCurrency: 'EUR', countryCode: 'DE' }))
    .body.id as string;

describe('creating a tax rate', () => {
  test('for everything, unless it says more', async () => {
    const { status, body } = await post();
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^tax_/),
      code: 'VAT',
      name: 'VAT',
      percent: '19.00',
      country: null,
      region: null,
      taxCode: null,
      billingEntityId: null,
      validFrom: null,
      validTo: null,
      archivedAt: null,
      createdAt: expect.any(String),
    });
    expect((await client.get(`/tax-rates/${body.id}`)).body).toEqual(body);
  });

  test('keeps what is sent', async () => {
    const sent = {
      code: 'CA SALES',
      name: 'California',
      percent: '7.250001',
      country: 'US',
      region: 'CA',
      taxCode: 'SAAS',
      billingEntityId: await entity('US'),
      validFrom: '2026-01-01',
      validTo: '2027-01-01',
    };
    expect((await post(sent)).body).toMatchObject(sent);
  });

  test('a code may stand for several places and times', async () => {
    expect((await post({ validTo: '2026-07-01' })).status).toBe(201);
    expect((await post({ percent: '16', validFrom: '2026-07-01' })).status).toBe(201);
  });

  test('is done once per Idempotency-Key', async () => {
    const first = await client.post('/tax-rates', vat, { 'Idempotency-Key': 'k' });
    const again = await client.post('/tax-rates', vat, { 'Idempotency-Key': 'k' });
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect((await client.get('/tax-rates')).body.totalItems).toBe(1);
  });

  // prettier-ignore
  test.each<{ fault: string; body: object; path: string; code?: string; status?: number }>([
    { fault: 'more than 100 per cent', body: { percent: '100.000001' },                             path: 'percent' },
    { fault: 'a negative rate',        body: { percent: '-1' },                                     path: 'percent' },
    { fault: 'a number as per cent',   body: { percent: 19 },                                       path: 'percent' },
    { fault: 'seven decimals',         body: { percent: '1.0000001' },                              path: 'percent',   code: 'money.invalid' },
    { fault: 'no percent',             body: { percent: undefined },                                path: 'percent' },
    { fault: 'no such country',        body: { country: 'UK' },                                     path: 'country',   code: 'country.unknown' },
    { fault: 'a region of no country', body: { region: 'CA' },                                      path: 'region',    code: 'tax.invalid' },
    { fault: 'an end at its start',    body: { validFrom: '2026-01-01', validTo: '2026-01-01' },    path: 'validTo',   code: 'tax.invalid' },
    { fault: 'no such date',           body: { validFrom: '2026-02-29' },                           path: 'validFrom', code: 'date.invalid' },
    { fault: 'no such entity',         body: { billingEntityId: 'ent_none' },                       path: 'billingEntityId', code: 'not_found', status: 404 },
  ])('refuses $fault', async ({ body, path, code = 'request.invalid', status = 400 }) => {
    expect((await post(body)).body).toMatchObject({ status, code, errors: [{ path }] });
    expect((await client.get('/tax-rates')).body.totalItems).toBe(0);
  });

  test('0 and 100 per cent are rates', async () => {
    expect((await post({ percent: '0' })).body.percent).toBe('0.00');
    expect((await post({ percent: '100' })).body.percent).toBe('100.00');
  });

  test('refuses an entity that is archived, or of another tenant', async () => {
    const archived = await entity('OLD');
    await client.post(`/billing-entities/${archived}/archive`);
    expect((await post({ billingEntityId: archived })).body).toMatchObject({ status: 409, code: 'entity.archived' });
    const { body: theirs } = await (await api.tenant()).get('/tenant');
    expect((await post({ billingEntityId: theirs.defaultEntityId })).status).toBe(404);
  });
});

describe('changing a tax rate', () => {
  test('changes what is sent, and clears what is null', async () => {
    const { body } = await post({ country: 'US', region: 'CA', validFrom: '2026-01-01' });
    const changed = await client.put(`/tax-rates/${body.id}`, { percent: '7.5', region: null });
    expect(changed).toMatchObject({ status: 200, body: { ...body, percent: '7.50', region: null } });
    expect((await client.get(`/tax-rates/${body.id}`)).body).toEqual(changed.body);
    expect((await client.put(`/tax-rates/${body.id}`, {})).body).toEqual(changed.body);
  });

  test('is checked as a whole', async () => {
    const { body } = await post({ country: 'US', region: 'CA', validFrom: '2026-01-01' });
    const put = async (change: object) => (await client.put(`/tax-rates/${body.id}`, change)).body;
    expect(await put({ country: null })).toMatchObject({
      status: 400,
      code: 'tax.invalid',
      errors: [{ path: 'region' }],
    });
    expect(await put({ validTo: '2025-12-31' })).toMatchObject({ status: 400, errors: [{ path: 'validTo' }] });
    expect(await put({ billingEntityId: 'ent_none' })).toMatchObject({
      status: 404,
      errors: [{ path: 'billingEntityId' }],
    });
    expect(await put({ code: null })).toMatchObject({ status: 400, errors: [{ path: 'code' }] });
    expect((await client.get(`/tax-rates/${body.id}`)).body).toEqual(body);
  });

  test('keeps an entity that was archived since', async () => {
    const billingEntityId = await entity('OLD');
    const { body } = await post({ billingEntityId });
    await client.post(`/billing-entities/${billingEntityId}/archive`);
    expect((await client.put(`/tax-rates/${body.id}`, { billingEntityId, name: 'Old' })).status).toBe(200);
  });

  test('an archived one neither changes nor comes back', async () => {
    const { body } = await post();
    const archived = await client.post(`/tax-rates/${body.id}/archive`);
    expect(archived).toMatchObject({ status: 200, body: { archivedAt: expect.any(String) } });
    expect((await client.put(`/tax-rates/${body.id}`, { percent: '1' })).body).toMatchObject({
      status: 409,
      code: 'conflict',
    });
    expect((await client.post(`/tax-rates/${body.id}/archive`)).body).toMatchObject({ status: 409, code: 'conflict' });
    const { items } = (await client.get(`/audit-events?subjectId=${body.id}`)).body;
    expect(items.map((one: { action: string }) => one.action)).toEqual(['tax_rate.created', 'tax_rate.archived']);
  });
});

test('they are listed by what they match; another tenant sees none', async () => {
  const billingEntityId = await entity('DE');
  const { body: a } = await post({ country: 'DE', billingEntityId });
  const { body: b } = await post({ code: 'CA', country: 'US', region: 'CA' });
  const { body: c } = await post({ code: 'BOOKS', country: 'DE', taxCode: 'BOOKS' });
  await client.post(`/tax-rates/${c.id}/archive`);
  const ids = async (query: string) =>
    (await client.get(`/tax-rates?${query}`)).body.items.map((one: { id: string }) => one.id);
  expect(await ids('')).toEqual([a.id, b.id, c.id]);
  expect(await ids('sort=code')).toEqual([c.id, b.id, a.id]);
  expect(await ids('country=DE')).toEqual([a.id, c.id]);
  expect(await ids('country=DE&archived=false')).toEqual([a.id]);
  expect(await ids('archived=true')).toEqual([c.id]);
  expect(await ids('region=CA')).toEqual([b.id]);
  expect(await ids('taxCode=BOOKS')).toEqual([c.id]);
  expect(await ids('code=VAT')).toEqual([a.id]);
  expect(await ids(`billingEntityId=${billingEntityId}`)).toEqual([a.id]);
  const stranger = await api.tenant();
  expect((await stranger.get('/tax-rates')).body.totalItems).toBe(0);
  for (const answer of [
    stranger.get(`/tax-rates/${a.id}`),
    stranger.put(`/tax-rates/${a.id}`, { percent: '1' }),
    stranger.post(`/tax-rates/${a.id}/archive`),
  ]) {
    expect((await answer).status).toBe(404);
  }
});
