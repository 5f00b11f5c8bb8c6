import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addAliases } from '../../src/db/customer-aliases.ts';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { whileOpen } from '../support/race.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
});
beforeEach(async () => {
  client = await api.tenant();
});
afterAll(() => api.close());

const create = async (name: string, fields: object = {}): Promise<Reply['body']> =>
  (await client.post('/customers', { name, ...fields })).body;

const whole = {
  externalId: 'crm-1',
  name: 'Acme GmbH',
  email: 'billing@acme.example',
  firstName: 'Ada',
  lastName: 'Lovelace',
  currency: 'EUR',
  address: { line1: 'Hauptstr. 1', line2: null, city: 'Berlin', region: null, postalCode: '10115', country: 'DE' },
  taxRate: '19',
  taxExempt: false,
  taxId: 'DE123456789',
  taxCountry: 'DE',
  billTo: 'SELF',
  paymentTermsDays: 14,
  autoPay: true,
  invoicingFlow: 'REVIEW',
};

describe('profile', () => {
  test('every field, read back', async () => {
    const { body: tenant } = await client.get('/tenant');
    const { status, body } = await client.post('/customers', {
      ...whole,
      billingEntityId: tenant.defaultEntityId,
      aliases: ['usage-1', 'crm-1'],
      contacts: [{ name: 'Grace', email: 'grace@acme.example', preferences: ['LEGAL', 'BILLING', 'LEGAL'] }],
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      ...whole,
      id: expect.stringMatching(/^cus_/),
      taxRate: '19.00',
      billingEntityId: tenant.defaultEntityId,
      parentCustomerId: null,
      parent: null,
      payerCustomerId: body.id,
      billingNotice: null,
      aliases: ['crm-1', 'usage-1'],
      contacts: [
        {
          id: expect.stringMatching(/^con_/),
          name: 'Grace',
          email: 'grace@acme.example',
          preferences: ['LEGAL', 'BILLING'],
          createdAt: expect.any(String),
        },
      ],
      status: 'ACTIVE',
      testClockId: null,
      createdAt: expect.any(String),
    });
    expect((await client.get(`/customers/${body.id}`)).body).toEqual(body);
  });

  test('what is not sent', async () => {
    expect(await create('Plain')).toMatchObject({
      externalId: null,
      taxRate: null,
      taxExempt: false,
      billTo: 'PARENT',
      paymentTermsDays: 30,
      autoPay: false,
      invoicingFlow: 'AUTOMATIC',
      aliases: [],
      contacts: [],
    });
  });

  test('only what is sent changes, and null clears', async () => {
    const made = await create('Acme', { ...whole, aliases: ['a'], contacts: [{ name: 'G', email: 'g@acme.example' }] });
    const { body } = await client.put(`/customers/${made.id}`, { taxRate: null, address: null, name: 'Acme SE' });
    expect(body).toEqual({ ...made, taxRate: null, address: null, name: 'Acme SE' });
    expect((await client.put(`/customers/${made.id}`, { taxRate: '0.00' })).body.taxRate).toBe('0.00');
    expect((await client.put(`/customers/${made.id}`, { taxRate: '8.875' })).body.taxRate).toBe('8.875');
    expect((await client.put(`/customers/${made.id}`, { contacts: [] })).body.contacts).toEqual([]);
    expect((await client.put(`/customers/${made.id}`, { name: null })).status).toBe(400);
  });

  test.each([
    { field: 'taxRate', value: 19 },
    { field: 'taxRate', value: '101' },
    { field: 'taxRate', value: '-1' },
    { field: 'email', value: 'nobody' },
    { field: 'currency', value: 'EURO' },
    { field: 'taxCountry', value: 'XX' },
    { field: 'paymentTermsDays', value: -1 },
    { field: 'paymentTermsDays', value: 1.5 },
    { field: 'contacts[0].email', value: 'nobody', body: { contacts: [{ name: 'x', email: 'nobody' }] } },
    {
      field: 'contacts[0].preferences[0]',
      value: 'ALL',
      body: { contacts: [{ name: 'x', email: 'a@b.example', preferences: ['ALL'] }] },
    },
    { field: 'address.country', value: 'UK', body: { address: { country: 'UK' } } },
    { field: 'address.planet', value: 'Mars', body: { address: { planet: 'Mars' } } },
    { field: 'aliases[1]', value: '', body: { aliases: ['a', ''] } },
  ])('refuses $field = $value', async ({ field, value, body }) => {
    const reply = await client.post('/customers', { name: 'x', ...(body ?? { [field]: value }) });
    expect({ status: reply.status, path: reply.body.errors[0].path }).toEqual({ status: 400, path: field });
  });

  test('names what it does not find, by its field', async () => {
    for (const field of ['parentCustomerId', 'billingEntityId', 'testClockId']) {
      const { status, body } = await client.post('/customers', { name: 'x', [field]: 'nobody' });
      expect({ status, code: body.code, path: body.errors[0].path }).toEqual({
        status: 404,
        code: 'not_found',
        path: field,
      });
    }
  });

  test('an archived entity takes no new customer', async () => {
    const entity = { entityCode: 'OLD', displayName: 'Old', baseCurrency: 'EUR', countryCode: 'DE' };
    const { body: old } = await client.post('/billing-entities', entity);
    const bound = await create('Bound', { billingEntityId: old.id });
    await client.post(`/billing-entities/${old.id}/archive`);
    expect((await client.post('/customers', { name: 'x', billingEntityId: old.id })).body.code).toBe('entity.archived');
    expect((await client.put(`/customers/${bound.id}`, { billingEntityId: old.id, autoPay: true })).status).toBe(200);
  });
});

