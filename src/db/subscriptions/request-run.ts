import type { Instant } from '../../domain/calendar.ts';
import type { RunTerms } from '../billing/group-state.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { RunKind } from '../schema/groups.table.ts';

/**
 * Asks for an invoice of its own, outside the boundaries: the group's workflow carries it out. One for each request.
 *
 * @param request.notBefore the instant from which it may run; null for at once.
 * @returns the run's id.
 */
export async function requestRun(
  tx: Tx,
  group: RunTerms,
  request: {
    requestId: string;
    kind?: Extract<RunKind, 'IMMEDIATE' | 'BILL_NOW'>;
    scope: { subscriptionId?: string; chargeId?: string } | null;
    notBefore: Instant | null;
  },
): Promise<string> {
  const id = newId('run');
  await tx.db
    .insertInto('billing_runs')
    .values({
      tenantId: tx.tenantId,
      id,
      kind: request.kind ?? 'IMMEDIATE',
      billingGroupId: group.groupId,
      payerCustomerId: group.payerCustomerId,
      billingEntityId: group.billingEntityId,
      currency: group.currency,
      timezone: group.timezone,
      boundaryAt: null,
      requestId: request.requestId,
      scope: request.scope,
      status: 'OPEN',
      step: 'OPENED',
      reason: null,
      cutOffAt: null,
      retryAt: request.notBefore,
      failures: 0,
      testClockId: group.testClockId,
      createdAt: group.now,
      finishedAt: null,
    })
    .execute();
  return id;
}
