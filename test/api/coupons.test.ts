import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { redeemCoupon } from '../../src/db/coupons.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { whileOpen } from '../support/race.ts';

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

const percent = { code: 'TEN', type: 'PERCENT', percent: '10' };
const fixed = { code: 'FIVE', type: 'FIXED', amount: '5', currency: 'USD' };
const redeem = (body: object = {}) => client.post('/coupon-redemptions', { couponCode: 'TEN', customerId, ...body });
const count = async (table: string) =>
  (await api.db.query(`select 1 from ${table} where tenant_id = $1`, [client.tenantId])).length;

/** A subscription as small as the database takes it: a coupon asks only whose it is. */
async function subscription(owner = customerId): Promise<string> {
  const { body: tenant } = await client.get('/tenant');
  const id = `sub_${Math.random().toString(36).slice(2)}`;
  await api.db.query(
    `insert into subscriptions (tenant_id, id, customer_id, billing_entity_id, currency, timezone, start_at, proration, align, created_at)
     values ($1, $2, $3, $4, 'USD', 'UTC', $5, 'DAY', true, $5)`,
    [client.tenantId, id, owner, tenant.defaultEntityId, now],
  );
  return id;
}

describe('creating a coupon', () => {
  test('per cent, with what holds unless sent', async () => {
    const { status, body } = await client.post('/coupons', percent);
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^cpn_/),
      code: 'TEN',
      name: null,
      type: 'PERCENT',
      percent: '10.00',
      amount: null,
      currency: null,
      duration: 'ONCE',
      cycles: null,
      maxRedemptions: null,
      redemptionCount: 0,
      expiresAt: null,
      carryRemainder: false,
      archivedAt: null,
      createdAt: now,
    });
  });

  test('fixed, with everything sent', async () => {
    const sent = {
      ...fixed,
      name: 'Welcome',
      duration: 'REPEATING',
      cycles: 3,
      maxRedemptions: 10,
      carryRemainder: true,
    };
    const { body } = await client.post('/coupons', { ...sent, expiresAt: '2026-09-01T02:00:00+02:00' });
    expect(body).toMatchObject({ ...sent, amount: '5.00', percent: null, expiresAt: '2026-09-01T00:00:00.000Z' });
  });

  test('is done once per Idempotency-Key; a code is taken in this tenant alone', async () => {
    const first = await client.post('/coupons', percent, { 'Idempotency-Key': 'k' });
    expect(await client.post('/coupons', percent, { 'Idempotency-Key': 'k' })).toMatchObject({
      status: 201,
      body: first.body,
    });
    expect((await client.post('/coupons', percent)).body).toMatchObject({ status: 409, errors: [{ path: 'code' }] });
    expect((await (await api.tenant()).post('/coupons', percent)).status).toBe(201);
    expect(await count('coupons')).toBe(1);
  });

  // prettier-ignore
  test.each<{ fault: string; coupon: object; path: string; code?: string }>([
    { fault: 'no percent',              coupon: { ...percent, percent: null },              path: 'percent',        code: 'coupon.invalid' },
    { fault: '0 per cent',              coupon: { ...percent, percent: '0' },               path: 'percent',        code: 'coupon.invalid' },
    { fault: 'more than 100 per cent',  coupon: { ...percent, percent: '100.000001' },      path: 'percent' },
    { fault: 'a number as per cent',    coupon: { ...percent, percent: 10 },                path: 'percent' },
    { fault: 'an amount of a PERCENT',  coupon: { ...percent, amount: '5' },                path: 'amount',         code: 'coupon.invalid' },
    { fault: 'a remainder of a PERCENT', coupon: { ...percent, carryRemainder: true },      path: 'carryRemainder', code: 'coupon.invalid' },
    { fault: 'no amount',               coupon: { ...fixed, amount: undefined },            path: 'amount',         code: 'coupon.invalid' },
    { fault: 'no currency',             coupon: { ...fixed, currency: undefined },          path: 'currency',       code: 'coupon.invalid' },
    { fault: 'an amount of 0',          coupon: { ...fixed, amount: '0' },                  path: 'amount' },
    { fault: 'too fine an amount',      coupon: { ...fixed, amount: '5.5', currency: 'JPY' }, path: 'amount',       code: 'coupon.invalid' },
    { fault: 'a per cent of a FIXED',   coupon: { ...fixed, percent: '10' },                path: 'percent',        code: 'coupon.invalid' },
    { fault: 'REPEATING without cycles', coupon: { ...percent, duration: 'REPEATING' },     path: 'cycles',         code: 'coupon.invalid' },
    { fault: 'ONCE with cycles',        coupon: { ...percent, cycles: 2 },                  path: 'cycles',         code: 'coupon.invalid' },
    { fault: 'no redemption at all',    coupon: { ...percent, maxRedemptions: 0 },          path: 'maxRedemptions' },
    { fault: 'too many redemptions',    coupon: { ...percent, maxRedemptions: 2 ** 31 },    path: 'maxRedemptions' },
    { fault: 'a date as expiry',        coupon: { ...percent, expiresAt: '2026-09-01' },    path: 'expiresAt',      code: 'date.invalid' },
    { fault: 'no type',                 coupon: { ...percent, type: undefined },            path: 'type' },
  ])('refuses $fault', async ({ coupon, path, code = 'request.invalid' }) => {
    expect((await client.post('/coupons', coupon)).body).toMatchObject({ status: 400, code, errors: [{ path }] });
    expect(await count('coupons')).toBe(0);
  });
});

