import { sql } from 'kysely';
import type { Instant } from '../../domain/calendar.ts';
import type { GroupState, UnfinishedRun } from '../../domain/billing-group/plan.ts';
import type { GroupTerms } from '../../domain/billing-group/membership.ts';
import type { ScheduleVersion } from '../../domain/billing-group/schedule.ts';
import type { RoundingMode } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { NO_WORK, workOfGroups } from './group-work.ts';

/** What any run of a group is made with, and *now* by the clock that it lives on. */
export interface RunTerms extends GroupTerms {
  readonly groupId: string;
  readonly testClockId: string | null;
  readonly now: Instant;
}

/** A group with its schedule: all that does not depend on its members. */
export interface ScheduledGroup extends RunTerms {
  readonly state: Pick<GroupState, 'status' | 'timezone' | 'versions' | 'lastBoundaryAt'>;
}

/** A group with what can be told of it without looking at its members. */
export interface MemberlessGroup extends ScheduledGroup {
  readonly state: Omit<GroupState, 'work' | 'lastJoinedAt'>;
  readonly entityCode: string;
  readonly rounding: RoundingMode;
  readonly taxAddress: 'PAYER' | 'OWNER';
  /** When the sweep expects it to wake; null when nothing is due. */
  readonly nextDueAt: Instant | null;
}

/** A group with what its next step depends on. */
export interface LoadedGroup extends MemberlessGroup {
  readonly state: GroupState;
  /** How many items and waiting charges it has to look at: what an event of it costs. */
  readonly workload: number;
}

/**
 * Groups by id, in four statements however many they are, and one that locks them.
 *
 * @param options.lock  holds the groups' rows until the end of the transaction, as the writer of a run does (the cut-off of
 *                      RT5).
 */
export async function loadGroups(
  tx: Tx,
  groupIds: readonly string[],
  options: { lock?: 'update' } = {},
): Promise<LoadedGroup[]> {
  if (options.lock !== undefined && groupIds.length > 0) await lockGroups(tx, groupIds, options.lock);
  const groups = await loadWithoutMembers(tx, groupIds);
  const works = await workOfGroups(
    tx,
    groups.map(({ groupId }) => groupId),
  );
  return groups.map((group) => {
    const { workload, lastJoinedAt, ...work } = works.get(group.groupId) ?? NO_WORK;
    return { ...group, workload, state: { ...group.state, lastJoinedAt, work } };
  });
}

/** Groups by id, in three statements that take the same time however many members they have. */
export async function loadWithoutMembers(tx: Tx, groupIds: readonly string[]): Promise<MemberlessGroup[]> {
  if (groupIds.length === 0) return [];
  const rows = await groupRows(tx, groupIds);
  const ids = rows.map(({ id }) => id);
  const versions = Map.groupBy(await scheduleVersions(tx, ids), ({ billingGroupId }) => billingGroupId);
  const unfinished = Map.groupBy(await unfinishedRuns(tx, ids), ({ billingGroupId }) => billingGroupId ?? '');
  return rows.map((row) => {
    const scheduled = toScheduled(tx, row, versions.get(row.id) ?? []);
    return {
      ...scheduled,
      entityCode: row.entityCode,
      rounding: row.roundingMode,
      taxAddress: row.taxAddress,
      nextDueAt: row.nextDueAt,
      state: {
        ...scheduled.state,
        entityStatus: row.entityStatus,
        createdAt: row.createdAt,
        settleMinutes: row.settleMinutes,
        unfinished: (unfinished.get(row.id) ?? []).map(toUnfinished),
        skipped: row.skipped,
        testClock: row.testClockId === null ? null : { isAdvancing: row.clockStatus === 'ADVANCING' },
      },
    };
  });
}

/** Groups by id with their schedules, at the same cost however many members they have. */
export async function loadScheduled(tx: Tx, groupIds: readonly string[]): Promise<Map<string, ScheduledGroup>> {
  if (groupIds.length === 0) return new Map();
  const rows = await groupRows(tx, groupIds);
  const versions = Map.groupBy(await scheduleVersions(tx, groupIds), ({ billingGroupId }) => billingGroupId);
  return new Map(rows.map((row) => [row.id, toScheduled(tx, row, versions.get(row.id) ?? [])]));
}

const toScheduled = (
  tx: Tx,
  row: Awaited<ReturnType<typeof groupRows>>[number],
  versions: Awaited<ReturnType<typeof scheduleVersions>>,
): ScheduledGroup => ({
  groupId: row.id,
  payerCustomerId: row.payerCustomerId,
  billingEntityId: row.billingEntityId,
  currency: row.currency,
  timezone: row.timezone,
  testClockId: row.testClockId,
  now: row.clockNowAt ?? tx.now(),
  state: {
    status: row.status,
    timezone: row.timezone,
    versions: versions.map((version) => toVersion(version, row.timezone)),
    lastBoundaryAt: row.lastBoundaryAt,
  },
});

