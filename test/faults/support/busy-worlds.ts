import fc from 'fast-check';
import type { Database } from '../../../src/db/database.ts';
import { createTenant } from '../../../src/db/tenants.ts';
import { advanceTestClock } from '../../../src/db/test-clocks.ts';
import { type Built, buildWorld, goOn } from '../../activities/build-world.ts';
import { type PricePlan, type World, worlds } from '../../activities/world.ts';
import { billUntil } from '../../support/billing.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type Books, booksOf } from './books.ts';

/** How many payers a busy world has, each with one group. */
export const PAYERS = 5;

/** Ten boundaries of a monthly group, and more where the start was backdated. */
export const TEN_MONTHS_ON = '2027-01-15T12:00:00.000Z';

/** A tenant that lives in a world. */
export interface Inhabited {
  readonly tenantId: string;
  readonly world: World;
  readonly built: Built;
}

/**
 * Worlds in which every customer pays for itself, month after month: whatever order their groups are billed in, and however
 * often they are interrupted, the books must come out the same.
 */
export const busyWorlds = (seed: number, count: number): World[] =>
  fc.sample(worlds, { seed, numRuns: count }).map(makeBusy);

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

const makeBusy = (world: World): World => ({
  ...world,
  // Also a month that comes to nothing has its invoice, so that there is always one to be lost.
  zeroInvoices: 'ISSUE',
  customers: Array.from({ length: PAYERS }, (_, index) => at(world.customers, index)),
  subscriptions: Array.from({ length: 2 * PAYERS }, (_, index) => {
    const plan = at(world.subscriptions, index);
    const isFirst = index < PAYERS;
    return {
      ...plan,
      owner: index % PAYERS,
      payer: index % PAYERS,
      endDay: isFirst ? null : plan.endDay,
      align: true,
      prices: plan.prices.map((price, place) => ({ ...monthly(price), ...(place === 0 ? FIRST_PRICE : {}) })),
    };
  }),
  // All of it is asked for at the beginning, and falls due over the months.
  charges: world.charges.map((charge) => ({ ...charge, afterEvent: 0, inDays: Math.abs(charge.inDays) * 6 })),
  cancellations: world.cancellations.map((plan) => ({
    ...plan,
    afterEvent: 0,
    subscription: PAYERS + (plan.subscription % PAYERS),
  })),
});

/** A payer has one group when all its cadences are whole multiples of a month, and its first one is the month. */
const FIRST_PRICE = { cadence: { interval: 'MONTH', count: 1 }, setup: false } as const;

const monthly = (price: PricePlan): PricePlan =>
  price.cadence?.interval === 'WEEK' || price.cadence?.interval === 'DAY' ? { ...price, cadence: null } : price;

/** Makes a tenant for each world. */
export async function inhabit(database: Database, all: readonly World[]): Promise<Inhabited[]> {
  const inhabited: Inhabited[] = [];
  for (const [index, world] of all.entries()) {
    const { id: tenantId } = await database.inTenant('platform', (tx) =>
      createTenant(tx, { name: `World ${index}`, mode: 'TEST', actor: 'test' }),
    );
    const built = await database.inTenant(tenantId, async (tx) => {
      const made = await buildWorld(tx, world);
      await goOn(tx, world, made, 0);
      return made;
    });
    inhabited.push({ tenantId, world, built });
  }
  return inhabited;
}

/** Sends the clock of every world on its way; what runs in the background does the rest. */
export async function sendClocks(database: Database, all: readonly Inhabited[], to = TEN_MONTHS_ON): Promise<void> {
  for (const { tenantId, built } of all) {
    await database.inTenant(tenantId, (tx) => advanceTestClock(tx, built.testClockId, to, 'test'));
  }
}

/** How many clocks are not there yet; one that has failed is an error with its reason. */
export async function clocksOnTheWay(db: Pick<TestDatabase, 'query'>): Promise<number> {
  const clocks = await db.query<{ id: string; status: string; error: string | null }>(
    `select id, status, error from test_clocks where status <> 'READY'`,
  );
  const failed = clocks.find(({ status }) => status === 'FAILED');
  if (failed !== undefined) throw new Error(`Clock ${failed.id} has failed: ${failed.error}`);
  return clocks.length;
}

/** The books of the same worlds billed one group after the other, without workflows, servers that fail, or haste. */
export async function undisturbed(all: readonly World[], to = TEN_MONTHS_ON): Promise<Books[]> {
  const db = await createTestDatabase();
  try {
    const inhabited = await inhabit(db.database, all);
    const books: Books[] = [];
    for (const { tenantId, built } of inhabited) {
      await billUntil(db.database, tenantId, built.testClockId, to);
      books.push(await booksOf(db, tenantId));
    }
    return books;
  } finally {
    await db.close();
  }
}
