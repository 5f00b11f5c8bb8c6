import type { Client, Reply, TestApi } from './api.ts';
import { billUntil } from './billing.ts';
import { all, create, flat, setup } from './billing-shapes.ts';

type Body = Reply['body'];

/** A tenant that has something of every kind, in every table. */
export interface FullTenant {
  readonly client: Client;
  readonly tenantId: string;
  /** Stands in every text that the tenant chose, and nowhere else. */
  readonly mark: string;
  /** What its things are called by, in every form that the API takes: ids, external ids, codes, names, numbers. */
  readonly names: Names;
}

export type Names = Awaited<ReturnType<typeof fill>>;

const NOW = '2026-03-01T00:00:00Z';

/** Signs a tenant up and gives it everything that the API can make, with invoices issued and in review. */
export async function makeFullTenant(api: TestApi, mark: string): Promise<FullTenant> {
  const { body: signUp } = await api.platform.post('/tenants', { name: `${mark} Inc`, mode: 'TEST' });
  const client = api.as(signUp.apiKey, signUp.id);
  const names = await fill(api, client, mark);
  await api.db.query(
    `insert into payments (tenant_id, id, invoice_id, amount, currency, method, reference, received_at)
     values ($1, 'pay_' || $2, $3, 1, 'EUR', 'MANUAL', $2, now())`,
    [client.tenantId, mark, names.invoiceId],
  );
  return { client, tenantId: client.tenantId, mark, names };
}

async function fill(api: TestApi, client: Client, mark: string) {
  const clock = await create(client, '/test-clocks', { name: `${mark} clock`, now: NOW });
  const entity = await create(client, '/billing-entities', entityOf(mark));
  const catalog = await fillCatalog(client, mark, entity);
  const tree = await plantTree(client, mark, clock, entity);
  const adjustments = await adjust(client, mark, tree.payer);
  const [subscription, other, reviewed, reviewedToo] = await subscribe(client, mark, tree);
  const { couponCode } = adjustments;
  await create(client, '/coupon-redemptions', { couponCode, subscriptionId: subscription.id });
  const once = { customerId: tree.payer.id, description: `${mark} once`, amount: '9.00' };
  await create(client, '/charges', { ...once, timing: 'IMMEDIATE' });
  await billUntil(api.db.database, client.tenantId, clock.id, NOW);

  await create(client, `/billing-groups/${subscription.billingGroupId}/skip`, {});
  const named = await openGroup(client, mark, tree.payer);
  const charge = await create(client, '/charges', { ...once, billingGroupId: named.id, chargeOn: '2026-03-05' });
  const invoices = await all(client, '/invoices?include=lines');
  const [issued] = invoices.filter(({ billingGroupId }) => billingGroupId === subscription.billingGroupId);
  const draftOf = ({ billingGroupId }: Body): Body => invoices.find((found) => found.billingGroupId === billingGroupId);
  const [run] = await all(client, `/billing-groups/${subscription.billingGroupId}/runs`);
  const events = await all(client, '/audit-events');
  const key = await create(client, '/api-keys', { name: `${mark} key`, scopes: ['read'] });
  return {
    ...catalog,
    ...adjustments,
    tenantId: client.tenantId,
    apiKeyId: key.id,
    testClockId: clock.id,
    entityId: entity.id,
    entityCode: entity.entityCode,
    customerId: tree.payer.id,
    contactId: tree.payer.contacts[0].id,
    externalId: tree.payer.externalId,
    externalIdForm: `externalId:${tree.payer.externalId}`,
    alias: `${mark}-alias`,
    aliasForm: `externalId:${mark}-alias`,
    name: tree.payer.name,
    email: tree.payer.email,
    childId: tree.child.id,
    childExternalId: tree.child.externalId,
    childEmail: tree.child.email,
    otherCustomerId: tree.careful.id,
    subscriptionId: subscription.id,
    otherSubscriptionId: other.id,
    billingGroupId: subscription.billingGroupId,
    namedGroupId: named.id,
    chargeId: charge.id,
    runId: run.id,
    invoiceId: issued.id,
    invoiceNumber: issued.number,
    lineId: issued.lines[0].id,
    draftId: draftOf(reviewed).id,
    otherDraftId: draftOf(reviewedToo).id,
    workflowId: named.workflowId,
    auditEventId: events[1].id,
    actor: events[1].actor,
    cursor: (await client.get('/audit-events?size=1')).body.nextCursor as string,
  };
}

