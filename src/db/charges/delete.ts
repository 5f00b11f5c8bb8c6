import { BillingError } from '../../domain/errors.ts';
import { audit } from '../audit.ts';
import { lockGroups } from '../billing/group-state.ts';
import { lockRun, passStep, setRunStatus } from '../billing/run.ts';
import { refreshGroup } from '../billing-groups.ts';
import type { Tx } from '../database.ts';
import { nowOf } from '../time.ts';
import { missingCharge } from './views.ts';

/** The reason of a run that was to bill a charge which is no more. */
const CHARGE_DELETED = 'CHARGE_DELETED';

/**
 * Deletes a charge that waits. It holds the charge's group, as every write of a member does (RT5), so that a run has taken
 * the charge before, or never will.
 *
 * @throws `not_found`; `conflict` when an invoice or draft has taken it.
 */
export async function deleteCharge(tx: Tx, id: string, actor: string): Promise<void> {
  const charge = await tx.db
    .selectFrom('one_time_charges')
    .where('id', '=', id)
    .select(['customerId', 'billingGroupId', 'amount', 'currency'])
    .executeTakeFirstOrThrow(missingCharge(id));
  if (charge.billingGroupId !== null) await lockGroups(tx, [charge.billingGroupId], 'share');
  await endRequest(tx, id);
  await assertWaits(tx, id);
  await tx.db.deleteFrom('claims').where('chargeId', '=', id).execute();
  const { numDeletedRows } = await tx.db.deleteFrom('one_time_charges').where('id', '=', id).executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) throw missingCharge(id)();
  if (charge.billingGroupId !== null) await refreshGroup(tx, charge.billingGroupId);
  const now = await nowOf(tx, charge);
  await audit(tx, {
    actor,
    action: 'charge.deleted',
    subjectType: 'charge',
    subjectId: id,
    detail: { ...charge },
    happenedAt: now,
  });
}

/** The run that was asked to bill it at once has nothing to do any more, unless it has begun. */
async function endRequest(tx: Tx, chargeId: string): Promise<void> {
  const request = await tx.db
    .selectFrom('billing_runs')
    .where('kind', '=', 'IMMEDIATE')
    .where('requestId', '=', chargeId)
    .select('id')
    .executeTakeFirst();
  if (request === undefined) return;
  const run = await lockRun(tx, request.id);
  if (run.step !== 'OPENED') return;
  await passStep(tx, run.id, 'ISSUED');
  await setRunStatus(tx, run, 'EMPTY', CHARGE_DELETED);
}

async function assertWaits(tx: Tx, chargeId: string): Promise<void> {
  const claim = await tx.db
    .selectFrom('claims')
    .where('chargeId', '=', chargeId)
    .where('releasedAt', 'is', null)
    .select('invoiceId')
    .executeTakeFirst();
  if (claim === undefined) return;
  const where = claim.invoiceId === null ? 'an invoice of 0' : `invoice ${claim.invoiceId}`;
  throw new BillingError(
    'conflict',
    `Charge ${chargeId} is on ${where}. Discard that draft first; what is issued is voided or credited.`,
  );
}
