import type { Database } from '../../src/db/database.ts';
import { createCustomer } from '../../src/db/customer-changes.ts';
import { createSubscription } from '../../src/db/subscriptions/create.ts';
import { createTestClock } from '../../src/db/test-clocks.ts';
import { toPrice } from './build-world.ts';
import { multiplyChild } from './multiply.ts';

const BY = { actor: 'test', mode: 'TEST' } as const;

/** A payer and many children who bill to it: one group, due on 1 January 2026. */
export interface RealCrowd {
  readonly payerId: string;
  readonly groupId: string;
}

/** One on a test clock. */
export interface Crowd extends RealCrowd {
  readonly testClockId: string;
}

interface Shape {
  readonly children: number;
  readonly items: number;
}

/**
 * Makes a payer with `children`, each with one subscription of `items` prices at 1.00, 2.00 and so on: one by the product, the
 * others as its copies, which takes seconds where the product would take minutes.
 */
export async function makeCrowd(database: Database, tenantId: string, shape: Shape): Promise<Crowd> {
  const { id: testClockId } = await database.inTenant(tenantId, (tx) =>
    createTestClock(tx, { now: '2025-12-31T12:00:00.000Z', name: 'crowd' }, BY),
  );
  return { ...(await makeRealCrowd(database, tenantId, shape, testClockId)), testClockId };
}

/** The same on no test clock: the database's own has to stand before 2026. */
export async function makeRealCrowd(
  database: Database,
  tenantId: string,
  shape: Shape,
  testClockId: string | null = null,
): Promise<RealCrowd> {
  const prices = Array.from({ length: shape.items }, (_, index) =>
    toPrice({ ...plain, amount: `${index + 1}.00` }, index),
  );
  const made = await database.inTenant(tenantId, async (tx) => {
    const payer = await createCustomer(tx, { name: 'Payer', testClockId }, BY);
    const child = await createCustomer(tx, { name: 'Child', parentCustomerId: payer.id }, BY);
    const request = { customerId: child.id, prices, startDate: '2026-01-01', coupons: [] };
    await createSubscription(tx, { ...request, align: true, proration: 'DAY' }, BY.actor);
    return { payerId: payer.id, childId: child.id };
  });
  await multiplyChild(database.ownerUrl, made.childId, shape.children - 1, { ids: [made.payerId] });
  const { id: groupId } = await database.inTenant(tenantId, (tx) =>
    tx.db
      .selectFrom('billing_groups')
      .where('payerCustomerId', '=', made.payerId)
      .select('id')
      .executeTakeFirstOrThrow(),
  );
  return { payerId: made.payerId, groupId };
}

const plain = {
  model: 'PER_UNIT',
  billing: 'ADVANCE',
  cadence: null,
  taxInclusive: false,
  taxCode: null,
  setup: false,
} as const;
