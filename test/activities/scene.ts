import type { TestApi, Client } from '../support/api.ts';
import { create, flat, perUnit, setup } from '../support/billing-shapes.ts';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import { billUntil } from '../support/billing.ts';

/** A tenant whose group is about to bill a boundary at which everything happens at once. */
export interface Scene {
  readonly client: Client;
  readonly tenantId: string;
  readonly groupId: string;
  readonly testClockId: string;
  /** The boundary that is due next. */
  readonly boundaryAt: string;
}

const germany = { line1: 'Hauptstr. 1', city: 'Berlin', postalCode: '10115', country: 'DE' };
const bavaria = { ...germany, city: 'München', region: 'BY' };

/**
 * A tree of four accounts in Berlin's time. January is issued; on the 20th a subscription is canceled and charges are added;
 * February's boundary has rates from two places, three coupons, credits, a charge in either direction, unused time to be
 * given back, a yearly item, one in arrears and an inclusive one, and a subscription that is split off.
 */
export async function richScene(api: TestApi): Promise<Scene> {
  const client = await api.tenant();
  const { tenantId } = client;
  const testClockId = (await create(client, '/test-clocks', { name: 'scene', now: '2025-12-31T23:00:00Z' })).id;
  const entity = await create(client, '/billing-entities', entityBody);
  const tree = await plantTree(client, { testClockId, billingEntityId: entity.id });
  await offerTaxAndCoupons(client);
  const { groupId, leaving } = await subscribe(client, tree);
  await api.db.query(`update billing_groups set tax_address = 'OWNER' where id = $1`, [groupId]);

  await billUntil(api.db.database, tenantId, testClockId, '2026-01-20T10:00:00Z');
  await create(client, `/subscriptions/${leaving}/cancel`, { effective: 'NOW' });
  await giveCredits(client, tree.holding.id);
  const charge = (customerId: string, description: string, amount: string, chargeOn: string) =>
    create(client, '/charges', { customerId, description, amount, chargeOn });
  await charge(tree.grandchild.id, 'Onboarding', '49.90', '2026-01-20');
  await charge(tree.childB.id, 'Goodwill', '-12.00', '2026-01-25');
  await charge(tree.childB.id, 'Next time', '77.00', '2026-02-02');
  return { client, tenantId, groupId, testClockId, boundaryAt: '2026-01-31T23:00:00.000Z' };
}

const entityBody = {
  entityCode: 'BER',
  displayName: 'Berlin',
  legalName: 'Berlin GmbH',
  baseCurrency: 'EUR',
  countryCode: 'DE',
  billingTimezone: 'Europe/Berlin',
  invoiceNumberPrefix: 'BER',
};

async function plantTree(client: Client, common: { testClockId: string; billingEntityId: string }) {
  const holding = await create(client, '/customers', {
    name: 'Holding',
    externalId: 'holding',
    address: germany,
    ...common,
  });
  const child = (name: string, more: object = {}) =>
    create(client, '/customers', { name, parentCustomerId: holding.id, ...more });
  const childA = await child('A', { address: bavaria });
  const childB = await child('B', { taxExempt: true, address: germany });
  const grandchild = await create(client, '/customers', { name: 'A1', parentCustomerId: childA.id, taxRate: '7' });
  return { holding, childA, childB, grandchild };
}

async function offerTaxAndCoupons(client: Client): Promise<void> {
  await create(client, '/tax-rates', { code: 'VAT', name: 'VAT', percent: '19', country: 'DE' });
  await create(client, '/tax-rates', { code: 'BY', name: 'Bavarian', percent: '17.5', country: 'DE', region: 'BY' });
  await create(client, '/tax-rates', { code: 'BY2', name: 'Alpine', percent: '1.25', country: 'DE', region: 'BY' });
  await create(client, '/coupons', { code: 'TENTH', type: 'PERCENT', percent: '10', duration: 'FOREVER' });
  const fixed = { type: 'FIXED', currency: 'EUR', duration: 'REPEATING', cycles: 3 };
  await create(client, '/coupons', { code: 'MUCH', amount: '250.00', carryRemainder: true, ...fixed });
  await create(client, '/coupons', { code: 'LITTLE', amount: '3.33', ...fixed });
}

async function subscribe(
  client: Client,
  { holding, childA, childB, grandchild }: Awaited<ReturnType<typeof plantTree>>,
) {
  const add = (customerId: string, prices: unknown[], more: object = {}) =>
    create(client, '/subscriptions', { customerId, prices, startDate: '2026-01-01', ...more });
  const first = await add(holding.id, [flat('base', '100.00'), perUnit('seats', '7.333')], {
    quantities: { seats: '12' },
    coupons: ['MUCH'],
  });
  await add(childA.id, [flat('gross', '59.99', { taxInclusive: true }), setup('start', '20.00')], {
    coupons: ['LITTLE'],
  });
  await add(childA.id, [flat('year', '480.00', { cadence: { interval: 'YEAR', count: 1 } })]);
  const leaving = await add(childA.id, [flat('leaving', '31.00')]);
  await add(childB.id, [flat('box', '15.00')], { shippingAddress: germany });
  await add(grandchild.id, [perUnit('used', '0.125', { billing: 'ARREARS' })], { quantity: '33.5' });
  await create(client, '/coupon-redemptions', { couponCode: 'TENTH', customerId: childA.id });
  return { groupId: first.billingGroupId as string, leaving: leaving.id as string };
}

async function giveCredits(client: Client, customerId: string): Promise<void> {
  await create(client, '/credits', { customerId, amount: '40.00', currency: 'EUR', expiresAt: '2026-02-10T00:00:00Z' });
  await create(client, '/credits', { customerId, amount: '25.00', currency: 'EUR', kind: 'PAID', priority: 50 });
  await create(client, '/credits', { customerId, amount: '99.00', currency: 'USD' });
}

/** Sends the scene's clock to the boundary; `moveClock` is the next to be called. */
export const sendClock = (api: TestApi, { tenantId, testClockId, boundaryAt }: Scene): Promise<unknown> =>
  api.db.database.inTenant(tenantId, (tx) => advanceTestClock(tx, testClockId, boundaryAt, 'test'));
