import { sql } from 'kysely';
import type { Instant } from '../../domain/calendar.ts';
import type { GroupState, GroupWork, UnfinishedRun } from '../../domain/billing-group/plan.ts';
import type { ScheduleVersion } from '../../domain/billing-group/schedule.ts';
import type { RoundingMode } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { liveClaimOfCharge } from './live-claim.ts';

/** A group with what its next step depends on, and *now* by the clock that it lives on. */
export interface LoadedGroup {
  readonly groupId: string;
  readonly payerCustomerId: string;
  readonly billingEntityId: string;
  readonly entityCode: string;
  readonly currency: string;
  readonly rounding: RoundingMode;
  readonly taxAddress: 'PAYER' | 'OWNER';
  /** How many items and waiting charges it has to look at: what an event of it costs. */
  readonly workload: number;
  /** When the sweep expects it to wake; null when nothing is due. */
  readonly nextDueAt: Instant | null;
  readonly testClockId: string | null;
  readonly now: Instant;
  readonly state: GroupState;
}

/**
 * Groups by id, in four statements however many they are, and one that locks them.
 *
 * @param options.lock  holds the groups' rows until the end of the transaction: `update` for the writer of a run (the
 *                      cut-off of RT5), `share` for a writer of a member.
 */
export async function loadGroups(
  tx: Tx,
  groupIds: readonly string[],
  options: { lock?: 'update' | 'share' } = {},
): Promise<LoadedGroup[]> {
  if (groupIds.length === 0) return [];
  if (options.lock !== undefined) await lockGroups(tx, groupIds, options.lock);
  const rows = await groupRows(tx, groupIds);
  const ids = rows.map(({ id }) => id);
  const versions = Map.groupBy(await scheduleVersions(tx, ids), ({ billingGroupId }) => billingGroupId);
  const unfinished = Map.groupBy(await unfinishedRuns(tx, ids), ({ billingGroupId }) => billingGroupId ?? '');
  const work = new Map((await groupWork(tx, ids)).map((row) => [row.billingGroupId, row]));
  return rows.map((row) => ({
    groupId: row.id,
    payerCustomerId: row.payerCustomerId,
    billingEntityId: row.billingEntityId,
    entityCode: row.entityCode,
    currency: row.currency,
    rounding: row.roundingMode,
    taxAddress: row.taxAddress,
    workload: work.get(row.id)?.workload ?? 0,
    nextDueAt: row.nextDueAt,
    testClockId: row.testClockId,
    now: row.clockNowAt ?? tx.now(),
    state: {
      status: row.status,
      entityStatus: row.entityStatus,
      timezone: row.timezone,
      versions: (versions.get(row.id) ?? []).map((version) => toVersion(version, row.timezone)),
      createdAt: row.createdAt,
      settleMinutes: row.settleMinutes,
      lastBoundaryAt: row.lastBoundaryAt,
      lastJoinedAt: work.get(row.id)?.lastJoinedAt ?? null,
      work: toWork(work.get(row.id)),
      unfinished: (unfinished.get(row.id) ?? []).map(toUnfinished),
      skipped: row.skipped,
      testClock: row.testClockId === null ? null : { isAdvancing: row.clockStatus === 'ADVANCING' },
    },
  }));
}

/**
 * Before anything is read: a statement that has waited for a lock sees the row that it locks as it is now, and everything
 * else as it was when it began to wait.
 */
async function lockGroups(tx: Tx, groupIds: readonly string[], lock: 'update' | 'share'): Promise<void> {
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

/** What each group has to bill, as dates: never billed, ended with a credit due, waiting charges; and what goes on. */
const groupWork = async (tx: Tx, groupIds: readonly string[]) => {
  const { rows } = await sql<GroupWork & { billingGroupId: string; lastJoinedAt: Instant | null; workload: number }>`
    with work as (
      select m.billing_group_id,
             m.joined_at,
             case when i.billed_through_at is null
                    then (greatest(s.start_at, s.trial_ends_at) at time zone g.timezone)::date
                  when s.end_at < i.billed_through_at then (s.end_at at time zone g.timezone)::date
             end as start_on,
             case when i.billed_through_at is not null and (s.end_at is null or s.end_at >= i.billed_through_at)
                    then i.billed_through_at
             end as continues_at
        from group_memberships m
        join billing_groups g on g.tenant_id = m.tenant_id and g.id = m.billing_group_id
        join subscriptions s on s.tenant_id = m.tenant_id and s.id = m.subscription_id
        join subscription_items i on i.tenant_id = s.tenant_id and i.subscription_id = s.id and not i.finished
       where m.billing_group_id = any(${groupIds}::text[])
         and (m.valid_to is null or m.valid_to > coalesce(i.billed_through_at, s.start_at))
      union all
      select c.billing_group_id, c.created_at,
             greatest(c.charge_on, (c.created_at at time zone g.timezone)::date), null
        from one_time_charges c
        join billing_groups g on g.tenant_id = c.tenant_id and g.id = c.billing_group_id
       where c.billing_group_id = any(${groupIds}::text[]) and c.timing = 'NEXT_INVOICE'
         and (${liveClaimOfCharge}) is null
    )
    select billing_group_id, min(start_on) as first_start_on, min(continues_at) as first_continues_at,
           max(joined_at) as last_joined_at, count(*)::int as workload
      from work group by billing_group_id`.execute(tx.db);
  return rows;
};

const toWork = (row: GroupWork | undefined): GroupWork => ({
  firstStartOn: row?.firstStartOn ?? null,
  firstContinuesAt: row?.firstContinuesAt ?? null,
});
