import fc from 'fast-check';
import { moveClock } from '../../src/db/billing/move-clock.ts';
import type { Tx } from '../../src/db/database.ts';
import { sealDraft } from '../../src/db/invoices/seal.ts';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import { type Books, booksOf } from '../faults/support/books.ts';
import type { TestApi } from '../support/api.ts';
import { askForBill, buildWorld, goOn } from './build-world.ts';
import type { Carry } from './faults.ts';
import { expectInOrder } from './in-order.ts';
import type { Due } from './ways.ts';
import { EVENTS, type World, worlds } from './world.ts';

/** How a life bills what is due at one instant. */
export type Bill = (due: Due, carry: Carry) => Promise<void>;

/** After this event of its life, somebody asks one of a world's groups for a bill. */
const ASKED_AFTER = 1;

/** Nothing goes wrong. */
export const undisturbed =
  (api: TestApi): Carry =>
  (call) =>
    call.perform(api.db.database);

/**
 * Lets a world of its own live through its events, billed one way, and looks whether its books are in order.
 *
 * @returns the books at the end.
 */
export async function liveThrough(api: TestApi, world: World, bill: Bill, carry: Carry): Promise<Books> {
  const { tenantId } = await api.tenant();
  const inTenant = <T>(work: (tx: Tx) => Promise<T>) => api.db.database.inTenant(tenantId, work);
  const built = await inTenant((tx) => buildWorld(tx, world));
  await inTenant((tx) => holdForReview(tx, world, built.customers));
  await inTenant((tx) => advanceTestClock(tx, built.testClockId, '2030-01-01T00:00:00.000Z', 'test'));
  for (let event = 0; event < EVENTS; event += 1) {
    const { due } = await inTenant((tx) => moveClock(tx, built.testClockId));
    if (due.length === 0) break;
    await bill({ tenantId, groupIds: due.map(({ id }) => id), runIds: [] }, carry);
    await inTenant((tx) => approveOldest(tx));
    await inTenant((tx) => goOn(tx, world, built, event));
    if (event === ASKED_AFTER) await inTenant((tx) => askForBill(tx, built));
    const { groupIds, runIds } = await inTenant(requested);
    if (groupIds.length + runIds.length > 0) await bill({ tenantId, groupIds, runIds }, carry);
  }
  await expectInOrder(api.db, tenantId);
  return withoutNumbers(await booksOf(api.db, tenantId));
}

/** Which invoice of an instant got which number depends on who came first; a credit says it in words. */
const withoutNumbers = (books: Books): Books =>
  JSON.parse(JSON.stringify(books).replaceAll(/ on INV-\d+/g, ' on INV-#')) as Books;

/** What is to be billed at once: groups that were asked to, and runs outside any group. */
async function requested(tx: Tx): Promise<Pick<Due, 'groupIds' | 'runIds'>> {
  const runs = await tx.db
    .selectFrom('billing_runs')
    .where('status', '=', 'OPEN')
    .where('kind', '<>', 'BOUNDARY')
    .orderBy('createdAt')
    .orderBy('id')
    .select(['id', 'billingGroupId'])
    .execute();
  const groupIds = new Set(runs.map(({ billingGroupId }) => billingGroupId).filter((id) => id !== null));
  return { groupIds: [...groupIds], runIds: runs.filter((run) => run.billingGroupId === null).map(({ id }) => id) };
}

/** Where more than two live, the last one's drafts are looked at before they are issued. */
async function holdForReview(tx: Tx, { customers }: World, ids: readonly string[]): Promise<void> {
  const last = ids.at(-1);
  if (customers.length <= 2 || last === undefined) return;
  await tx.db.updateTable('customers').set({ invoicingFlow: 'REVIEW' }).where('id', '=', last).execute();
}

/** Somebody approves the oldest draft whenever two wait. */
async function approveOldest(tx: Tx): Promise<void> {
  const [oldest, next] = await tx.db
    .selectFrom('invoices')
    .where('status', '=', 'DRAFT')
    .orderBy('boundaryAt')
    .orderBy('billingGroupId')
    .orderBy('position')
    .limit(2)
    .select('id')
    .execute();
  if (oldest !== undefined && next !== undefined) await sealDraft(tx, oldest.id, 'test');
}

