import { advanceGroups } from '../../src/db/billing/advance-groups.ts';
import { moveClock } from '../../src/db/billing/move-clock.ts';
import type { Database } from '../../src/db/database.ts';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import { type Books, booksOf } from '../faults/support/books.ts';
import type { Client, TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { billRun } from '../support/billing.ts';
import { expectInOrder } from './in-order.ts';

/** When everything in a place is due. */
export const BOUNDARY = '2026-02-01T00:00:00.000Z';

/** A tenant whose groups are all due at one boundary. */
export interface Place {
  readonly api: TestApi;
  readonly client: Client;
  readonly testClockId: string;
}

/** In January of a test clock. */
export async function openPlace(api: TestApi): Promise<Place> {
  const client = await api.tenant();
  const { id } = await create(client, '/test-clocks', { name: 'place', now: '2026-01-15T00:00:00Z' });
  return { api, client, testClockId: id };
}

/** One that lives by the place's clock. */
export const customer = async ({ client, testClockId }: Place, name: string): Promise<string> =>
  (await create(client, '/customers', { name, testClockId })).id;

/** A monthly group whose boundaries are the firsts of months, from February on. */
export const group = async ({ client }: Place, payerCustomerId: string): Promise<string> =>
  (await create(client, '/billing-groups', { payerCustomerId, anchorDate: '2026-02-01' })).id;

/** A flat price each month, in advance. */
export const subscribe = async (
  { client }: Place,
  customerId: string,
  billingGroupId: string,
  amount: string,
  more: Record<string, unknown> = {},
): Promise<string> =>
  (
    await create(client, '/subscriptions', {
      customerId,
      billingGroupId,
      prices: [flat('base', amount)],
      startDate: '2026-02-01',
      ...more,
    })
  ).id;

/** Comes to the boundary, where everything is due and nothing billed. */
export const reach = ({ api, client, testClockId }: Place) =>
  api.db.database.inTenant(client.tenantId, async (tx) => {
    await advanceTestClock(tx, testClockId, BOUNDARY, 'test');
    await moveClock(tx, testClockId);
  });

/** Asks for groups in one transaction. */
export const advance = (by: Database, { client }: Place, groupIds: readonly string[]) =>
  by.inTenant(client.tenantId, (tx) => advanceGroups(tx, groupIds));

/** One transaction after the other, each with all that the one before it has left for later; who was answered in each. */
export async function inBatches(place: Place, groupIds: readonly string[]): Promise<string[][]> {
  const batches: string[][] = [];
  for (let left = [...groupIds]; left.length > 0;) {
    const plans = await advance(place.api.db.database, place, left);
    for (const { step } of plans.values())
      if (step.kind === 'RUN') await billRun(place.api.db.database, place.client.tenantId, step.runId);
    batches.push(left.filter((id) => plans.has(id)));
    left = left.filter((id) => !plans.has(id));
  }
  return batches;
}

/** The books, once they were found in order. */
export const books = async ({ api, client }: Place): Promise<Books> => {
  await expectInOrder(api.db, client.tenantId);
  return booksOf(api.db, client.tenantId);
};

/** What each group's invoices come to. */
export const dueOf = async ({ api }: Place, groupIds: readonly string[]): Promise<number[]> => {
  const rows = await api.db.query<{ id: string; due: number }>(
    `select billing_group_id as id, sum(amount_due)::float as due from invoices
      where billing_group_id = any($1) group by billing_group_id`,
    [groupIds],
  );
  return groupIds.map((id) => rows.find((row) => row.id === id)?.due ?? 0);
};
