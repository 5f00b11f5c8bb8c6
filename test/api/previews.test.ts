import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
  client = await api.tenant();
});
afterAll(() => api.close());

describe('/prices/preview', () => {
  const unit = { type: 'RECURRING', model: 'PER_UNIT', amount: '0.015' };
  const preview = (body: object) => client.post('/prices/preview', { price: unit, currency: 'USD', ...body });

  // prettier-ignore
  test.each<{ body: object; amount: string }>([
    { body: { quantity: 1001 },                                      amount: '15.02' },
    { body: { quantity: '1001' },                                    amount: '15.02' },
    { body: { quantity: 1001, currency: 'JPY' },                     amount: '15'    },
    { body: {},                                                      amount: '0.02'  },
    { body: { quantity: 0 },                                         amount: '0.00'  },
    { body: { price: { ...unit, code: 'calls', freeUnits: '1000' }, quantity: 1100 }, amount: '1.50' },
    { body: { price: { type: 'SETUP', model: 'FLAT', amount: '99' }, quantity: 5 },   amount: '99.00' },
    { body: { quantity: 10, period: { start: '2026-08-01', end: '2026-09-01' }, timezone: 'Asia/Tokyo' }, amount: '0.15' },
    { body: { quantity: 10, period: { start: '2026-08-01T00:00:00Z', end: '2026-09-01T00:00:00Z' } },     amount: '0.15' },
  ])('of $body is $amount', async ({ body, amount }) => {
    const answer = await preview(body);
    expect(answer).toMatchObject({ status: 200, body: { amount, explanation: expect.arrayContaining([expect.any(String)]) } });
  });

  test('explains each step', async () => {
    const { body } = await preview({ price: { ...unit, freeUnits: 1 }, quantity: 2 });
    expect(body.explanation).toEqual([
      '2 units, 1 of them free: 1',
      '1 × 0.015 = 0.015',
      'Rounded to the minor unit of USD: 0.015 is 0.02',
    ]);
  });

  test('rounds as the default entity does', async () => {
    const other = await api.tenant();
    const { body: tenant } = await other.get('/tenant');
    const half = { price: { ...unit, amount: '0.125' }, currency: 'USD', quantity: 1 };
    expect((await other.post('/prices/preview', half)).body.amount).toBe('0.13');
    await other.put(`/billing-entities/${tenant.defaultEntityId}`, { roundingMode: 'HALF_EVEN' });
    expect((await other.post('/prices/preview', half)).body.amount).toBe('0.12');
  });

  // prettier-ignore
  test.each<{ fault: string; body: object; path: string; code?: string }>([
    { fault: 'events',              body: { events: [{ value: 1 }] },                      path: 'events',     code: 'price.invalid' },
    { fault: 'a negative quantity', body: { quantity: -1 },                                path: 'quantity' },
    { fault: 'no such currency',    body: { currency: 'usd' },                             path: 'currency',   code: 'currency.unknown' },
    { fault: 'no such timezone',    body: { timezone: 'Mars/City' },                       path: 'timezone',   code: 'timezone.unknown' },
    { fault: 'a period backwards',  body: { period: { start: '2026-09-01', end: '2026-08-01' } }, path: 'period.end' },
    { fault: 'an unknown model',    body: { price: { ...unit, model: 'MAGIC' } },          path: 'price.model' },
    { fault: 'a volume price',      body: { price: { ...unit, model: 'VOLUME' } },         path: 'price.model', code: 'price.invalid' },
    { fault: 'a number as money',   body: { price: { ...unit, amount: 0.1 } },             path: 'price.amount' },
  ])('refuses $fault', async ({ body, path, code = 'request.invalid' }) => {
    expect((await preview(body)).body).toMatchObject({ status: 400, code, errors: [{ path }] });
  });

  test('stores nothing, and a key that may only read may ask', async () => {
    const { body: key } = await client.post('/api-keys', { name: 'reader', scopes: ['read'] });
    const reader = api.as(key.secret, client.tenantId);
    expect((await reader.post('/prices/preview', { price: unit, currency: 'USD' })).status).toBe(200);
    expect(await api.db.query('select 1 from prices')).toHaveLength(0);
  });
});