/** One in which all that a run can meet comes together, and four groups are due at the same instants. */
export const fullWorld: World = {
  timezone: 'Europe/Berlin',
  currency: 'EUR',
  roundingMode: 'HALF_EVEN',
  zeroInvoices: 'SKIP',
  taxAddress: 'OWNER',
  customers: [
    { parent: 0, place: 'DE', taxRate: null, taxExempt: false },
    { parent: 0, place: 'DE-BY', taxRate: null, taxExempt: false },
    { parent: 0, place: 'JP', taxRate: null, taxExempt: false },
    { parent: 1, place: 'nowhere', taxRate: '7.7', taxExempt: false },
  ],
  rates: [
    { percent: '19', place: 'DE', taxCode: null, validFrom: null },
    { percent: '0.333333', place: 'DE-BY', taxCode: null, validFrom: null },
    { percent: '8.875', place: 'anywhere', taxCode: 'books', validFrom: '2026-04-01' },
  ],
  coupons: [
    { ...coupon('FIXED', 250), duration: 'REPEATING', carryRemainder: true, on: 'subscription', target: 0 },
    { ...coupon('PERCENT', 10), duration: 'FOREVER', carryRemainder: false, on: 'customer', target: 1 },
    { ...coupon('FIXED', 33), duration: 'ONCE', carryRemainder: false, on: 'customer', target: 0 },
    { ...coupon('PERCENT', 100), duration: 'FOREVER', carryRemainder: false, on: 'subscription', target: 5 },
    { ...coupon('PERCENT', 5), duration: 'FOREVER', carryRemainder: false, on: 'customer', target: 3 },
  ],
  subscriptions: [
    { ...subscription(0, 0), prices: [price('100.00'), price('7.333')] },
    {
      ...subscription(1, 0),
      prices: [
        { ...price('59.99'), taxInclusive: true },
        { ...price('20.00'), setup: true },
      ],
    },
    { ...subscription(2, 0), ships: true, prices: [{ ...price('15.00'), taxCode: 'books' }] },
    { ...subscription(1, 1), prices: [{ ...price('0.125'), billing: 'ARREARS' }], quantity: '1000' },
    { ...subscription(2, 2), prices: [price('310.00')] },
    { ...subscription(0, 1), align: false, prices: [price('12.00')] },
    { ...subscription(3, 3), prices: [price('25.50')] },
  ],
  credits: [
    { customer: 0, amount: 4000, inCurrency: true, priority: 100, expiresDay: 60 },
    { customer: 0, amount: 2500, inCurrency: true, priority: 1, expiresDay: null },
    { customer: 3, amount: 99_000, inCurrency: true, priority: 100, expiresDay: null },
    { customer: 1, amount: 50, inCurrency: false, priority: 100, expiresDay: null },
  ],
  charges: [
    { ...charge(0, 0), unitAmount: 4990, quantity: '2', inDays: 3 },
    { ...charge(0, 3), unitAmount: 1250, timing: 'IMMEDIATE' },
    { ...charge(1, 0), unitAmount: 700 },
    { ...charge(1, 4), unitAmount: -30_000, quantity: '2' },
    { ...charge(1, 6), quantity: '0.5', inDays: 20, taxCode: 'books' },
    { ...charge(2, 6), unitAmount: 90, taxCode: 'books', timing: 'IMMEDIATE' },
  ],
  cancellations: [
    { afterEvent: 0, subscription: 1, effective: 'NOW', prorate: true },
    { afterEvent: 2, subscription: 4, effective: 'NOW', prorate: true },
  ],
};

function charge(afterEvent: number, subscriptionPlace: number) {
  return {
    afterEvent,
    subscription: subscriptionPlace,
    unitAmount: 100,
    quantity: '1',
    inDays: 0,
    taxCode: null,
    timing: 'NEXT_INVOICE',
  } as const;
}

function coupon(type: 'PERCENT' | 'FIXED', value: number) {
  return { type, value, inCurrency: true } as const;
}

function price(amount: string) {
  return {
    model: 'PER_UNIT',
    amount,
    billing: 'ADVANCE',
    cadence: null,
    taxInclusive: false,
    taxCode: null,
    setup: false,
  } as const;
}

function subscription(owner: number, payer: number) {
  return {
    owner,
    payer,
    startDay: 5,
    trialDays: 0,
    endDay: null,
    quantity: '1',
    ships: false,
    align: true,
    proration: 'DAY',
    midCycleCharges: 'NEXT_INVOICE',
  } as const;
}

/**
 * Worlds that a seed draws, in which nothing began before the first day: several boundaries of several groups that are late at
 * once share a wallet in the order in which the groups come, which the ways may choose.
 */
export const drawWorlds = (seed: number, count: number): World[] =>
  fc.sample(worlds, { seed, numRuns: count }).map((world) => ({
    ...world,
    subscriptions: world.subscriptions.map((plan) => ({ ...plan, startDay: Math.abs(plan.startDay) })),
    charges: world.charges.map((plan, place) => (place % 2 === 0 ? plan : { ...plan, timing: 'IMMEDIATE' })),
  }));
