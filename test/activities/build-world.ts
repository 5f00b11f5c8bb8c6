import type { Tx } from '../../src/db/database.ts';
import { createCharge } from '../../src/db/charges/create.ts';
import { createCoupon, redeemCoupon } from '../../src/db/coupons.ts';
import { grantCredit } from '../../src/db/credits.ts';
import { createCustomer } from '../../src/db/customer-changes.ts';
import { createEntity } from '../../src/db/entity-changes.ts';
import { commandGroup } from '../../src/db/group-commands.ts';
import { cancelSubscription } from '../../src/db/subscriptions/cancel.ts';
import { createSubscription } from '../../src/db/subscriptions/create.ts';
import { createTaxRate } from '../../src/db/tax-rates.ts';
import { createTestClock } from '../../src/db/test-clocks.ts';
import { localDate, localMidnight, plusDays } from '../../src/domain/calendar.ts';
import { asPrice } from '../../src/domain/catalog/price.ts';
import { minorDigits } from '../../src/domain/currency.ts';
import { BillingError } from '../../src/domain/errors.ts';
import { Decimal } from '../../src/domain/money.ts';
import type { CouponPlan, CreditPlan, CustomerPlan, PricePlan, RatePlan, SubscriptionPlan, World } from './world.ts';

/** What a world became: ids in the order of its lists. */
export interface Built {
  readonly testClockId: string;
  readonly entityId: string;
  readonly customers: readonly string[];
  /** Null for one that the product refused. */
  readonly subscriptions: readonly (string | null)[];
}

/** The local day from which a world counts its days. */
const DAY_ZERO = '2026-03-10';
const BY = { actor: 'test', mode: 'TEST' } as const;

const day = (days: number): string => plusDays(DAY_ZERO, days);
const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

/** Makes a world in an empty tenant, at noon of its day zero, through the verbs of the API. */
export async function buildWorld(tx: Tx, world: World): Promise<Built> {
  const now = localMidnight(DAY_ZERO, world.timezone).replace(/T\d\d/, 'T12');
  const { id: testClockId } = await createTestClock(tx, { now, name: 'world' }, BY);
  const { id: entityId } = await createEntity(
    tx,
    {
      entityCode: 'WORLD',
      displayName: 'World',
      countryCode: 'DE',
      baseCurrency: world.currency,
      billingTimezone: world.timezone,
      roundingMode: world.roundingMode,
      zeroInvoices: world.zeroInvoices,
    },
    BY.actor,
  );
  const customers = await plantTree(tx, world, { testClockId, billingEntityId: entityId });
  for (const [index, rate] of world.rates.entries()) await addRate(tx, rate, index);
  const subscriptions: (string | null)[] = [];
  for (const plan of world.subscriptions) subscriptions.push(await subscribe(tx, plan, customers));
  await tx.db.updateTable('billing_groups').set({ taxAddress: world.taxAddress }).execute();
  for (const [index, plan] of world.coupons.entries())
    await addCoupon(tx, world, plan, { index, customers, subscriptions });
  for (const plan of world.credits) await addCredit(tx, world, plan, customers);
  return { testClockId, entityId, customers, subscriptions };
}

/** What happens in a world after an event: subscriptions end, charges turn up. What the product refuses does not happen. */
export async function goOn(tx: Tx, world: World, built: Built, event: number): Promise<void> {
  for (const { subscription, effective, prorate, afterEvent } of world.cancellations) {
    const id = at(built.subscriptions, subscription);
    if (afterEvent !== event || id === null) continue;
    await unlessRefused(() =>
      cancelSubscription(tx, id, { effective: { kind: effective }, prorate, invoiceNow: false }, BY.actor),
    );
  }
  for (const { subscription, afterEvent, unitAmount, quantity, inDays, taxCode, timing } of world.charges) {
    const id = at(built.subscriptions, subscription);
    if (afterEvent !== event || id === null) continue;
    const { customerId, payerCustomerId, billingGroupId, now } = await memberOf(tx, id);
    const owner = { customerId, invoicingCustomerId: payerCustomerId };
    const chargeOn = plusDays(localDate(now, world.timezone), inDays);
    const place = timing === 'IMMEDIATE' ? owner : { ...owner, billingGroupId, chargeOn };
    const price = { unitAmount: money(unitAmount, world), quantity, ...(taxCode === null ? {} : { taxCode }) };
    await unlessRefused(() => createCharge(tx, { ...place, ...price, description: 'Extra', timing }, BY.actor));
  }
}

/** Somebody asks for a bill now, of the group of a world's first subscription. */
export async function askForBill(tx: Tx, built: Built): Promise<void> {
  const id = built.subscriptions.find((one) => one !== null);
  if (id === undefined) return;
  const { billingGroupId } = await memberOf(tx, id);
  await unlessRefused(() => commandGroup(tx, billingGroupId, { verb: 'billNow' }, BY.actor));
}

const memberOf = (tx: Tx, subscriptionId: string) =>
  tx.db
    .selectFrom('subscriptions as s')
    .innerJoin('group_memberships as m', 'm.subscriptionId', 's.id')
    .innerJoin('subscription_payers as p', 'p.subscriptionId', 's.id')
    .innerJoin('customers as c', 'c.id', 's.customerId')
    .innerJoin('test_clocks as k', 'k.id', 'c.testClockId')
    .where('s.id', '=', subscriptionId)
    .select(['s.customerId', 'm.billingGroupId', 'p.payerCustomerId', 'k.nowAt as now'])
    .executeTakeFirstOrThrow();

