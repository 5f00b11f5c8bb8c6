import type { Cadence } from '../domain/billing-group/cadence.ts';
import type { CalendarDate } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { audit } from './audit.ts';
import { loadGroups } from './billing/group-state.ts';
import { createGroup, GROUP_DEFAULTS, refreshGroup } from './billing-groups.ts';
import { readCustomerForBinding } from './customers.ts';
import type { Tx } from './database.ts';
import { readDefaultEntity } from './default-entity.ts';
import { bindEntity } from './entity-binding.ts';
import { missingGroup } from './group-views.ts';
import { onlySent, type Sent } from './sent.ts';
import { nowOf } from './time.ts';

/** What may be changed of a group at any time; its dates and cadence are moved by realign. */
export interface GroupFields {
  readonly name: string | null;
  readonly taxAddress: 'PAYER' | 'OWNER';
  readonly midCycleCharges: 'NEXT_INVOICE' | 'IMMEDIATE';
  /** How long the first, late event of a group waits for its members (RP1): 0 to 1440. */
  readonly settleMinutes: number;
  readonly purchaseOrder: string | null;
}

export type GroupRequest = Sent<GroupFields> & {
  /** An id or `externalId:<value>`. */
  readonly payerCustomerId: string;
  readonly billingEntityId?: string | undefined;
  readonly currency?: string | undefined;
  /** A month unless given. */
  readonly cadence?: Cadence | undefined;
  /** The start of the first subscription unless given (RP1). */
  readonly anchorDate?: CalendarDate | null | undefined;
};

/**
 * Opens a further group of a payer (G1). Entity and currency are the ones given, else the payer's, else the default entity
 * and its base (E12, RM4); the entity's zone is pinned (RT4). It is no default: subscriptions join it by name.
 *
 * @returns its id.
 * @throws  `payer.inactive`, `entity.archived`, `not_found`.
 */
export async function openNamedGroup(tx: Tx, request: GroupRequest, actor: string): Promise<string> {
  const { payerCustomerId, billingEntityId, currency, cadence, anchorDate, ...fields } = request;
  const payer = await readCustomerForBinding(tx, payerCustomerId, 'payer', 'payerCustomerId');
  const entity = await bindEntity(tx, billingEntityId ?? payer.billingEntityId ?? (await readDefaultEntity(tx)).id);
  return createGroup(
    tx,
    {
      ...GROUP_DEFAULTS,
      ...onlySent(fields),
      payerCustomerId: payer.id,
      billingEntityId: entity.id,
      currency: currency ?? payer.currency ?? entity.baseCurrency,
      timezone: entity.billingTimezone,
      cadence: cadence ?? { interval: 'MONTH', count: 1 },
      anchorDate: anchorDate ?? null,
      isDefault: false,
      testClockId: payer.testClockId,
      createdAt: await nowOf(tx, payer),
    },
    actor,
  );
}

/**
 * Changes what is sent. The group is locked as by a run: its next event sees all of the change, or nothing.
 *
 * @throws `not_found`; `group.closed`.
 */
export async function changeGroup(tx: Tx, id: string, change: Sent<GroupFields>, actor: string): Promise<void> {
  const [group] = await loadGroups(tx, [id], { lock: 'update' });
  if (group === undefined) throw missingGroup(id)();
  if (group.state.status === 'CLOSED') {
    throw new BillingError('group.closed', `Billing group ${id} is closed and cannot be changed. Open a new one.`);
  }
  const sent = onlySent(change);
  if (Object.keys(sent).length === 0) return;
  await tx.db.updateTable('billing_groups').set(sent).where('id', '=', id).execute();
  await audit(tx, {
    actor,
    action: 'billing_group.changed',
    subjectType: 'billing_group',
    subjectId: id,
    detail: sent,
    happenedAt: group.now,
  });
  await refreshGroup(tx, id);
}