describe('reading coupons', () => {
  test('by id, by code and in a list; another tenant finds none', async () => {
    const { body } = await client.post('/coupons', percent);
    await client.post('/coupons', fixed);
    await client.post('/coupons/FIVE/archive');
    expect((await client.get(`/coupons/${body.id}`)).body).toEqual(body);
    expect((await client.get('/coupons/TEN')).body).toEqual(body);
    const codes = async (query: string) =>
      (await client.get(`/coupons?${query}`)).body.items.map((one: { code: string }) => one.code);
    expect(await codes('')).toEqual(['TEN', 'FIVE']);
    expect(await codes('sort=code')).toEqual(['FIVE', 'TEN']);
    expect(await codes('type=FIXED')).toEqual(['FIVE']);
    expect(await codes('archived=false')).toEqual(['TEN']);
    expect(await codes('code=TEN')).toEqual(['TEN']);
    const stranger = await api.tenant();
    expect((await stranger.get('/coupons')).body.totalItems).toBe(0);
    for (const reference of [body.id, 'TEN']) {
      expect((await stranger.get(`/coupons/${reference}`)).status).toBe(404);
      expect((await stranger.post(`/coupons/${reference}/archive`)).status).toBe(404);
    }
  });
});

describe('redeeming', () => {
  beforeEach(async () => {
    await client.post('/coupons', percent);
  });

  test('for a customer, by any of its references', async () => {
    const { status, body } = await redeem({ customerId: 'externalId:acme' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^red_/),
      couponId: expect.stringMatching(/^cpn_/),
      couponCode: 'TEN',
      customerId,
      subscriptionId: null,
      cyclesUsed: 0,
      redeemedAt: now,
      endedAt: null,
    });
    expect((await client.get(`/coupon-redemptions/${body.id}`)).body).toEqual(body);
    expect((await client.get('/coupons/TEN')).body.redemptionCount).toBe(1);
  });

  test('for a subscription', async () => {
    const subscriptionId = await subscription();
    expect(await redeem({ customerId: undefined, subscriptionId })).toMatchObject({
      status: 201,
      body: { customerId: null, subscriptionId },
    });
  });

  test('once per Idempotency-Key', async () => {
    const send = () =>
      client.post('/coupon-redemptions', { couponCode: 'TEN', customerId }, { 'Idempotency-Key': 'k' });
    const first = await send();
    expect(await send()).toMatchObject({ status: 201, body: first.body });
    expect(await count('coupon_redemptions')).toBe(1);
  });

  test('takes exactly one of customer and subscription', async () => {
    for (const target of [{ customerId: undefined }, { customerId: null }, { subscriptionId: 'sub_1' }]) {
      expect((await redeem(target)).body).toMatchObject({
        status: 400,
        errors: [{ path: 'customerId' }, { path: 'subscriptionId' }],
      });
    }
  });

  // prettier-ignore
  test.each([
    { what: 'coupon',       body: { couponCode: 'NONE' },                                   path: 'couponCode'     },
    { what: 'customer',     body: { customerId: 'cus_none' },                               path: 'customerId'     },
    { what: 'external id',  body: { customerId: 'externalId:none' },                        path: 'customerId'     },
    { what: 'subscription', body: { customerId: undefined, subscriptionId: 'sub_none' },    path: 'subscriptionId' },
  ])('refuses a $what that is not there', async ({ body, path }) => {
    expect((await redeem(body)).body).toMatchObject({ status: 404, code: 'not_found', errors: [{ path }] });
  });

  test('refuses what another tenant has', async () => {
    const stranger = await api.tenant();
    const { body: theirs } = await stranger.post('/customers', { name: 'Theirs' });
    expect((await redeem({ customerId: theirs.id })).status).toBe(404);
    const send = (body: object) => stranger.post('/coupon-redemptions', { couponCode: 'TEN', ...body });
    expect((await send({ customerId: theirs.id })).body).toMatchObject({
      status: 404,
      errors: [{ path: 'couponCode' }],
    });
    const { body } = await redeem();
    expect((await stranger.get(`/coupon-redemptions/${body.id}`)).status).toBe(404);
    expect((await stranger.delete(`/coupon-redemptions/${body.id}`)).status).toBe(404);
    expect((await stranger.get('/coupon-redemptions')).body.totalItems).toBe(0);
  });

  test('refuses an archived customer and an archived coupon; what was redeemed stays', async () => {
    const { body } = await redeem();
    await client.post('/coupons/TEN/archive');
    expect((await redeem()).body).toMatchObject({ status: 409, code: 'conflict', errors: [{ path: 'couponCode' }] });
    expect((await client.post('/coupons/TEN/archive')).body).toMatchObject({ status: 409, code: 'conflict' });
    await client.post('/coupons', { ...percent, code: 'NEW' });
    await client.post(`/customers/${customerId}/archive`);
    expect((await redeem({ couponCode: 'NEW' })).body).toMatchObject({ status: 409, code: 'customer.archived' });
    expect((await client.get(`/coupon-redemptions/${body.id}`)).body).toEqual(body);
  });
});

