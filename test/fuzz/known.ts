import type { Client } from '../support/api.ts';
import type { TestApi } from '../support/api.ts';
import { richScene } from '../activities/scene.ts';
import { billUntil } from '../support/billing.ts';
import { all, create, flat } from '../support/billing-shapes.ts';

type Listed = Readonly<Record<string, any>>;

const PLACES: readonly [path: string, field: string, names: readonly string[]][] = [
  ['/customers', 'id', ['customerId', 'parentCustomerId', 'payerCustomerId', 'invoicingCustomerId']],
  ['/billing-entities', 'id', ['entityId', 'billingEntityId']],
  ['/subscriptions', 'id', ['subscriptionId']],
  ['/billing-groups', 'id', ['billingGroupId']],
  ['/runs', 'id', ['runId']],
  ['/invoices', 'id', ['invoiceId']],
  ['/charges', 'id', ['chargeId']],
  ['/plans', 'id', ['planId']],
  ['/plans', 'code', ['planCode']],
  ['/coupons', 'id', ['couponId']],
  ['/coupons', 'code', ['couponCode']],
  ['/coupon-redemptions', 'id', ['redemptionId']],
  ['/credits', 'id', ['creditId']],
  ['/tax-rates', 'id', ['taxRateId']],
  ['/test-clocks', 'id', ['testClockId']],
  ['/api-keys', 'id', ['apiKeyId']],
];

const ZONES = ['UTC', 'Asia/Tokyo', 'America/Los_Angeles', 'Europe/Berlin', 'Africa/Cairo', 'America/Havana'];

/** What a tenant has, by the names that parameters and fields give it. */
export async function knownValues(client: Client): Promise<Record<string, string[]>> {
  const known: Record<string, string[]> = { timezone: ZONES, billingTimezone: ZONES };
  for (const [path, field, names] of PLACES) {
    const values = (await all<Listed>(client, path)).map((item) => String(item[field]));
    if (values.length === 0) throw new Error(`There is nothing under ${path} to be found.`);
    for (const name of names) known[name] = values;
  }
  return known;
}

/** A tenant that has something of every kind, an invoice that is issued and a draft among them. */
export async function populatedTenant(api: TestApi): Promise<Client> {
  const { client } = await richScene(api);
  await create(client, '/plans', { code: 'PRO', prices: [flat('base', '10.00')] });
  await create(client, '/api-keys', { scopes: ['read'] });
  const clock = await create(client, '/test-clocks', { now: '2026-01-01T00:00:00Z' });
  const reviewed = {
    name: 'Reviewed',
    invoicingFlow: 'REVIEW',
    testClockId: clock.id,
    contacts: [mail],
    aliases: ['R'],
  };
  const customer = await create(client, '/customers', reviewed);
  await create(client, '/subscriptions', { customerId: customer.id, planCode: 'PRO' });
  await billUntil(api.db.database, client.tenantId, clock.id, '2026-01-02T00:00:00Z');
  return client;
}

const mail = { name: 'Grace', email: 'grace@billing.example' };