const addressOf = (mark: string) => ({ line1: `${mark} Street 1`, city: 'Berlin', postalCode: '10115', country: 'DE' });

const entityOf = (mark: string) => ({
  entityCode: mark.toUpperCase(),
  displayName: `${mark} Billing`,
  legalName: `${mark} Billing GmbH`,
  baseCurrency: 'EUR',
  countryCode: 'DE',
  billingTimezone: 'UTC',
  taxRegistrationNumber: `${mark}-VAT`,
  address: addressOf(mark),
  invoiceNumberPrefix: mark,
  invoiceNumberFormat: '{prefix}-{seq:0000}',
  footerText: `${mark} footer`,
  isDefault: true,
});

async function fillCatalog(client: Client, mark: string, entity: Body) {
  const rate = await create(client, '/tax-rates', { code: `${mark}-vat`, name: `${mark} VAT`, percent: '19' });
  const own = { code: `${mark}-own`, percent: '0', taxCode: `${mark}-books`, billingEntityId: entity.id };
  await create(client, '/tax-rates', own);
  const plan = await create(client, '/plans', {
    code: `${mark}-plan`,
    name: `${mark} Plan`,
    billingEntityId: entity.id,
    prices: [flat(`${mark}-seat`, '100.00'), setup(`${mark}-start`, '5.00')],
  });
  return {
    taxRateId: rate.id,
    taxRateCode: rate.code,
    taxCode: own.taxCode,
    planId: plan.id,
    planCode: plan.code,
    priceId: plan.prices[0].id,
  };
}

/** A payer with a child that bills to it, and two customers whose drafts are looked through. */
async function plantTree(client: Client, mark: string, clock: Body, entity: Body) {
  const common = { testClockId: clock.id, billingEntityId: entity.id, address: addressOf(mark) };
  const { body: payer } = await client.post(
    '/customers',
    {
      ...common,
      name: `${mark} Payer`,
      externalId: `${mark}-external`,
      aliases: [`${mark}-alias`],
      email: `${mark}@payer.example`.toLowerCase(),
      firstName: `${mark} Ada`,
      lastName: `${mark} Lovelace`,
      taxId: `${mark}-tax-id`,
      contacts: [{ name: `${mark} Contact`, email: `contact-${mark}@payer.example`.toLowerCase() }],
    },
    { 'Idempotency-Key': `${mark}-idempotency` },
  );
  const child = await create(client, '/customers', {
    name: `${mark} Child`,
    parentCustomerId: payer.id,
    billingEntityId: entity.id,
    externalId: `${mark}-child`,
    email: `child-${mark}@payer.example`.toLowerCase(),
  });
  const careful = (name: string): Promise<Body> =>
    create(client, '/customers', { ...common, name: `${mark} ${name}`, invoicingFlow: 'REVIEW' });
  return { payer, child, careful: await careful('Careful'), carefulToo: await careful('Careful too') };
}

async function adjust(client: Client, mark: string, payer: Body) {
  const coupon = await create(client, '/coupons', {
    code: `${mark}-coupon`,
    name: `${mark} Coupon`,
    type: 'PERCENT',
    percent: '10',
    duration: 'FOREVER',
  });
  const redemption = await create(client, '/coupon-redemptions', { couponCode: coupon.code, customerId: payer.id });
  const credit = await create(client, '/credits', { customerId: payer.id, amount: '7.00' });
  return { couponId: coupon.id, couponCode: coupon.code, redemptionId: redemption.id, creditId: credit.id };
}

const subscribe = (client: Client, mark: string, { payer, child, careful, carefulToo }: Record<string, Body>) =>
  Promise.all([
    create(client, '/subscriptions', { customerId: payer.id, planCode: `${mark}-plan` }),
    ...[child, careful, carefulToo].map(({ id }) =>
      create(client, '/subscriptions', { customerId: id, prices: [flat(`${mark}-base`, '20.00')] }),
    ),
  ]);

/** A group of the payer's own, without members. */
const openGroup = (client: Client, mark: string, payer: Body): Promise<Body> =>
  create(client, '/billing-groups', {
    payerCustomerId: payer.id,
    name: `${mark} Group`,
    anchorDate: '2026-04-10',
    purchaseOrder: `${mark}-order`,
  });