describe('the limits of a coupon', () => {
  test('it is exhausted after maxRedemptions, ended ones included', async () => {
    await client.post('/coupons', { ...percent, maxRedemptions: 2 });
    const { body } = await redeem();
    await client.delete(`/coupon-redemptions/${body.id}`);
    expect((await redeem()).status).toBe(201);
    expect((await redeem()).body).toMatchObject({
      status: 409,
      code: 'coupon.exhausted',
      errors: [{ path: 'couponCode' }],
    });
    expect((await client.get('/coupons/TEN')).body).toMatchObject({ redemptionCount: 2, maxRedemptions: 2 });
  });

  test('of two who want the last redemption one gets it, in the worst order', async () => {
    await client.post('/coupons', { ...percent, maxRedemptions: 1 });
    const second = await whileOpen(
      api.db,
      client.tenantId,
      (tx) => redeemCoupon(tx, { couponCode: 'TEN', customerId }, 'test'),
      () => redeem(),
    );
    expect(second.body).toMatchObject({ status: 409, code: 'coupon.exhausted' });
    expect(await count('coupon_redemptions')).toBe(1);
  });

  test('of twenty at once, as many succeed as may', async () => {
    await client.post('/coupons', { ...percent, maxRedemptions: 3 });
    const statuses = (await Promise.all(Array.from({ length: 20 }, () => redeem()))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(3);
    expect(statuses.filter((status) => status === 409)).toHaveLength(17);
    expect(await count('coupon_redemptions')).toBe(3);
  });

  test('from its expiry on it cannot be redeemed', async () => {
    await client.post('/coupons', { ...percent, expiresAt: '2026-09-01T00:00:00Z' });
    now = '2026-08-31T23:59:59.999Z';
    expect((await redeem()).status).toBe(201);
    now = '2026-09-01T00:00:00.000Z';
    expect((await redeem()).body).toMatchObject({
      status: 409,
      code: 'coupon.expired',
      errors: [{ path: 'couponCode' }],
    });
  });

  test("expiry is judged by the customer's clock, its subscription's too", async () => {
    await client.post('/coupons', { ...percent, expiresAt: '2026-09-01T00:00:00Z' });
    const living = async (instant: string) => {
      const { body: clock } = await client.post('/test-clocks', { now: instant });
      return (await client.post('/customers', { name: instant, testClockId: clock.id })).body.id as string;
    };
    const past = await living('2020-01-01T00:00:00Z');
    const future = await living('2030-01-01T00:00:00Z');
    expect((await redeem({ customerId: past })).body.redeemedAt).toBe('2020-01-01T00:00:00.000Z');
    expect((await redeem({ customerId: future })).body.code).toBe('coupon.expired');
    const late = await subscription(future);
    expect((await redeem({ customerId: undefined, subscriptionId: late })).body.code).toBe('coupon.expired');
  });
});

describe('redemptions', () => {
  test('are ended for good by DELETE, and stay readable', async () => {
    await client.post('/coupons', percent);
    const { body } = await redeem();
    now = '2026-08-02T00:00:00.000Z';
    expect((await client.delete(`/coupon-redemptions/${body.id}`)).status).toBe(204);
    now = '2026-08-03T00:00:00.000Z';
    expect((await client.delete(`/coupon-redemptions/${body.id}`)).status).toBe(204);
    expect((await client.get(`/coupon-redemptions/${body.id}`)).body).toEqual({
      ...body,
      endedAt: '2026-08-02T00:00:00.000Z',
    });
    expect((await client.delete('/coupon-redemptions/red_none')).status).toBe(404);
    const { items } = (await client.get(`/audit-events?subjectId=${body.id}`)).body;
    expect(items.map((one: { action: string }) => one.action)).toEqual([
      'coupon_redemption.created',
      'coupon_redemption.ended',
    ]);
  });

  test('are listed by coupon, customer, subscription and whether they ended', async () => {
    await client.post('/coupons', percent);
    await client.post('/coupons', fixed);
    const subscriptionId = await subscription();
    const { body: a } = await redeem();
    const { body: b } = await redeem({ couponCode: 'FIVE' });
    const { body: c } = await redeem({ customerId: undefined, subscriptionId });
    await client.delete(`/coupon-redemptions/${b.id}`);
    const ids = async (query: string) =>
      (await client.get(`/coupon-redemptions?${query}`)).body.items.map((one: { id: string }) => one.id);
    expect(await ids('')).toEqual([a.id, b.id, c.id]);
    expect(await ids('couponCode=TEN')).toEqual([a.id, c.id]);
    expect(await ids(`couponId=${b.couponId}`)).toEqual([b.id]);
    expect(await ids('customerId=externalId:acme')).toEqual([a.id, b.id]);
    expect(await ids(`subscriptionId=${subscriptionId}`)).toEqual([c.id]);
    expect(await ids('ended=false&sort=-redeemedAt')).toEqual([c.id, a.id]);
    expect(await ids('ended=true')).toEqual([b.id]);
    expect((await client.get('/coupon-redemptions?customerId=cus_none')).status).toBe(404);
  });

  test('count a cycle for each run that was issued, not one that carried its remainder on', async () => {
    await client.post('/coupons', { ...fixed, code: 'TEN', duration: 'FOREVER', carryRemainder: true });
    const { body } = await redeem();
    const reservation = (invoice: string, run: string, status: string, remainder: string) =>
      `('${client.tenantId}', '${body.id}', '${invoice}', '${run}', 1, ${remainder}, '${status}', now())`;
    await api.db.query(`set session_replication_role = replica;
      insert into coupon_reservations (tenant_id, redemption_id, invoice_id, run_id, amount, remainder, status, reserved_at) values
        ${reservation('i1', 'r1', 'CAPTURED', 'null')}, ${reservation('i2', 'r1', 'CAPTURED', '0')},
        ${reservation('i3', 'r2', 'CAPTURED', '4')}, ${reservation('i4', 'r3', 'RESERVED', 'null')},
        ${reservation('i5', 'r4', 'RELEASED', 'null')}, ${reservation('i6', 'r5', 'CAPTURED', 'null')};
      reset session_replication_role`);
    expect((await client.get(`/coupon-redemptions/${body.id}`)).body.cyclesUsed).toBe(2);
  });
});
