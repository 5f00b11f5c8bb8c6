import type { Instant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import type { Tx } from './database.ts';

/**
 * *Now* for a customer, or for whatever lives on a test clock: the clock's instant, else the wall clock's.
 *
 * @throws `not_found` when there is no such customer or clock.
 */
export async function nowOf(
  tx: Tx,
  subject: { readonly customerId: string } | { readonly testClockId: string | null },
): Promise<Instant> {
  if ('testClockId' in subject) {
    if (subject.testClockId === null) return tx.now();
    const clock = await tx.db
      .selectFrom('test_clocks')
      .select('nowAt')
      .where('id', '=', subject.testClockId)
      .executeTakeFirstOrThrow(missing('test clock', subject.testClockId));
    return clock.nowAt;
  }
  const { nowAt } = await tx.db
    .selectFrom('customers as c')
    .leftJoin('test_clocks as k', (join) =>
      join.onRef('k.tenantId', '=', 'c.tenantId').onRef('k.id', '=', 'c.testClockId'),
    )
    .select('k.nowAt')
    .where('c.id', '=', subject.customerId)
    .executeTakeFirstOrThrow(missing('customer', subject.customerId));
  return nowAt ?? tx.now();
}

const missing = (what: string, id: string) => () => new BillingError('not_found', `There is no ${what} ${id}.`);