/**
 * What a run, or the writer of one member, needs of its group.
 *
 * @param options.lock  holds the group's row from now on: `update` for a run (the cut-off of RT5), `share` for a member.
 * @throws when it is not there: whoever asks has found it before.
 */
export async function scheduledGroup(
  tx: Tx,
  groupId: string,
  options: { lock?: 'update' | 'share' } = {},
): Promise<ScheduledGroup> {
  if (options.lock !== undefined) await lockGroups(tx, [groupId], options.lock);
  const group = (await loadScheduled(tx, [groupId])).get(groupId);
  if (group === undefined) throw new Error(`Billing group ${groupId} is not there.`);
  return group;
}

/**
 * Holds groups until the end of the transaction: `update` for the writer of a run (the cut-off of RT5), `share` for the writer
 * of a member. Before anything is read: a statement that has waited for a lock sees the row that it locks as it is now, and
 * everything else as it was when it began to wait.
 */
export async function lockGroups(tx: Tx, groupIds: readonly string[], lock: 'update' | 'share'): Promise<void> {
  const rows = tx.db
    .selectFrom('billing_groups')
    .where('id', '=', sql<string>`any(${groupIds}::text[])`)
    .orderBy('id')
    .select('id');
  await (lock === 'update' ? rows.forUpdate() : rows.forShare()).execute();
}

const groupRows = (tx: Tx, groupIds: readonly string[]) =>
  tx.db
    .selectFrom('billing_groups as g')
    .innerJoin('billing_entities as e', (join) =>
      join.onRef('e.tenantId', '=', 'g.tenantId').onRef('e.id', '=', 'g.billingEntityId'),
    )
    .leftJoin('test_clocks as c', (join) =>
      join.onRef('c.tenantId', '=', 'g.tenantId').onRef('c.id', '=', 'g.testClockId'),
    )
    .where('g.id', '=', sql<string>`any(${groupIds}::text[])`)
    .orderBy('g.id')
    .select([
      'g.id',
      'g.payerCustomerId',
      'g.billingEntityId',
      'g.currency',
      'g.timezone',
      'g.taxAddress',
      'g.status',
      'g.settleMinutes',
      'g.lastBoundaryAt',
      'g.nextDueAt',
      'g.testClockId',
      'g.createdAt',
      'e.entityCode',
      'e.roundingMode',
      'e.status as entityStatus',
      'c.nowAt as clockNowAt',
      'c.status as clockStatus',
      sql<
        Instant[]
      >`(select coalesce(jsonb_agg(to_char(s.boundary_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')), '[]')
          from skipped_boundaries s where s.tenant_id = g.tenant_id and s.billing_group_id = g.id)`.as('skipped'),
    ])
    .execute();

const scheduleVersions = (tx: Tx, groupIds: readonly string[]) =>
  tx.db
    .selectFrom('group_schedules')
    .where('billingGroupId', '=', sql<string>`any(${groupIds}::text[])`)
    .where('anchorDate', 'is not', null)
    .orderBy('validFrom')
    .select(['billingGroupId', 'validFrom', 'validTo', 'anchorDate', 'cadenceInterval', 'cadenceCount'])
    .execute();

const toVersion = (row: Awaited<ReturnType<typeof scheduleVersions>>[number], timezone: string): ScheduleVersion => ({
  anchorDate: row.anchorDate as string,
  cadence: { interval: row.cadenceInterval, count: row.cadenceCount },
  timezone,
  validFrom: row.validFrom,
  validTo: row.validTo,
});

const unfinishedRuns = (tx: Tx, groupIds: readonly string[]) =>
  tx.db
    .selectFrom('billing_runs')
    .where('billingGroupId', '=', sql<string>`any(${groupIds}::text[])`)
    .where('status', 'in', ['OPEN', 'WAITING', 'BLOCKED'])
    .orderBy(sql`coalesce(boundary_at, created_at)`)
    .orderBy('id')
    .select(['billingGroupId', 'id', 'kind', 'status', 'reason', 'boundaryAt', 'retryAt'])
    .execute();

const toUnfinished = (row: Awaited<ReturnType<typeof unfinishedRuns>>[number]): UnfinishedRun => ({
  runId: row.id,
  kind: row.kind,
  status: row.status as UnfinishedRun['status'],
  reason: row.reason,
  boundaryAt: row.boundaryAt,
  retryAt: row.retryAt,
});
