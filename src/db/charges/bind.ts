import { groupForCharge } from '../../domain/charge/group-for-charge.ts';
import { assertFits } from '../../domain/billing-group/membership.ts';
import { type CalendarDate, type Instant, localDate } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import type { EntityView } from '../billing-entities.ts';
import { type LockedGroup, lockGroupShared } from '../billing-groups.ts';
import { type CustomerRow, payerOf, readCustomerForBinding } from '../customers.ts';
import type { Tx } from '../database.ts';
import { readDefaultEntity } from '../default-entity.ts';
import { bindEntity } from '../entity-binding.ts';
import { nowOf } from '../time.ts';

/** What a request says about where a charge belongs. */
export interface ChargeBinding {
  /** An id or `externalId:<value>`; the owner. */
  readonly customerId: string;
  readonly invoicingCustomerId?: string | undefined;
  readonly billingGroupId?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly currency?: string | undefined;
  readonly timing: 'NEXT_INVOICE' | 'IMMEDIATE';
  readonly chargeOn?: CalendarDate | undefined;
}

/** Where a charge belongs: found, checked and held until the transaction ends. */
export interface BoundCharge {
  readonly owner: CustomerRow;
  readonly payer: CustomerRow;
  readonly entity: EntityView;
  /** Locked shared (RT5); null for an IMMEDIATE one that names none. */
  readonly group: LockedGroup | null;
  readonly currency: string;
  /** The group's, else the entity's. */
  readonly timezone: string;
  readonly chargeOn: CalendarDate;
  /** By the Clock of owner and payer. */
  readonly now: Instant;
}

/**
 * Finds payer (C5, D1), entity (E12), currency (RM4) and group (G4) of a charge.
 *
 * @throws `customer.archived`, `payer.inactive`, `clock.mismatch`, `entity.archived`, `group.mismatch`, `group.closed`,
 *         `group.none`, `not_found`; `request.refused` for an IMMEDIATE one of a later day.
 */
export async function bindCharge(tx: Tx, request: ChargeBinding): Promise<BoundCharge> {
  const owner = await readCustomerForBinding(tx, request.customerId, 'owner', 'customerId');
  const payer = await payerFor(tx, request, owner);
  const named = request.billingGroupId === undefined ? null : await lockGroupShared(tx, request.billingGroupId);
  const entityId = request.billingEntityId ?? named?.billingEntityId ?? payer.billingEntityId;
  const entity = await bindEntity(tx, entityId ?? (await readDefaultEntity(tx)).id);
  const currency = request.currency ?? named?.currency ?? payer.currency ?? entity.baseCurrency;
  const terms = { payerCustomerId: payer.id, billingEntityId: entity.id, currency };
  if (named !== null) assertFits(named, { ...terms, timezone: named.timezone }, []);
  const group = named ?? (request.timing === 'IMMEDIATE' ? null : await findGroup(tx, terms, entity.billingTimezone));

  const timezone = group?.timezone ?? entity.billingTimezone;
  const now = await nowOf(tx, owner);
  const today = localDate(now, timezone);
  const { chargeOn = today } = request;
  if (request.timing === 'IMMEDIATE' && chargeOn > today) {
    throw refused(
      'request.refused',
      'chargeOn',
      `An IMMEDIATE charge is billed today, ${today} in ${timezone}. Send that day, or timing NEXT_INVOICE.`,
    );
  }
  return { owner, payer, entity, group, currency, timezone, chargeOn, now };
}

async function payerFor(tx: Tx, request: ChargeBinding, owner: CustomerRow): Promise<CustomerRow> {
  const named = request.invoicingCustomerId;
  const path = named === undefined ? 'customerId' : 'invoicingCustomerId';
  const payer = await readCustomerForBinding(tx, named ?? (await payerOf(tx, owner.id)), 'payer', path);
  if (payer.testClockId === owner.testClockId) return payer;
  throw refused(
    'clock.mismatch',
    path,
    'Owner and payer live on different test clocks. Choose a payer on the same clock.',
  );
}

/** The group of a charge that names none; locked shared. */
async function findGroup(
  tx: Tx,
  terms: { payerCustomerId: string; billingEntityId: string; currency: string },
  timezone: string,
): Promise<LockedGroup> {
  const candidates = await tx.db
    .selectFrom('billing_groups')
    .where('payerCustomerId', '=', terms.payerCustomerId)
    .where('billingEntityId', '=', terms.billingEntityId)
    .where('currency', '=', terms.currency)
    .where('status', '<>', 'CLOSED')
    .orderBy('createdAt')
    .orderBy('id')
    .select(['id', 'isDefault', 'timezone'])
    .execute();
  const choice = groupForCharge(candidates, timezone);
  if ('groupId' in choice) return lockGroupShared(tx, choice.groupId);
  const why =
    choice.none === 'NO_GROUP'
      ? `The payer has no billing group in ${terms.currency} of this entity`
      : `The payer has several billing groups in ${terms.currency} of this entity, and none is the default`;
  throw refused(
    'group.none',
    'billingGroupId',
    `${why}. Name a billingGroupId, open a group or subscription first, or send timing IMMEDIATE.`,
  );
}

const refused = (
  code: 'request.refused' | 'clock.mismatch' | 'group.none',
  path: string,
  message: string,
): BillingError => new BillingError(code, message, [{ path, message }]);
