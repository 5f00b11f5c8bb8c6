import { type RawBuilder, sql } from 'kysely';
import type { GroupWork } from '../../domain/billing-group/plan.ts';
import type { Instant } from '../../domain/calendar.ts';
import type { Tx } from '../database.ts';
import { FENCE } from '../kysely.ts';
import { liveClaimOfCharge } from './live-claim.ts';
import { isOfMembers, subscriptionsOfMembers } from './member-sets.ts';

/** What a group has to bill, when its last member joined, and of how many items and charges that is told. */
export interface WorkOfGroup extends GroupWork {
  readonly lastJoinedAt: Instant | null;
  readonly workload: number;
}

export const NO_WORK: WorkOfGroup = { firstStartOn: null, firstContinuesAt: null, lastJoinedAt: null, workload: 0 };

/** The local day from which an item waits to be billed for the first time, or for a credit that its end left due. */
const startOn = (timezone: RawBuilder<unknown>) => sql`
  case when billed_through_at is null then (greatest(start_at, trial_ends_at) at time zone ${timezone})::date
       when end_at < billed_through_at then (end_at at time zone ${timezone})::date end`;

/** Up to where an item that goes on is billed. */
const continuesAt = sql`
  case when billed_through_at is not null and (end_at is null or end_at >= billed_through_at)
       then billed_through_at end`;

/** A membership bills what follows on what is billed, up to its own end. */
const isBilledHere = sql`(m.valid_to is null or m.valid_to > coalesce(billed_through_at, start_at))`;

/** What groups have to bill, of all members and of charges that wait. A group that has nothing is not there. */
export async function workOfGroups(tx: Tx, groupIds: readonly string[]): Promise<Map<string, WorkOfGroup>> {
  if (groupIds.length === 0) return new Map();
  const { rows } = await sql<WorkOfGroup & { billingGroupId: string }>`
    with members as materialized (
      select m.billing_group_id, m.subscription_id, m.joined_at, m.valid_to, g.timezone
        from billing_groups g
       cross join lateral (select * from group_memberships where billing_group_id = g.id offset ${FENCE}) m
       where g.id = any(${groupIds}::text[])
    ), ${subscriptionsOfMembers(sql`start_at, trial_ends_at, end_at`)}, items as materialized (
      select subscription_id, billed_through_at
        from subscription_items where ${isOfMembers} and not finished
    ), work as (
      select m.billing_group_id, m.joined_at, ${startOn(sql`m.timezone`)} as start_on, ${continuesAt} as continues_at
        from (select m.*, s.id, s.start_at, s.trial_ends_at, s.end_at, i.subscription_id as item_of, i.billed_through_at
                from members m
                full join member_subscriptions s on s.id = m.subscription_id
                full join items i on i.subscription_id = m.subscription_id offset ${FENCE}) m
       where m.id is not null and item_of is not null and ${isBilledHere}
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
  return new Map(rows.map(({ billingGroupId, ...work }) => [billingGroupId, work]));
}

/** What a subscription gives one of its groups to bill. */
export interface WorkOfSubscription extends GroupWork {
  readonly subscriptionId: string;
  readonly billingGroupId: string;
  /** Events of the group from then on do not bill it; null while it stays. */
  readonly leavesAt: Instant | null;
}

/**
 * What single subscriptions give their groups to bill, however many others are in them: the group that one is in, and those
 * that it moves to or has to be billed by still. Of an item that is billed to its very end nothing more comes, though its
 * group looks at it once more.
 */
export async function workOfSubscriptions(tx: Tx, subscriptionIds: readonly string[]): Promise<WorkOfSubscription[]> {
  const { rows } = await sql<WorkOfSubscription>`
    select m.subscription_id, m.billing_group_id, m.valid_to as leaves_at,
           min(greatest(${startOn(sql`g.timezone`)}, (m.valid_from at time zone g.timezone)::date)) filter (
             where ${startOn(sql`g.timezone`)} is not null) as first_start_on,
           min(greatest(${continuesAt}, m.valid_from)) filter (
             where ${continuesAt} is not null and end_at is distinct from billed_through_at) as first_continues_at
      from unnest(${subscriptionIds}::text[]) as one(id)
     cross join lateral (select * from group_memberships where subscription_id = one.id offset ${FENCE}) m
     cross join lateral (select * from billing_groups
                          where tenant_id = m.tenant_id and id = m.billing_group_id offset ${FENCE}) g
     cross join lateral (select * from subscriptions
                          where tenant_id = m.tenant_id and id = m.subscription_id offset ${FENCE}) s
     cross join lateral (select * from subscription_items
                          where tenant_id = s.tenant_id and subscription_id = s.id and not finished offset ${FENCE}) i
     where ${isBilledHere}
     group by m.subscription_id, m.billing_group_id, m.valid_to`.execute(tx.db);
  return rows;
}
