import type { Client, Reply, TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';

/** Texts that occur nowhere else: what is personal, and must stay in the database and in the answers to its tenant. */
export const PERSONAL = {
  name: 'Xanthippe Quackenbush',
  firstName: 'Xanthippe',
  lastName: 'Quackenbush',
  email: 'xq@quackenbush.example',
  street: '77 Verbena Crescent',
  city: 'Llanfairpwll',
  taxId: 'QB-998877-Z',
  externalId: 'login-xq@quackenbush.example',
  contact: 'Thaddeus Wobble',
  contactEmail: 'thaddeus@wobble.example',
  child: 'Zebedee Quackenbush',
  description: 'Wedding of Miss Quackenbush',
  purchaseOrder: 'PO of Quackenbush',
} as const;

const address = { line1: PERSONAL.street, city: PERSONAL.city, country: 'DE' };

/** A customer who says everything about himself, with a child that bills to him. */
export async function addCustomers(client: Client): Promise<{ payerId: string; childId: string }> {
  const payer = await create(client, '/customers', {
    name: PERSONAL.name,
    firstName: PERSONAL.firstName,
    lastName: PERSONAL.lastName,
    email: PERSONAL.email,
    taxId: PERSONAL.taxId,
    externalId: PERSONAL.externalId,
    address,
    contacts: [{ name: PERSONAL.contact, email: PERSONAL.contactEmail }],
  });
  const child = await create(client, '/customers', { name: PERSONAL.child, parentCustomerId: payer.id });
  return { payerId: payer.id, childId: child.id };
}

/** Both are subscribed and charged: one group of the payer's. */
export async function subscribeBoth(client: Client, ids: { payerId: string; childId: string }): Promise<string> {
  const groups = await Promise.all(
    Object.values(ids).map(async (customerId) => {
      const prices = [flat('base', '10.00')];
      return (await create(client, '/subscriptions', { customerId, prices, shippingAddress: address })).billingGroupId;
    }),
  );
  await create(client, '/charges', { customerId: ids.childId, description: PERSONAL.description, amount: '5.00' });
  await client.put(`/billing-groups/${groups[0]}`, { name: PERSONAL.name, purchaseOrder: PERSONAL.purchaseOrder });
  return groups[0];
}

/** Requests that go wrong while they hold a key of the caller's, or what is personal, wherever a text can stand. */
export async function blunder(api: TestApi, client: Client, secret: string): Promise<Reply[]> {
  const wrongKey = api.as(`${secret.slice(0, -4)}zzzz`);
  const customer = `/customers/externalId:${encodeURIComponent(PERSONAL.externalId)}`;
  return Promise.all([
    wrongKey.get('/tenant'),
    wrongKey.post('/customers', { name: PERSONAL.name }),
    client.post('/tenants', { name: 'Mine' }),
    client.get('/tenant', { 'X-Tenant-Id': secret }),
    client.get('/tenant', { Authorization: `Basic ${secret}` }),
    client.send('POST', '/customers', `{"name": "${PERSONAL.name}", "apiKey": "${secret}"`),
    client.send('POST', '/customers', `apiKey=${secret}`, { 'Content-Type': `text/${secret}` }),
    client.post('/customers', { name: PERSONAL.name, apiKey: secret }),
    client.post('/customers', { name: PERSONAL.name, [secret]: secret }),
    client.post('/customers', { name: PERSONAL.name, currency: secret }),
    client.post('/customers', { name: PERSONAL.name, taxCountry: secret, address: { country: secret } }),
    client.post('/billing-entities', { entityCode: secret, displayName: 'X', baseCurrency: 'EUR', countryCode: 'DE' }),
    client.post('/subscriptions', { customerId: secret, planCode: secret, startAt: secret, startDate: secret }),
    client.post('/schedules/preview', {
      anchorDate: secret,
      timezone: secret,
      cadence: { interval: secret, count: 1 },
    }),
    client.post('/credits', { customerId: PERSONAL.externalId, amount: secret }),
    client.post('/customers', { name: PERSONAL.name, contacts: [{ name: PERSONAL.contact, email: secret }] }),
    client.post('/customers', { name: 'A' }, { 'Idempotency-Key': `é${secret}` }),
    client.get(`/customers/${secret}`),
    client.get(`/nothing/${secret}/${PERSONAL.lastName}`),
    client.delete(`${customer}/aliases/${secret}`),
    client.get(`/customers?search=${encodeURIComponent(PERSONAL.name)}&nonsense=${secret}`),
    client.get(`/invoices?cursor=${secret}`),
    client.post(`${customer}/reactivate`),
    client.send('PUT', customer, '{'),
  ]);
}
