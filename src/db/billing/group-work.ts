import { sql } from 'kysely';
import type { GroupWork } from '../../domain/billing-group/plan.ts';
import type { Instant } from '../../domain/calendar.ts';
import type { Tx } from '../database.ts';
import { FENCE } from '../kysely.ts';
import { liveClaimOfCharge } from './live-claim.ts';

/** What a group has to bill, when its last member joined, and of how many items and charges that is told. */
export interface WorkOfGroup extends GroupWork {
  readonly lastJoinedAt: Instant | null;
  readonly workload: number;
}

export const NO_WORK: WorkOfGroup = { firstStartOn: null, firstContinuesAt: null, lastJoinedAt: null, workload: 0 };

/** The local day from which an item waits to be billed for the first time, or for a credit that its end left due. */
const startOn = sql`
  case when i.billed_through_at is null then (greatest(s.start_at, s.trial_ends_at) at time zone g.timezone)::date
       when s.end_at < i.billed_through_at then (s.end_at at time zone g.timezone)::date end`;

/** Up to where an item that goes on is billed. */
const continuesAt = sql`
  case when i.billed_through_at is not null and (s.end_at is null or s.end_at >= i.billed_through_at)
       then i.billed_through_at end`;

/** The unfinished items of the memberships `m`. */
const itemsOfMembers = sql`
  cross join lateral (select * from subscriptions
                       where tenant_id = m.tenant_id and id = m.subscription_id offset ${FENCE}) s
  cross join lateral (select * from subscription_items
                       where tenant_id = s.tenant_id and subscription_id = s.id and not finished offset ${FENCE}) i`;

/** A membership bills what follows on what is billed, up to its own end. */
const isBilledHere = sql`(m.valid_to is null or m.valid_to > coalesce(i.billed_through_at, s.start_at))`;

/** What groups have to bill, of all members and of charges that wait. A group that has nothing is not there. */
export async function workOfGroups(tx: Tx, groupIds: readonly string[]): Promise<Map<string, WorkOfGroup>> {
  if (groupIds.length === 0) return new Map();
  const { rows } = await sql<WorkOfGroup & { billingGroupId: string }>`
    with work as (
      select m.billing_group_id, m.joined_at, ${startOn} as start_on, ${continuesAt} as continues_at
        from billing_groups g
       cross join lateral (select * from group_memberships where billing_group_id = g.id offset ${FENCE}) m
       ${itemsOfMembers}
       where g.id = any(${groupIds}::text[]) and ${isBilledHere}
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
           min(greatest(${startOn}, (m.valid_from at time zone g.timezone)::date)) filter (
             where ${startOn} is not null) as first_start_on,
           min(greatest(${continuesAt}, m.valid_from)) filter (
             where ${continuesAt} is not null and s.end_at is distinct from i.billed_through_at) as first_continues_at
      from unnest(${subscriptionIds}::text[]) as one(id)
     cross join lateral (select * from group_memberships where subscription_id = one.id offset ${FENCE}) m
     cross join lateral (select * from billing_groups
                          where tenant_id = m.tenant_id and id = m.billing_group_id offset ${FENCE}) g
     ${itemsOfMembers}
     where ${isBilledHere}
     group by m.subscription_id, m.billing_group_id, m.valid_to`.execute(tx.db);
  return rows;
}
