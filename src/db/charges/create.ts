import { priceCharge } from '../../domain/charge/price-charge.ts';
import { audit } from '../audit.ts';
import { scheduledGroup } from '../billing/group-state.ts';
import { refreshGroup } from '../billing-groups.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { enqueue } from '../outbox.ts';
import { requestRun } from '../subscriptions/request-run.ts';
import { bindCharge, type BoundCharge, type ChargeBinding } from './bind.ts';

/** A request for a one-time charge, checked for its form. */
export interface ChargeRequest extends ChargeBinding {
  readonly description: string;
  /** Signed: below 0 it is a manual credit line. Either this, or a unit amount with a quantity. */
  readonly amount?: string | undefined;
  readonly quantity?: string | undefined;
  readonly unitAmount?: string | undefined;
  readonly taxCode?: string | undefined;
}

/**
 * Makes a one-time charge (G4). NEXT_INVOICE: it waits for its group's next event. IMMEDIATE: it asks for an invoice of its
 * own, which the group's workflow carries out, or one of its own where it names no group. One transaction, which holds the
 * group shared so that it falls before or after a run's cut-off (RT5).
 *
 * @returns its id.
 * @throws  as `bindCharge` and `priceCharge`.
 */
export async function createCharge(tx: Tx, request: ChargeRequest, actor: string): Promise<string> {
  const bound = await bindCharge(tx, request);
  const { currency, entity } = bound;
  const price = priceCharge(request, { currency, rounding: entity.roundingMode });
  const id = newId('chg');
  await tx.db
    .insertInto('one_time_charges')
    .values({
      tenantId: tx.tenantId,
      id,
      customerId: bound.owner.id,
      payerCustomerId: bound.payer.id,
      billingGroupId: bound.group?.id ?? null,
      billingEntityId: entity.id,
      currency,
      description: request.description,
      ...price,
      taxCode: request.taxCode ?? null,
      timing: request.timing,
      chargeOn: bound.chargeOn,
      createdAt: bound.now,
    })
    .execute();
  if (request.timing === 'IMMEDIATE') await billAtOnce(tx, id, bound);
  if (bound.group !== null) await refreshGroup(tx, bound.group.id);
  await audit(tx, {
    actor,
    action: 'charge.created',
    subjectType: 'charge',
    subjectId: id,
    detail: {
      customerId: bound.owner.id,
      payerCustomerId: bound.payer.id,
      amount: price.amount,
      currency,
      timing: request.timing,
    },
    happenedAt: bound.now,
  });
  return id;
}

async function billAtOnce(tx: Tx, chargeId: string, bound: BoundCharge): Promise<void> {
  if (bound.group === null) return billAlone(tx, chargeId, bound);
  const group = await scheduledGroup(tx, bound.group.id);
  await requestRun(tx, group, { requestId: chargeId, scope: { chargeId }, notBefore: null });
}

/** A run outside any group, with a workflow of its own. */
async function billAlone(tx: Tx, chargeId: string, bound: BoundCharge): Promise<void> {
  const { testClockId } = bound.payer;
  const id = newId('run');
  await tx.db
    .insertInto('billing_runs')
    .values({
      tenantId: tx.tenantId,
      id,
      kind: 'IMMEDIATE',
      billingGroupId: null,
      payerCustomerId: bound.payer.id,
      billingEntityId: bound.entity.id,
      currency: bound.currency,
      timezone: bound.timezone,
      boundaryAt: null,
      requestId: chargeId,
      scope: { chargeId },
      status: 'OPEN',
      step: 'OPENED',
      reason: null,
      cutOffAt: null,
      retryAt: null,
      failures: 0,
      testClockId,
      createdAt: bound.now,
      finishedAt: null,
    })
    .execute();
  await enqueue(tx, { topic: 'run.start', dedupeKey: id, payload: { runId: id, testClockId } });
}
