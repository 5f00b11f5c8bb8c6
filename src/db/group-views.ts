import { sql } from 'kysely';
import { nextBillingBoundary } from '../domain/billing-group/plan.ts';
import { boundariesFrom } from '../domain/billing-group/schedule.ts';
import type { Cadence } from '../domain/billing-group/cadence.ts';
import { type CalendarDate, type Instant, localDate } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { type LoadedGroup, loadGroups } from './billing/group-state.ts';
import type { Tx } from './database.ts';
import { listPage, type Page, type PageRequest } from './listing.ts';
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
  /** Of the schedule in force. */
  readonly cadence: Cadence;
  /** Of the schedule in force; null until the first subscription gives it. */
  readonly anchorDate: CalendarDate | null;
  /** What a realign has set for later (RP12). */
  readonly nextSchedule: GroupSchedule | null;
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
  /** Members that have not ended. */
  readonly subscriptionCount: number;
  readonly testClockId: string | null;
  readonly createdAt: Instant;
}

/** From when on a group counts its boundaries from an anchor, and how often. */
export interface GroupSchedule {
  readonly validFrom: Instant;
  readonly anchorDate: CalendarDate | null;
  readonly cadence: Cadence;
}

export interface GroupFilters {
  readonly payerCustomerId?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly status?: GroupStatus | undefined;
  readonly currency?: string | undefined;
}

/** The refusal of an id that is not there, or is another tenant's. */
export const missingGroup = (id: string) => () => new BillingError('not_found', `There is no billing group ${id}.`);

/** @throws `not_found` */
export async function readGroup(tx: Tx, id: string): Promise<GroupView> {
  const row = await selectGroups(tx).where('g.id', '=', id).executeTakeFirstOrThrow(missingGroup(id));
  const [view] = await toViews(tx, [row]);
  return view as GroupView;
}

/** @throws `not_found` when there is no such group. */
export async function assertGroup(tx: Tx, id: string): Promise<void> {
  await tx.db.selectFrom('billing_groups').where('id', '=', id).select('id').executeTakeFirstOrThrow(missingGroup(id));
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

/**
 * The boundaries to come of a group, whether anything falls due on them or not: from the next one that bills anything, else
 * from now on. Without an anchor there are none.
 *
 * @param count  how many at most.
 * @throws       `not_found`.
 */
export async function readSchedule(
  tx: Tx,
  id: string,
  count: number,
): Promise<{ boundaryAt: Instant; localDate: CalendarDate }[]> {
  const [group] = await loadGroups(tx, [id]);
  if (group === undefined) throw missingGroup(id)();
  const { versions, timezone } = group.state;
  const from = nextBillingBoundary(group.state)?.boundaryAt ?? group.now;
  return boundariesFrom(versions, localDate(from, timezone))
    .filter(({ boundaryAt }) => boundaryAt >= from)
    .take(count)
    .map(({ boundaryAt, localDate: date }) => ({ boundaryAt, localDate: date }))
    .toArray();
}

const selectGroups = (tx: Tx) =>
  tx.db
    .selectFrom('billing_groups as g')
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
    ]);

type GroupRow = Awaited<ReturnType<ReturnType<typeof selectGroups>['execute']>>[number];

async function toViews(tx: Tx, rows: readonly GroupRow[]): Promise<GroupView[]> {
  const ids = rows.map(({ id }) => id);
  const loaded = new Map((await loadGroups(tx, ids)).map((group) => [group.groupId, group]));
  const schedules = Map.groupBy(await scheduleRows(tx, ids), ({ billingGroupId }) => billingGroupId);
  const counts = new Map(
    (await memberCounts(tx, [...loaded.values()])).map((row) => [row.billingGroupId, row.members]),
  );
  return rows.map((row) => {
    const group = loaded.get(row.id);
    if (group === undefined) throw new Error(`Billing group ${row.id} has no state.`);
    const { present, next } = schedulesAt(schedules.get(row.id) ?? [], group.now);
    return {
      ...row,
      cadence: present.cadence,
      anchorDate: present.anchorDate,
      nextSchedule: next,
      nextBillingAt: row.status === 'CLOSED' ? null : (nextBillingBoundary(group.state)?.boundaryAt ?? null),
      subscriptionCount: counts.get(row.id) ?? 0,
    };
  });
}

async function scheduleRows(tx: Tx, ids: readonly string[]): Promise<(GroupSchedule & { billingGroupId: string })[]> {
  const rows = await tx.db
    .selectFrom('group_schedules')
    .where('billingGroupId', '=', sql<string>`any(${ids}::text[])`)
    .orderBy('validFrom')
    .select(['billingGroupId', 'validFrom', 'anchorDate', 'cadenceInterval', 'cadenceCount'])
    .execute();
  return rows.map(({ cadenceInterval: interval, cadenceCount: count, ...row }) => ({
    ...row,
    cadence: { interval, count },
  }));
}

/** The schedule in force at an instant, and the one that is set to follow. */
function schedulesAt(
  schedules: readonly GroupSchedule[],
  now: Instant,
): { present: GroupSchedule; next: GroupSchedule | null } {
  const index = schedules.findLastIndex(({ validFrom }) => validFrom <= now);
  const present = schedules[index];
  if (present === undefined) throw new Error('A billing group has a schedule from the beginning.');
  const next = schedules[index + 1];
  if (next === undefined) return { present, next: null };
  return { present, next: { validFrom: next.validFrom, anchorDate: next.anchorDate, cadence: next.cadence } };
}

/** Members that have not ended by their group's own *now*. */
async function memberCounts(
  tx: Tx,
  groups: readonly LoadedGroup[],
): Promise<{ billingGroupId: string; members: number }[]> {
  const ids = groups.map(({ groupId }) => groupId);
  const instants = groups.map(({ now }) => now);
  const { rows } = await sql<{ billingGroupId: string; members: number }>`
    select m.billing_group_id, count(*)::int as members
      from unnest(${ids}::text[], ${instants}::timestamptz[]) as g (id, now_at)
      join group_memberships m on m.billing_group_id = g.id and m.valid_to is null
      join subscriptions s on s.tenant_id = m.tenant_id and s.id = m.subscription_id
     where s.end_at is null or (s.end_at > g.now_at and s.end_at > s.start_at)
     group by m.billing_group_id`.execute(tx.db);
  return rows;
}
