import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  client = await api.tenant();
});
afterAll(() => api.close());

const japan = {
  entityCode: 'JP',
  displayName: 'Acme Japan K.K.',
  legalName: 'Acme Japan Kabushiki Kaisha',
  baseCurrency: 'JPY',
  countryCode: 'JP',
  billingTimezone: 'Asia/Tokyo',
  address: { line1: '1-1 Marunouchi', city: 'Chiyoda-ku', region: 'Tokyo', postalCode: '100-0005', country: 'JP' },
  invoiceNumberPrefix: 'JP',
  invoiceNumberFormat: '{prefix}-{YYYY}-{seq:0000}',
};
const create = async (changes: object = {}): Promise<Reply['body']> =>
  (await client.post('/billing-entities', { ...japan, ...changes })).body;
const act = (id: string, verb: string) => client.post(`/billing-entities/${id}/${verb}`);
const read = async (id: string) => (await client.get(`/billing-entities/${id}`)).body;
const defaults = async (): Promise<string[]> =>
  (await client.get('/billing-entities?size=200')).body.items
    .filter(({ isDefault }: { isDefault: boolean }) => isDefault)
    .map(({ entityCode }: { entityCode: string }) => entityCode);

describe('fields', () => {
  test("the document's own example, read back whole", async () => {
    const { status, body } = await client.post('/billing-entities', japan);
    expect(status).toBe(201);
    expect(body).toEqual({
      ...japan,
      id: expect.stringMatching(/^ent_/),
      address: { ...japan.address, line2: null },
      reportingCurrency: null,
      taxRegistrationNumber: null,
      taxJurisdiction: null,
      creditNotePrefix: 'CN',
      creditNoteFormat: '{prefix}-{seq:0000}',
      numberReset: 'NEVER',
      firstNumber: 1,
      roundingMode: 'HALF_UP',
      zeroInvoices: 'ISSUE',
      logoUrl: null,
      footerText: null,
      isDefault: false,
      status: 'ACTIVE',
      createdAt: expect.any(String),
    });
    expect(await read(body.id)).toEqual(body);
    expect((await client.get(`//internal/v1/billing-entities/${body.id}`)).body).toEqual(body);
  });

  test('an unknown zone is refused in the words of the document', async () => {
    const { status, body } = await client.post('/billing-entities', { ...japan, billingTimezone: 'Asia/MarsCity' });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'timezone.unknown',
      detail: `Unknown timezone 'Asia/MarsCity'. Expected an IANA zone id (e.g. 'America/Los_Angeles', 'Asia/Tokyo', 'Europe/Berlin').`,
      errors: [{ path: 'billingTimezone' }],
    });
  });

  test.each(['UTC', 'Asia/Calcutta', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
    'takes %s',
    async (billingTimezone) => {
      expect((await create({ billingTimezone })).billingTimezone).toBe(billingTimezone);
    },
  );

  // Intl takes the first three, in any case; PostgreSQL lists some that Intl lacks.
  test.each(['asia/tokyo', 'utc', 'US/pacific', '+09:00', 'UTC+9', 'GMT-5', 'Factory', 'posix/Asia/Tokyo', 'JST', ''])(
    'refuses the zone %j',
    async (billingTimezone) => {
      const { body } = await client.post('/billing-entities', { ...japan, billingTimezone });
      expect(body).toMatchObject({ status: 400, code: 'timezone.unknown' });
    },
  );

  test.each([
    { field: 'baseCurrency', value: 'EURO', code: 'currency.unknown' },
    { field: 'baseCurrency', value: 'eur', code: 'currency.unknown' },
    { field: 'reportingCurrency', value: 'DEM', code: 'currency.unknown' },
    { field: 'countryCode', value: 'UK', code: 'country.unknown' },
    { field: 'entityCode', value: 'jp', code: 'request.invalid' },
    { field: 'entityCode', value: 'A'.repeat(21), code: 'request.invalid' },
    { field: 'firstNumber', value: 0, code: 'request.invalid' },
    { field: 'roundingMode', value: 'DOWN', code: 'request.invalid' },
    { field: 'logoUrl', value: 'javascript:alert(1)', code: 'request.invalid' },
    { field: 'invoiceNumberFormat', value: '{prefix}-{nope}', code: 'number_format.invalid' },
    { field: 'invoiceNumberFormat', value: '{prefix}-2026', code: 'number_format.invalid' },
    { field: 'creditNoteFormat', value: 'CN', code: 'number_format.invalid' },
  ])('refuses $field = $value', async ({ field, value, code }) => {
    const { status, body } = await client.post('/billing-entities', { ...japan, [field]: value });
    expect({ status, code: body.code, path: body.errors[0].path }).toEqual({ status: 400, code, path: field });
  });

  test('a sequence that starts again needs its period in both formats', async () => {
    const yearly = { numberReset: 'YEARLY', creditNoteFormat: 'CN-{YYYY}-{seq}' };
    expect((await client.post('/billing-entities', { ...japan, ...yearly })).status).toBe(201);
    const { id } = await create({ entityCode: 'X' });
    expect((await client.put(`/billing-entities/${id}`, { numberReset: 'YEARLY' })).body.errors[0].path).toBe(
      'creditNoteFormat',
    );
    expect((await client.put(`/billing-entities/${id}`, yearly)).status).toBe(200);
    expect((await client.put(`/billing-entities/${id}`, { invoiceNumberFormat: '{seq}' })).body.code).toBe(
      'number_format.invalid',
    );
  });

  test('CJK and RTL text is kept verbatim', async () => {
    const footerText = 'ご利用ありがとうございます — \u202bשלום\u202c';
    expect((await create({ footerText, legalName: '株式会社アクメ' })).footerText).toBe(footerText);
  });

  test('a code is taken once, and another tenant may have it too', async () => {
    await create();
    expect((await client.post('/billing-entities', japan)).body).toMatchObject({
      status: 409,
      code: 'entity.code_taken',
    });
    const other = await api.tenant();
    expect((await other.post('/billing-entities', japan)).status).toBe(201);
  });
});

