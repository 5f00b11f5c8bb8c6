import { randomUUID } from 'node:crypto';
import { CLOCK_START, CUSTOMERS, GRANTS, GROUPS, PLANNED_CHARGE, REDEMPTIONS, SUBSCRIPTIONS } from './cast.ts';
import { apiAt, type Api } from './client.ts';
import { COUPONS, ENTITIES, type EntityCode, PLANS, TAX_RATES } from './offer.ts';
import type { Entity, Group, Subscription, TestClock } from './shapes.ts';

/** What was set up, and the tenant's own client. */
export interface World {
  readonly api: Api;
  readonly tenant: { readonly id: string; readonly name: string; readonly apiKey: string };
  readonly clockId: string;
  readonly entities: ReadonlyMap<EntityCode, Entity>;
  /** By the `externalId` of the owner. */
  readonly subscriptions: ReadonlyMap<string, Subscription>;
}

/** Signs up a tenant of its own and gives it everything that the year needs. */
export async function setUp(server: { url: string; platformKey: string }): Promise<World> {
  const tenant = await signUp(server);
  const api = apiAt(server.url, tenant.apiKey);
  const clock = await api.post<TestClock>('/test-clocks', { name: 'a year', now: CLOCK_START });
  const entities = await createEntities(api);
  for (const rate of TAX_RATES) await api.post('/tax-rates', rate);
  for (const { entity, body } of PLANS)
    await api.post('/plans', { ...body, billingEntityId: entities.get(entity)?.id });
  for (const coupon of COUPONS) await api.post('/coupons', coupon);
  for (const { entity, body } of CUSTOMERS) {
    const root = entity === undefined ? {} : { billingEntityId: entities.get(entity)?.id, testClockId: clock.id };
    await api.post('/customers', { ...body, ...root });
  }
  const groups = await createGroups(api, entities);
  const subscriptions = await subscribe(api, groups);
  await adjust(api, subscriptions);
  return { api, tenant, clockId: clock.id, entities, subscriptions };
}

async function signUp({ url, platformKey }: { url: string; platformKey: string }): Promise<World['tenant']> {
  const name = `Kestrel Works, demo ${randomUUID().slice(0, 4)}`;
  const { id, apiKey } = await apiAt(url, platformKey).post<{ id: string; apiKey: string }>('/tenants', {
    name,
    mode: 'TEST',
  });
  return { id, name, apiKey };
}

async function createEntities(api: Api): Promise<Map<EntityCode, Entity>> {
  const entities = new Map<EntityCode, Entity>();
  for (const entity of ENTITIES) entities.set(entity.entityCode, await api.post<Entity>('/billing-entities', entity));
  return entities;
}

async function createGroups(api: Api, entities: World['entities']): Promise<Map<string, Group>> {
  const groups = new Map<string, Group>();
  for (const { key, entity, body } of GROUPS) {
    groups.set(key, await api.post<Group>('/billing-groups', { ...body, billingEntityId: entities.get(entity)?.id }));
  }
  return groups;
}

async function subscribe(api: Api, groups: ReadonlyMap<string, Group>): Promise<Map<string, Subscription>> {
  const subscriptions = new Map<string, Subscription>();
  for (const { owner, group, body } of SUBSCRIPTIONS) {
    const named = group === undefined ? {} : { billingGroupId: groups.get(group)?.id };
    subscriptions.set(
      owner,
      await api.post<Subscription>('/subscriptions', { customerId: `externalId:${owner}`, ...body, ...named }),
    );
  }
  return subscriptions;
}

async function adjust(api: Api, subscriptions: World['subscriptions']): Promise<void> {
  for (const redemption of REDEMPTIONS) {
    const on =
      'customer' in redemption
        ? { customerId: `externalId:${redemption.customer}` }
        : { subscriptionId: subscriptions.get(redemption.subscriptionOf)?.id };
    await api.post('/coupon-redemptions', { couponCode: redemption.couponCode, ...on });
  }
  for (const grant of GRANTS) await api.post('/credits', grant);
  await api.post('/charges', PLANNED_CHARGE);
}