describe('external ids', () => {
  test('any of them addresses the customer, everywhere', async () => {
    const { id } = await create('Acme', { externalId: 'crm/1 ä', aliases: ['usage-1'] });
    for (const alias of ['crm/1 ä', 'usage-1']) {
      expect((await client.get(`/customers/${encodeURIComponent(`externalId:${alias}`)}`)).body.id).toBe(id);
    }
    const child = await create('Child', { parentCustomerId: 'externalId:usage-1' });
    expect(child.parentCustomerId).toBe(id);
    expect((await client.get('/customers/externalId:usage-1/children')).body.items[0].id).toBe(child.id);
    expect((await client.get('/customers?externalId=usage-1')).body.items[0].id).toBe(id);
    expect((await client.get('/customers/externalId:nobody')).status).toBe(404);
  });

  test('the first alias is the external id when none is named', async () => {
    expect((await create('Acme', { aliases: ['b', 'a'] })).externalId).toBe('b');
    expect((await create('Plain', { aliases: ['c'], externalId: null })).externalId).toBeNull();
  });

  test('each is taken once in a tenant', async () => {
    const other = await api.tenant();
    await create('Acme', { externalId: 'x', aliases: ['y'] });
    for (const fields of [{ externalId: 'y' }, { aliases: ['z', 'x'] }]) {
      const { status, body } = await client.post('/customers', { name: 'Late', ...fields });
      expect({ status, code: body.code }).toEqual({ status: 409, code: 'customer.alias_taken' });
    }
    expect((await client.get('/customers/externalId:z')).status).toBe(404);
    expect((await other.post('/customers', { name: 'Theirs', externalId: 'x' })).status).toBe(201);
  });

  test('of two that ask for one at once, the second is told who was first', async () => {
    const { id } = await create('First');
    const second = await whileOpen(
      api.db,
      client.tenantId,
      (tx) => addAliases(tx, id, ['wanted'], 'aliases'),
      () => client.post('/customers', { name: 'Second', externalId: 'wanted' }),
    );
    expect(second.body).toMatchObject({ status: 409, code: 'customer.alias_taken', errors: [{ path: 'externalId' }] });
    expect((await client.get('/customers')).body.totalItems).toBe(1);
  });

  test('they come and go', async () => {
    const { id } = await create('Acme', { externalId: 'first' });
    expect((await client.post(`/customers/${id}/aliases`, { alias: 'second' })).status).toBe(201);
    expect((await client.post(`/customers/${id}/aliases`, { alias: 'second' })).status).toBe(201);
    expect((await client.put(`/customers/${id}`, { externalId: 'third' })).body).toMatchObject({
      externalId: 'third',
      aliases: ['first', 'second', 'third'],
    });
    expect((await client.delete(`/customers/${id}/aliases/first`)).status).toBe(204);
    expect((await client.delete(`/customers/${id}/aliases/first`)).status).toBe(404);
    expect((await client.delete(`/customers/${id}/aliases/third`)).status).toBe(204);
    const { body } = await client.get(`/customers/${id}`);
    expect(body).toMatchObject({ externalId: null, aliases: ['second'] });
    expect((await client.put(`/customers/${id}`, { aliases: ['only'] })).body.aliases).toEqual(['only']);
    expect((await client.get(`/customers/${id}/aliases`)).body).toMatchObject({
      totalItems: 1,
      items: [{ alias: 'only' }],
    });
  });
});

