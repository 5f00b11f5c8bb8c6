import { sql } from 'kysely';
import { nextBoundary } from '../domain/billing-group/plan.ts';
import { boundariesFrom } from '../domain/billing-group/schedule.ts';
import type { Cadence } from '../domain/billing-group/cadence.ts';
import { type CalendarDate, type Instant, localDate } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { workflowId } from '../workflows/contract.ts';
import { audit } from './audit.ts';
import { loadGroups } from './billing/group-state.ts';
import type { Tx } from './database.ts';
import { listPage, type Page, type PageRequest } from './listing.ts';
import { refreshGroup } from './billing-groups.ts';
import { onlySent, type Sent } from './sent.ts';
import type { GroupStatus } from './schema/groups.table.ts';

/** A billing group as the API shows it. */
export interface GroupView {
  readonly id: string;
  readonly payerCustomerId: string;
  readonly billingEntityId: string;
  readonly currency: string;
  readonly timezone: string;
  readonly name: string | null;
  readonly isDefault: boolean;
  readonly cadence: Cadence;
  /** Null until the first subscription gives it. */
  readonly anchorDate: CalendarDate | null;
  readonly taxAddress: 'PAYER' | 'OWNER';
  readonly midCycleCharges: 'NEXT_INVOICE' | 'IMMEDIATE';
  readonly settleMinutes: number;
  readonly graceHours: number;
  readonly purchaseOrder: string | null;
  readonly status: GroupStatus;
  readonly statusReason: string | null;
  /** The next boundary at which anything is billed. */
  readonly nextBillingAt: Instant | null;
  readonly lastBoundaryAt: Instant | null;
  readonly workflowId: string;
  readonly subscriptionCount: number;
  readonly testClockId: string | null;
  readonly createdAt: Instant;
}

export interface GroupFilters {
  readonly payerCustomerId?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly status?: GroupStatus | undefined;
  readonly currency?: string | undefined;
}

const missing = (id: string) => () => new BillingError('not_found', `There is no billing group ${id}.`);

/** @throws `not_found` */
export async function readGroup(tx: Tx, id: string): Promise<GroupView> {
  const row = await selectGroups(tx).where('g.id', '=', id).executeTakeFirstOrThrow(missing(id));
  const [view] = await toViews(tx, [row]);
  return view as GroupView;
}

/** One page of groups, in a handful of statements whatever its size. */
export async function listGroups(
  tx: Tx,
  request: Omit<PageRequest, 'order'> & { descending: boolean } & GroupFilters,
): Promise<Page<GroupView>> {
  let query = selectGroups(tx);
  if (request.payerCustomerId !== undefined) query = query.where('g.payerCustomerId', '=', request.payerCustomerId);
  if (request.billingEntityId !== undefined) query = query.where('g.billingEntityId', '=', request.billingEntityId);
  if (request.status !== undefined) query = query.where('g.status', '=', request.status);
  if (request.currency !== undefined) query = query.where('g.currency', '=', request.currency);
  const order = { by: 'g.created_at', id: 'g.id', descending: request.descending };
  const page = await listPage(query, { page: request.page, size: request.size, order });
  return { ...page, items: await toViews(tx, page.items) };
}

/** What may be changed of a group at any time; its dates and cadence are moved by realign. */
export interface GroupChange {
  readonly name: string | null;
  readonly taxAddress: 'PAYER' | 'OWNER';
  readonly midCycleCharges: 'NEXT_INVOICE' | 'IMMEDIATE';
  readonly settleMinutes: number;
  readonly purchaseOrder: string | null;
}

/** @throws `not_found`; `group.closed`. */
export async function changeGroup(tx: Tx, id: string, change: Sent<GroupChange>, actor: string): Promise<GroupView> {
  const [group] = await loadGroups(tx, [id], { lock: 'update' });
  if (group === undefined) throw missing(id)();
  if (group.state.status === 'CLOSED')
    throw new BillingError('group.closed', `Billing group ${id} is closed and cannot be changed.`);
  const sent = onlySent(change);
  if (Object.keys(sent).length > 0) {
    await tx.db.updateTable('billing_groups').set(sent).where('id', '=', id).execute();
    await audit(tx, {
      actor,
      action: 'billing_group.changed',
      subjectType: 'billing_group',
      subjectId: id,
      detail: { ...sent },
      happenedAt: group.now,
    });
    await refreshGroup(tx, id);
  }
  return readGroup(tx, id);
}

/**
 * The boundaries to come of a group, whether anything falls due on them or not.
 *
 * @param count  how many.
 * @throws       `not_found`.
 */
export async function readSchedule(
  tx: Tx,
  id: string,
  count: number,
): Promise<{ boundaryAt: Instant; localDate: CalendarDate }[]> {
  const [group] = await loadGroups(tx, [id]);
  if (group === undefined) throw missing(id)();
  const { versions, timezone, lastBoundaryAt } = group.state;
  if (versions.length === 0) return [];
  const from = nextBoundary(group.state)?.boundaryAt ?? group.now;
  return boundariesFrom(versions, localDate(from, timezone))
    .filter(({ boundaryAt }) => lastBoundaryAt === null || boundaryAt > lastBoundaryAt)
    .take(count)
    .map(({ boundaryAt, localDate: date }) => ({ boundaryAt, localDate: date }))
    .toArray();
}

const selectGroups = (tx: Tx) =>
  tx.db
    .selectFrom('billing_groups as g')
    .innerJoin('group_schedules as s', (join) =>
      join.onRef('s.tenantId', '=', 'g.tenantId').onRef('s.billingGroupId', '=', 'g.id').on('s.validTo', 'is', null),
    )
    .select([
      'g.id',
      'g.payerCustomerId',
      'g.billingEntityId',
      'g.currency',
      'g.timezone',
      'g.name',
      'g.isDefault',
      'g.taxAddress',
      'g.midCycleCharges',
      'g.settleMinutes',
      'g.graceHours',
      'g.purchaseOrder',
      'g.status',
      'g.statusReason',
      'g.lastBoundaryAt',
      'g.testClockId',
      'g.createdAt',
      's.anchorDate',
      's.cadenceInterval',
      's.cadenceCount',
      sql<number>`(select count(*) from group_memberships m where m.tenant_id = g.tenant_id
                    and m.billing_group_id = g.id and m.valid_to is null)::int`.as('subscriptionCount'),
    ]);

type GroupRow = Awaited<ReturnType<ReturnType<typeof selectGroups>['execute']>>[number];

async function toViews(tx: Tx, rows: readonly GroupRow[]): Promise<GroupView[]> {
  const states = new Map(
    (
      await loadGroups(
        tx,
        rows.map(({ id }) => id),
      )
    ).map((group) => [group.groupId, group.state]),
  );
  return rows.map(({ cadenceInterval, cadenceCount, ...row }) => {
    const state = states.get(row.id);
    return {
      ...row,
      cadence: { interval: cadenceInterval, count: cadenceCount },
      nextBillingAt: state === undefined || row.status === 'CLOSED' ? null : (nextBoundary(state)?.boundaryAt ?? null),
      workflowId: workflowId.billingGroup(tx.tenantId, row.id),
    };
  });
}
