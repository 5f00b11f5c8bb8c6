import { afterAll, beforeAll, expect, test } from 'vitest';
import { all, create, flat } from '../support/billing-shapes.ts';
import { advanceClock, startTestStack, type TestStack } from '../support/stack.ts';

/** As few as the SDK takes: nearly every workflow that wakes was thrown out, often in the middle of its local activity. */
const CACHED = 2;
const GROUPS = 12;
const MONTHS = 6;

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ maxCachedWorkflows: CACHED });
});
afterAll(() => stack.close());

test('with a cache that holds hardly a workflow, steps that run more than once bill nothing twice', async () => {
  const tenant = await stack.api.tenant();
  const clock = await create(tenant, '/test-clocks', { name: 'crowded', now: '2026-01-01T00:00:00Z' });
  const payers = await Promise.all(
    Array.from({ length: GROUPS }, async (_, index) => {
      const payer = await create(tenant, '/customers', { name: `Payer ${index}`, testClockId: clock.id });
      for (const amount of ['10.00', '0.50'])
        await create(tenant, '/subscriptions', { customerId: payer.id, prices: [flat('base', amount)] });
      await create(tenant, '/credits', { customerId: payer.id, amount: '25.00', currency: 'USD' });
      return payer.id as string;
    }),
  );
  await advanceClock(tenant, clock.id, '2026-06-15T00:00:00Z');

  for (const payer of payers) {
    const invoices = await all(tenant, `/customers/${payer}/invoices`);
    expect(invoices.map(({ boundaryAt, total }) => [boundaryAt.slice(0, 7), total])).toEqual(
      Array.from({ length: MONTHS }, (_, month) => [`2026-0${month + 1}`, '10.50']),
    );
    // 25.00 of credit: two months whole and 4.00 of the third.
    expect(invoices.map(({ amountDue }) => amountDue)).toEqual(['0.00', '0.00', '6.50', '10.50', '10.50', '10.50']);
  }
  const numbers = await stack.api.db.query<{ number: string }>('select number from invoices order by number');
  expect(numbers.map(({ number }) => number)).toEqual(
    Array.from({ length: GROUPS * MONTHS }, (_, index) => `INV-${String(index + 1).padStart(4, '0')}`),
  );
}, 180_000);