describe('editing', () => {
  test('only what is sent changes, null clears, and PATCH is the same', async () => {
    const made = await create({ footerText: 'Thank you', taxJurisdiction: 'JP-CIT' });
    const { body } = await client.put(`/billing-entities/${made.id}`, {
      billingTimezone: 'Asia/Seoul',
      footerText: null,
    });
    expect(body).toEqual({ ...made, billingTimezone: 'Asia/Seoul', footerText: null });
    const patched = await client.send('PATCH', `/billing-entities/${made.id}`, { displayName: 'Acme JP' });
    expect(patched.body).toEqual({ ...body, displayName: 'Acme JP' });
    expect((await client.put(`/billing-entities/${made.id}`, {})).body).toEqual(patched.body);
  });

  test('code and base currency are for ever; sending them unchanged is no change', async () => {
    const { id } = await create();
    expect((await client.put(`/billing-entities/${id}`, { entityCode: 'JP', baseCurrency: 'JPY' })).status).toBe(200);
    for (const change of [{ entityCode: 'JP2' }, { baseCurrency: 'USD' }]) {
      const { status, body } = await client.put(`/billing-entities/${id}`, change);
      expect({ status, code: body.code, path: body.errors[0].path }).toEqual({
        status: 409,
        code: 'entity.immutable',
        path: Object.keys(change)[0],
      });
      expect(body.detail).toContain('create a new one');
    }
  });

  test('the first number may be set until the first issue', async () => {
    const { id } = await create();
    expect((await client.put(`/billing-entities/${id}`, { firstNumber: 500 })).body.firstNumber).toBe(500);
    await api.db.query(`insert into number_streams values ($1, $2, 'INVOICE', '', 501)`, [client.tenantId, id]);
    expect((await client.put(`/billing-entities/${id}`, { firstNumber: 500 })).status).toBe(200);
    expect((await client.put(`/billing-entities/${id}`, { firstNumber: 1 })).body).toMatchObject({
      status: 409,
      code: 'entity.numbering_started',
    });
  });

  test("another tenant's entity is not there", async () => {
    const { id } = await create();
    const other = await api.tenant();
    const replies = await Promise.all([
      other.get(`/billing-entities/${id}`),
      other.get(`//internal/v1/billing-entities/${id}`),
      other.put(`/billing-entities/${id}`, { displayName: 'Mine' }),
      other.post(`/billing-entities/${id}/archive`),
    ]);
    const nowhere = await other.get('/billing-entities/ent_nowhere');
    for (const { status, body } of replies) {
      expect(status).toBe(404);
      expect(body.detail.replace(id, 'ent_nowhere')).toBe(nowhere.body.detail);
    }
  });
});