describe('/schedules/preview', () => {
  const monthly = {
    anchorDate: '2026-01-31',
    timezone: 'Asia/Tokyo',
    cadence: { interval: 'MONTH', count: 1 },
    from: '2026-01-01',
    count: 3,
  };
  const preview = (body: object) => client.post('/schedules/preview', { ...monthly, ...body });
  const dates = async (body: object) =>
    (await preview(body)).body.items.map((one: { localDate: string }) => one.localDate);

  test('lists local midnights as instants', async () => {
    expect(await preview({})).toMatchObject({
      status: 200,
      body: {
        items: [
          { boundaryAt: '2026-01-30T15:00:00.000Z', localDate: '2026-01-31' },
          { boundaryAt: '2026-02-27T15:00:00.000Z', localDate: '2026-02-28' },
          { boundaryAt: '2026-03-30T15:00:00.000Z', localDate: '2026-03-31' },
        ],
      },
    });
  });

  test('begins on the date asked for, before the anchor too', async () => {
    expect(await dates({ from: '2026-02-28', count: 1 })).toEqual(['2026-02-28']);
    expect(await dates({ from: '2026-03-01', count: 1 })).toEqual(['2026-03-31']);
    expect(await dates({ from: '2024-02-01', count: 2 })).toEqual(['2024-02-29', '2024-03-31']);
    expect(await dates({ from: undefined, count: 1 })).toEqual(['2026-01-31']);
  });

  test('counts an interval once unless told, lists 24 unless told, 500 at most', async () => {
    expect(await dates({ cadence: { interval: 'YEAR' }, count: 2 })).toEqual(['2026-01-31', '2027-01-31']);
    expect(await dates({ count: undefined })).toHaveLength(24);
    expect(await dates({ count: 500 })).toHaveLength(500);
  });

  // prettier-ignore
  test.each<{ fault: string; body: object; path: string; code?: string }>([
    { fault: 'too many',          body: { count: 501 },                                path: 'count' },
    { fault: 'none',              body: { count: 0 },                                  path: 'count' },
    { fault: 'no such date',      body: { anchorDate: '2026-02-30' },                  path: 'anchorDate',       code: 'date.invalid' },
    { fault: 'an instant',        body: { from: '2026-01-01T00:00:00Z' },              path: 'from',             code: 'date.invalid' },
    { fault: 'a date too late',   body: { from: '9000-01-01' },                        path: 'from',             code: 'date.invalid' },
    { fault: 'an anchor too late', body: { anchorDate: '9000-01-01' },                 path: 'anchorDate',       code: 'date.invalid' },
    { fault: 'an offset as zone', body: { timezone: '+09:00' },                        path: 'timezone',         code: 'timezone.unknown' },
    { fault: 'no such zone',      body: { timezone: 'Mars/City' },                     path: 'timezone',         code: 'timezone.unknown' },
    { fault: 'no such interval',  body: { cadence: { interval: 'HOUR', count: 1 } },   path: 'cadence.interval' },
    { fault: 'half a cadence',    body: { cadence: { interval: 'DAY', count: 1.5 } },  path: 'cadence.count' },
    { fault: 'too long a cadence', body: { cadence: { interval: 'DAY', count: 1001 } }, path: 'cadence.count' },
  ])('refuses $fault', async ({ body, path, code = 'request.invalid' }) => {
    expect((await preview(body)).body).toMatchObject({ status: 400, code, errors: [{ path }] });
  });

  test('a zone that Intl takes and PostgreSQL does not list is refused', async () => {
    expect((await preview({ timezone: 'asia/tokyo' })).body).toMatchObject({ status: 400, code: 'timezone.unknown' });
  });
});
