import { createCustomer } from '../src/db/customer-changes.ts';
import { createCharge } from '../src/db/charges/create.ts';
import { createSubscription } from '../src/db/subscriptions/create.ts';
import { createTestClock } from '../src/db/test-clocks.ts';
import { toPrice } from '../test/activities/build-world.ts';
import type { Ground } from './bed.ts';

const BY = { actor: 'bench', mode: 'TEST' } as const;

/** A flat 10.00 a month, in advance. */
export const monthly = toPrice(
  {
    model: 'FLAT',
    amount: '10.00',
    billing: 'ADVANCE',
    cadence: null,
    taxInclusive: false,
    taxCode: null,
    setup: false,
  },
  0,
);

/** Payers with one subscription each, so as many groups, all due on the first of each month from 1 January 2026 on. */
export async function makePayers({ database, tenantId }: Ground, count: number): Promise<string> {
  return database.inTenant(tenantId, async (tx) => {
    const clock = await createTestClock(tx, { now: '2025-12-31T12:00:00.000Z', name: 'payers' }, BY);
    for (let index = 0; index < count; index += 1) {
      const { id } = await createCustomer(tx, { name: `Payer ${index}`, testClockId: clock.id }, BY);
      const request = { customerId: id, prices: [monthly], startDate: '2026-01-01', coupons: [] };
      await createSubscription(tx, { ...request, align: true, proration: 'DAY' }, BY.actor);
    }
    return clock.id;
  });
}

/** Charges to be billed at once, each with a payer and a run of its own. */
export async function makeCharges({ database, tenantId }: Ground, count: number): Promise<string[]> {
  return database.inTenant(tenantId, async (tx) => {
    for (let index = 0; index < count; index += 1) {
      const { id } = await createCustomer(tx, { name: `Payer ${index}` }, BY);
      const charge = { customerId: id, description: 'One', amount: '1.00', timing: 'IMMEDIATE' } as const;
      await createCharge(tx, charge, BY.actor);
    }
    const runs = await tx.db.selectFrom('billing_runs').where('status', '=', 'OPEN').select('id').execute();
    return runs.map(({ id }) => id);
  });
}