describe('life cycle', () => {
  test.each([
    { from: [], verb: 'suspend', status: 200, to: 'SUSPENDED' },
    { from: [], verb: 'archive', status: 200, to: 'ARCHIVED' },
    { from: [], verb: 'reactivate', status: 409, code: 'conflict' },
    { from: ['suspend'], verb: 'reactivate', status: 200, to: 'ACTIVE' },
    { from: ['suspend'], verb: 'archive', status: 200, to: 'ARCHIVED' },
    { from: ['suspend'], verb: 'suspend', status: 409, code: 'entity.suspended' },
    { from: ['suspend'], verb: 'set-default', status: 409, code: 'entity.suspended' },
    { from: ['archive'], verb: 'reactivate', status: 409, code: 'entity.archived' },
    { from: ['archive'], verb: 'set-default', status: 409, code: 'entity.archived' },
    { from: ['archive'], verb: 'suspend', status: 409, code: 'entity.archived' },
    { from: ['archive'], verb: 'archive', status: 409, code: 'entity.archived' },
    { from: ['set-default'], verb: 'suspend', status: 409, code: 'entity.default' },
    { from: ['set-default'], verb: 'archive', status: 409, code: 'entity.default' },
    { from: ['set-default'], verb: 'set-default', status: 200, to: 'ACTIVE' },
  ])('after $from, $verb answers $status', async ({ from, verb, status, to, code }) => {
    const { id } = await create();
    for (const step of from) await act(id, step);
    const reply = await act(id, verb);
    expect({ status: reply.status, to: reply.body.status, code: reply.body.code }).toEqual(
      status === 200 ? { status, to, code: undefined } : { status, to: 409, code },
    );
  });

  test('an archived one refuses edits; a suspended one takes them', async () => {
    const { id } = await create();
    await act(id, 'suspend');
    expect((await client.put(`/billing-entities/${id}`, { footerText: 'x' })).status).toBe(200);
    await act(id, 'archive');
    expect((await client.put(`/billing-entities/${id}`, { footerText: 'y' })).body.code).toBe('entity.archived');
    expect((await read(id)).footerText).toBe('x');
  });

  test('there is exactly one default, however it is made', async () => {
    const { id } = await create({ isDefault: true });
    expect(await defaults()).toEqual(['JP']);
    const { id: second } = await create({ entityCode: 'EU' });
    await act(second, 'set-default');
    expect(await defaults()).toEqual(['EU']);
    await client.put(`/billing-entities/${id}`, { isDefault: true, footerText: 'now' });
    expect(await defaults()).toEqual(['JP']);
    expect((await client.get('/tenant')).body.defaultEntityId).toBe(id);
    expect((await client.put(`/billing-entities/${id}`, { isDefault: false })).body.code).toBe('entity.default');
    expect((await client.put(`/billing-entities/${second}`, { isDefault: false })).status).toBe(200);
  });

  test('a default that cannot be made leaves nothing behind', async () => {
    const { id } = await create();
    await act(id, 'suspend');
    expect((await client.put(`/billing-entities/${id}`, { isDefault: true, footerText: 'lost' })).status).toBe(409);
    expect((await read(id)).footerText).toBeNull();
    expect(await defaults()).toEqual(['DEFAULT']);
  });

  test('flips and suspensions at once leave one default, and it is active', async () => {
    const made = await Promise.all(['A', 'B', 'C'].map((entityCode) => create({ entityCode })));
    await Promise.all(made.flatMap(({ id }) => [act(id, 'set-default'), act(id, 'suspend'), act(id, 'set-default')]));
    const [one, ...others] = await defaults();
    expect(others).toEqual([]);
    const { body } = await client.get('/billing-entities?status=ACTIVE');
    expect(body.items.map(({ entityCode }: { entityCode: string }) => entityCode)).toContain(one);
  });

  test('a change of status wakes every open group of the entity, once', async () => {
    const { id } = await create();
    const { body: payer } = await client.post('/customers', { name: 'Payer' });
    const group = (groupId: string, status: string) =>
      api.db.query(
        `insert into billing_groups (tenant_id, id, payer_customer_id, billing_entity_id, currency, timezone, is_default,
           tax_address, mid_cycle_charges, settle_minutes, grace_hours, status, created_at)
         values ($1, $2, $3, $4, 'JPY', 'Asia/Tokyo', true, 'PAYER', 'NEXT_INVOICE', 15, 0, $5, now())`,
        [client.tenantId, groupId, payer.id, id, status],
      );
    await group('grp_1', 'ACTIVE');
    await group('grp_2', 'BLOCKED');
    await group('grp_3', 'CLOSED');
    await act(id, 'suspend');
    await act(id, 'reactivate');
    const messages = await api.db.query(
      `select topic, dedupe_key, payload from outbox_messages where tenant_id = $1 order by dedupe_key`,
      [client.tenantId],
    );
    expect(messages).toEqual(
      ['grp_1', 'grp_2'].map((groupId) => ({
        topic: 'group.refresh',
        dedupe_key: groupId,
        payload: { billingGroupId: groupId },
      })),
    );
  });

  test('each step is in the audit log', async () => {
    const { id } = await create();
    for (const verb of ['suspend', 'reactivate', 'archive']) await act(id, verb);
    const { body } = await client.get(`/audit-events?subjectType=billing_entity&subjectId=${id}`);
    expect(body.items.map(({ action }: { action: string }) => action)).toEqual(
      ['created', 'suspended', 'reactivated', 'archived'].map((step) => `billing_entity.${step}`),
    );
  });
});

