import { sql } from 'kysely';
import type { Cadence } from '../domain/billing-group/cadence.ts';
import { cadenceForGroup, fitsUnasked, type GroupTerms } from '../domain/billing-group/membership.ts';
import { BEGINNING, type CalendarDate, type Instant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { audit } from './audit.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { enqueue } from './outbox.ts';
import type { GroupStatus } from './schema/groups.table.ts';

/** A group as a writer of one of its members needs it; its row is locked shared until the transaction ends (RT5). */
export interface LockedGroup extends GroupTerms {
  readonly id: string;
  readonly status: GroupStatus;
  readonly cadence: Cadence;
  /** Null until the first subscription gives it. */
  readonly anchorDate: CalendarDate | null;
  readonly midCycleCharges: 'NEXT_INVOICE' | 'IMMEDIATE';
  readonly lastBoundaryAt: Instant | null;
  readonly testClockId: string | null;
}

/** What makes a group. */
export interface NewGroup extends GroupTerms {
  readonly name: string | null;
  readonly cadence: Cadence;
  readonly anchorDate: CalendarDate | null;
  readonly isDefault: boolean;
  readonly taxAddress: 'PAYER' | 'OWNER';
  readonly midCycleCharges: 'NEXT_INVOICE' | 'IMMEDIATE';
  readonly settleMinutes: number;
  readonly purchaseOrder: string | null;
  readonly testClockId: string | null;
  /** By the Clock of the payer. */
  readonly createdAt: Instant;
}

/** What holds for a group unless it is said otherwise. */
export const GROUP_DEFAULTS = {
  name: null,
  taxAddress: 'PAYER',
  midCycleCharges: 'NEXT_INVOICE',
  settleMinutes: 15,
  purchaseOrder: null,
} as const;

/** Stores a group with its first schedule, and lets its workflow begin; the sweep finds it should the signal be lost. */
export async function createGroup(tx: Tx, group: NewGroup, actor: string): Promise<string> {
  const { cadence, anchorDate, ...columns } = group;
  const id = newId('grp');
  const { tenantId } = tx;
  await tx.db
    .insertInto('billing_groups')
    .values({
      ...columns,
      tenantId,
      id,
      graceHours: 0,
      status: 'ACTIVE',
      statusReason: null,
      lastBoundaryAt: null,
      nextDueAt: tx.now(),
    })
    .execute();
  await tx.db
    .insertInto('group_schedules')
    .values({
      tenantId,
      billingGroupId: id,
      validFrom: BEGINNING,
      validTo: null,
      anchorDate,
      cadenceInterval: cadence.interval,
      cadenceCount: cadence.count,
    })
    .execute();
  await audit(tx, {
    actor,
    action: 'billing_group.created',
    subjectType: 'billing_group',
    subjectId: id,
    detail: { payerCustomerId: group.payerCustomerId, currency: group.currency, timezone: group.timezone },
    happenedAt: group.createdAt,
  });
  await refreshGroup(tx, id);
  return id;
}

/** Lets a group's workflow look again, after commit. */
export const refreshGroup = (tx: Tx, billingGroupId: string): Promise<void> =>
  enqueue(tx, { topic: 'group.refresh', dedupeKey: billingGroupId, payload: { billingGroupId } });

/**
 * Locks a group shared, as every write of a member does, so that it falls before or after a run's cut-off and never beside
 * it (RT5).
 *
 * @throws `not_found`; `group.closed`.
 */
export async function lockGroupShared(tx: Tx, groupId: string, path = 'billingGroupId'): Promise<LockedGroup> {
  const [row] = await groupRows(tx, sql`g.id = ${groupId}`);
  if (row === undefined) {
    const message = `There is no billing group ${groupId}.`;
    throw new BillingError('not_found', message, [{ path, message }]);
  }
  if (row.status === 'CLOSED') {
    const message = `Billing group ${groupId} is closed. Name another one, or none.`;
    throw new BillingError('group.closed', message, [{ path, message }]);
  }
  return row;
}

/**
 * The default group that a subscription joins, or a new one when none fits (G1, RP6). Two requests for the same payer come
 * one after the other here, so that they find the same group.
 *
 * @param opening what a new group is made with.
 */
export async function findOrOpenGroup(
  tx: Tx,
  terms: GroupTerms,
  cadences: readonly Cadence[],
  opening: { anchorDate: CalendarDate; testClockId: string | null; now: Instant; actor: string },
): Promise<LockedGroup> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`groups:${tx.tenantId}:${terms.payerCustomerId}`}, 0))`.execute(
    tx.db,
  );
  const found = await groupRows(
    tx,
    sql`g.payer_customer_id = ${terms.payerCustomerId} and g.billing_entity_id = ${terms.billingEntityId}
        and g.currency = ${terms.currency} and g.timezone = ${terms.timezone} and g.is_default and g.status <> 'CLOSED'`,
  );
  const fitting = found.find((group) => fitsUnasked(group.cadence, cadences));
  if (fitting !== undefined) return fitting;
  return lockGroupShared(tx, await openGroup(tx, terms, cadenceForGroup(cadences), { ...opening, isDefault: true }));
}

/** Opens a group for one subscription: the payer's default of its kind, or one of its own (`align: false`, G3). */
export const openGroup = (
  tx: Tx,
  terms: GroupTerms,
  cadence: Cadence,
  opening: { anchorDate: CalendarDate; testClockId: string | null; now: Instant; actor: string; isDefault: boolean },
): Promise<string> =>
  createGroup(
    tx,
    {
      ...GROUP_DEFAULTS,
      payerCustomerId: terms.payerCustomerId,
      billingEntityId: terms.billingEntityId,
      currency: terms.currency,
      timezone: terms.timezone,
      cadence,
      anchorDate: opening.anchorDate,
      isDefault: opening.isDefault,
      testClockId: opening.testClockId,
      createdAt: opening.now,
    },
    opening.actor,
  );

/** RP1: the first subscription of a group without an anchor gives it one. */
export async function anchorGroup(tx: Tx, groupId: string, anchorDate: CalendarDate): Promise<void> {
  await tx.db
    .updateTable('group_schedules')
    .set({ anchorDate })
    .where('billingGroupId', '=', groupId)
    .where('anchorDate', 'is', null)
    .execute();
}

async function groupRows(tx: Tx, where: ReturnType<typeof sql>): Promise<LockedGroup[]> {
  const { rows } = await sql<
    Omit<LockedGroup, 'cadence'> & { cadenceInterval: Cadence['interval']; cadenceCount: number }
  >`
    select g.id, g.payer_customer_id, g.billing_entity_id, g.currency, g.timezone, g.status, g.mid_cycle_charges,
           g.last_boundary_at, g.test_clock_id, s.anchor_date, s.cadence_interval, s.cadence_count
      from billing_groups g
      join group_schedules s on s.tenant_id = g.tenant_id and s.billing_group_id = g.id and s.valid_to is null
     where ${where}
     order by g.created_at, g.id
       for share of g`.execute(tx.db);
  return rows.map(({ cadenceInterval, cadenceCount, ...row }) => ({
    ...row,
    cadence: { interval: cadenceInterval, count: cadenceCount },
  }));
}
