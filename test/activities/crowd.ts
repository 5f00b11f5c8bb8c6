import type { Database } from '../../src/db/database.ts';
import { createCustomer } from '../../src/db/customer-changes.ts';
import { createSubscription } from '../../src/db/subscriptions/create.ts';
import { createTestClock } from '../../src/db/test-clocks.ts';
import { toPrice } from './build-world.ts';

const BY = { actor: 'test', mode: 'TEST' } as const;

/** A payer and many children who bill to it: one group on a test clock, due on 1 January 2026. */
export interface Crowd {
  readonly testClockId: string;
  readonly payerId: string;
  readonly groupId: string;
}

/**
 * Makes a payer with `children`, each with one subscription of `items` prices at 1.00, 2.00 and so on.
 *
 * @param shape.chunk how many are made in one transaction.
 */
export async function makeCrowd(
  database: Database,
  tenantId: string,
  shape: { children: number; items: number; chunk?: number },
): Promise<Crowd> {
  const { testClockId, payerId } = await database.inTenant(tenantId, async (tx) => {
    const clock = await createTestClock(tx, { now: '2025-12-31T12:00:00.000Z', name: 'crowd' }, BY);
    const payer = await createCustomer(tx, { name: 'Payer', testClockId: clock.id }, BY);
    return { testClockId: clock.id, payerId: payer.id };
  });
  const prices = Array.from({ length: shape.items }, (_, index) =>
    toPrice({ ...plain, amount: `${index + 1}.00` }, index),
  );
  const chunk = shape.chunk ?? 50;
  for (let made = 0; made < shape.children; made += chunk) {
    await database.inTenant(tenantId, async (tx) => {
      for (let index = made; index < Math.min(made + chunk, shape.children); index += 1) {
        const child = await createCustomer(tx, { name: `Child ${index}`, parentCustomerId: payerId }, BY);
        const request = { customerId: child.id, prices, startDate: '2026-01-01', coupons: [] };
        await createSubscription(tx, { ...request, align: true, proration: 'DAY' }, BY.actor);
      }
    });
  }
  const { id: groupId } = await database.inTenant(tenantId, (tx) =>
    tx.db.selectFrom('billing_groups').where('payerCustomerId', '=', payerId).select('id').executeTakeFirstOrThrow(),
  );
  return { testClockId, payerId, groupId };
}

const plain = {
  model: 'PER_UNIT',
  billing: 'ADVANCE',
  cadence: null,
  taxInclusive: false,
  taxCode: null,
  setup: false,
} as const;