test('lists by page, status and code, in the order asked for', async () => {
  for (const entityCode of ['B', 'C', 'A']) await create({ entityCode });
  const codes = async (query: string) =>
    (await client.get(`/billing-entities${query}`)).body.items.map(
      ({ entityCode }: { entityCode: string }) => entityCode,
    );
  expect(await codes('')).toEqual(['DEFAULT', 'B', 'C', 'A']);
  expect(await codes('?page=1&size=2')).toEqual(['C', 'A']);
  expect(await codes('?page=9')).toEqual([]);
  expect(await codes('?sort=entityCode')).toEqual(['A', 'B', 'C', 'DEFAULT']);
  expect(await codes('?sort=-entityCode&size=1')).toEqual(['DEFAULT']);
  expect(await codes('?sort=entityCode,desc&size=1')).toEqual(['DEFAULT']);
  expect(await codes('?entityCode=C')).toEqual(['C']);
  expect(await codes('?status=SUSPENDED')).toEqual([]);
  const { body } = await client.get('/billing-entities?size=3&page=1');
  expect(body).toMatchObject({ page: 1, size: 3, totalItems: 4, totalPages: 2 });
});

test.each([
  ['YEARLY', '{prefix}-{YYYY}-{seq:0000}'],
  ['MONTHLY', '{prefix}-{YYYY}{MM}-{seq:0000}'],
])('formats that are not sent hold what a %s sequence needs', async (numberReset, expected) => {
  const tenant = await api.tenant();
  const { status, body } = await tenant.post('/billing-entities', {
    entityCode: 'EU',
    displayName: 'Acme EU',
    baseCurrency: 'EUR',
    countryCode: 'DE',
    numberReset,
  });
  expect([status, body.invoiceNumberFormat, body.creditNoteFormat]).toEqual([201, expected, expected]);
});