/** Whole minor units of the world's currency as an amount. */
const money = (minor: number, { currency }: World): string =>
  new Decimal(minor).div(10 ** minorDigits(currency)).toFixed();

const PLACES = {
  DE: { country: 'DE', region: null },
  'DE-BY': { country: 'DE', region: 'BY' },
  JP: { country: 'JP', region: null },
  anywhere: { country: null, region: null },
} as const;

const addressIn = (place: 'DE' | 'DE-BY' | 'JP') => ({
  line1: 'Street 1',
  line2: null,
  city: 'Town',
  postalCode: '1',
  ...PLACES[place],
});

const DEPTH_MAX = 3;

async function plantTree(
  tx: Tx,
  world: World,
  common: { testClockId: string; billingEntityId: string },
): Promise<string[]> {
  const planted: { id: string; depth: number }[] = [];
  for (const [index, plan] of world.customers.entries()) {
    const possible = planted.filter(({ depth }) => depth < DEPTH_MAX);
    const parent = index === 0 ? null : at(possible, plan.parent);
    const { id } = await createCustomer(
      tx,
      { ...customerFields(plan, index), parentCustomerId: parent?.id ?? null, ...common },
      BY,
    );
    planted.push({ id, depth: (parent?.depth ?? 0) + 1 });
  }
  return planted.map(({ id }) => id);
}

const customerFields = ({ place, taxRate, taxExempt }: CustomerPlan, index: number) => ({
  name: `Customer ${index}`,
  taxRate,
  taxExempt,
  address: place === 'nowhere' ? null : addressIn(place),
});

const addRate = (tx: Tx, { percent, place, taxCode, validFrom }: RatePlan, index: number) =>
  createTaxRate(
    tx,
    {
      code: `RATE${index}`,
      name: `Rate ${index}`,
      percent,
      ...PLACES[place],
      taxCode,
      billingEntityId: null,
      validFrom,
      validTo: null,
    },
    BY.actor,
  );

async function subscribe(tx: Tx, plan: SubscriptionPlan, customers: readonly string[]): Promise<string | null> {
  return unlessRefused(() =>
    createSubscription(
      tx,
      {
        customerId: at(customers, plan.owner),
        ...(plan.payer === null ? {} : { invoicingCustomerId: at(customers, plan.payer) }),
        prices: plan.prices.map(toPrice),
        quantity: plan.quantity,
        startDate: day(plan.startDay),
        trialDays: plan.trialDays,
        ...(plan.endDay === null ? {} : { endDate: day(plan.endDay) }),
        ...(plan.ships ? { shippingAddress: addressIn('DE') } : {}),
        align: plan.align,
        proration: plan.proration,
        midCycleCharges: plan.midCycleCharges,
        coupons: [],
      },
      BY.actor,
    ),
  );
}

/** A price as it is stored; its code tells its place. */
export const toPrice = (plan: PricePlan, index: number) =>
  asPrice({
    code: `price${index}`,
    type: plan.setup ? 'SETUP' : 'RECURRING',
    model: plan.model,
    amount: plan.amount,
    billing: plan.setup ? 'ADVANCE' : plan.billing,
    cadence: plan.setup ? null : plan.cadence,
    taxCode: plan.taxCode,
    taxInclusive: plan.taxInclusive,
    ...NO_MODEL_FIELDS,
  });

const NO_MODEL_FIELDS = {
  tiers: null,
  packageSize: null,
  freeUnits: null,
  percent: null,
  freeEvents: null,
  freeAmount: null,
  perEventMinimum: null,
  perEventMaximum: null,
  minimumAmount: null,
  maximumAmount: null,
  meter: null,
};

async function addCoupon(
  tx: Tx,
  world: World,
  plan: CouponPlan,
  {
    index,
    customers,
    subscriptions,
  }: { index: number; customers: readonly string[]; subscriptions: readonly (string | null)[] },
): Promise<void> {
  const isFixed = plan.type === 'FIXED';
  const couponCode = `C${index}`;
  const fields = {
    code: couponCode,
    name: null,
    type: plan.type,
    percent: isFixed ? null : String(plan.value),
    amount: isFixed ? money(plan.value * 100, world) : null,
    currency: isFixed ? (plan.inCurrency ? world.currency : 'USD') : null,
    duration: plan.duration,
    cycles: plan.duration === 'REPEATING' ? 2 : null,
    maxRedemptions: null,
    expiresAt: null,
    carryRemainder: isFixed && plan.carryRemainder,
  };
  await createCoupon(
    tx,
    { ...fields, amount: fields.currency === 'USD' ? String(plan.value) : fields.amount },
    BY.actor,
  );
  const subscriptionId = at(subscriptions, plan.target);
  const onSubscription = plan.on === 'subscription' && subscriptionId !== null;
  const target = onSubscription ? { subscriptionId } : { customerId: at(customers, plan.target) };
  await redeemCoupon(tx, { couponCode, ...target }, BY.actor);
}

const addCredit = (tx: Tx, world: World, plan: CreditPlan, customers: readonly string[]) =>
  grantCredit(
    tx,
    {
      customerId: at(customers, plan.customer),
      amount: plan.inCurrency ? money(plan.amount, world) : '50.00',
      currency: plan.inCurrency ? world.currency : 'USD',
      kind: 'PROMOTIONAL',
      priority: plan.priority,
      expiresAt: plan.expiresDay === null ? null : localMidnight(day(plan.expiresDay), world.timezone),
    },
    BY.actor,
  );

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BillingError) return null;
    throw error;
  }
}