test('contacts come, change and go, and belong to one customer', async () => {
  const { id } = await create('Acme');
  const { id: other } = await create('Other');
  const path = `/customers/${id}/contacts`;
  const { status, body: made } = await client.post(path, { name: 'Grace', email: 'grace@acme.example' });
  expect({ status, preferences: made.preferences }).toEqual({ status: 201, preferences: ['BILLING'] });
  const { body: changed } = await client.put(`${path}/${made.id}`, { preferences: ['UPDATES'] });
  expect(changed).toEqual({ ...made, preferences: ['UPDATES'] });
  expect((await client.get(`${path}/${made.id}`)).body).toEqual(changed);
  expect((await client.get(path)).body).toMatchObject({ totalItems: 1, items: [changed] });
  expect((await client.put(`/customers/${other}/contacts/${made.id}`, { name: 'x' })).status).toBe(404);
  expect((await client.delete(`/customers/${other}/contacts/${made.id}`)).status).toBe(404);
  expect((await client.delete(`${path}/${made.id}`)).status).toBe(204);
  expect((await client.get(path)).body.items).toEqual([]);
});

test('archived and reactivated: nothing new refers to an archived one', async () => {
  const { id } = await create('Acme');
  expect((await client.post(`/customers/${id}/reactivate`)).body.code).toBe('conflict');
  expect((await client.post(`/customers/${id}/archive`)).body.status).toBe('ARCHIVED');
  expect((await client.post(`/customers/${id}/archive`)).body.code).toBe('customer.archived');
  expect((await client.post('/customers', { name: 'Child', parentCustomerId: id })).body).toMatchObject({
    status: 409,
    code: 'customer.archived',
    errors: [{ path: 'parentCustomerId' }],
  });
  const child = await create('Child');
  expect((await client.put(`/customers/${child.id}`, { parentCustomerId: id })).body.code).toBe('customer.archived');
  await client.post(`/customers/${id}/reactivate`);
  expect((await client.put(`/customers/${child.id}`, { parentCustomerId: id })).status).toBe(200);
});

test('lists are found by what is asked, and stay as they were while customers are added', async () => {
  const parent = await create('Parent', { externalId: 'p' });
  for (const name of ['Beta', 'Alpha', '100%_sure'])
    await create(name, { parentCustomerId: parent.id, currency: 'EUR' });
  const names = async (query: string) =>
    (await client.get(`/customers${query}`)).body.items.map(({ name }: { name: string }) => name);
  expect(await names('?page=0&size=2')).toEqual(['Parent', 'Beta']);
  await create('Gamma', { email: 'gamma@x.example' });
  expect(await names('?page=1&size=2')).toEqual(['Alpha', '100%_sure']);
  expect(await names('?sort=-name&size=2')).toEqual(['Parent', 'Gamma']);
  expect(await names('?parentCustomerId=externalId:p')).toEqual(['Beta', 'Alpha', '100%_sure']);
  expect(await names('?currency=EUR&search=alph')).toEqual(['Alpha']);
  expect(await names(`?search=${encodeURIComponent('0%_')}`)).toEqual(['100%_sure']);
  expect(await names('?search=GAMMA@x')).toEqual(['Gamma']);
  expect(await names('?status=ARCHIVED')).toEqual([]);
  expect((await client.get('/customers?parentCustomerId=nobody')).status).toBe(404);
});
