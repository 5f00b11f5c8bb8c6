import { sql } from 'kysely';
import { byLength, type Cadence } from '../../domain/billing-group/cadence.ts';
import type { ScheduleVersion } from '../../domain/billing-group/schedule.ts';
import { earlier, type Instant, later, localDate, type Period } from '../../domain/calendar.ts';
import type { Price } from '../../domain/catalog/price.ts';
import { ownPeriodAt, phaseIndexFrom, prorationInstant } from '../../domain/subscription/own-periods.ts';
import { payableFrom, type SubscriptionDates, subscriptionStatus } from '../../domain/subscription/status.ts';
import { loadScheduled, type ScheduledGroup } from '../billing/group-state.ts';
import type { Tx } from '../database.ts';

/** The current period of each subscription in the group that it is in now, that of its longest cadence (RP9). */
export async function currentPeriods(tx: Tx, subscriptionIds: readonly string[]): Promise<Map<string, Period>> {
  const rows = await periodRows(tx, subscriptionIds);
  const groups = await loadScheduled(tx, [...new Set(rows.map((row) => row.billingGroupId))]);
  const bySubscription = Map.groupBy(rows, ({ subscriptionId }) => subscriptionId);
  return new Map(
    [...bySubscription].flatMap(([subscriptionId, items]) => {
      const group = groups.get(items[0]?.billingGroupId ?? '');
      const period = group === undefined ? null : currentPeriod(items, group);
      return period === null ? [] : [[subscriptionId, period] as const];
    }),
  );
}

interface PeriodRow extends SubscriptionDates {
  readonly subscriptionId: string;
  readonly billingGroupId: string;
  readonly proration: 'DAY' | 'SECOND';
  readonly price: Price;
  readonly phaseKey: string | null;
  readonly phaseIndex: number | null;
}

const periodRows = async (tx: Tx, subscriptionIds: readonly string[]): Promise<PeriodRow[]> => {
  const { rows } = await sql<PeriodRow>`
    select s.id as subscription_id, m.billing_group_id, s.start_at, s.trial_ends_at, s.end_at, s.proration,
           r.definition as price, i.phase_key, i.phase_index
      from subscriptions s
      join customers o on o.tenant_id = s.tenant_id and o.id = s.customer_id
      left join test_clocks k on k.tenant_id = o.tenant_id and k.id = o.test_clock_id
      join lateral (
        select billing_group_id from group_memberships m
         where m.tenant_id = s.tenant_id and m.subscription_id = s.id
         order by m.valid_from <= coalesce(k.now_at, ${tx.now()}::timestamptz) desc,
                  case when m.valid_from <= coalesce(k.now_at, ${tx.now()}::timestamptz) then m.valid_from end desc, m.valid_from
         limit 1) m on true
      join subscription_items i on i.tenant_id = s.tenant_id and i.subscription_id = s.id
      join item_terms t on t.tenant_id = i.tenant_id and t.item_id = i.id and t.valid_to is null
      join prices r on r.tenant_id = t.tenant_id and r.id = t.price_id
     where s.id = any(${subscriptionIds}::text[])
     order by s.id, i.position`.execute(tx.db);
  return rows;
};

function currentPeriod(items: readonly PeriodRow[], group: ScheduledGroup): Period | null {
  const [first] = items;
  if (first === undefined) return null;
  const status = subscriptionStatus(first, group.now);
  if (status === 'TRIALING') return { start: first.startAt, end: first.trialEndsAt as Instant };
  if (status !== 'ACTIVE' || group.state.versions.length === 0) return null;
  const { timezone, versions } = group.state;
  const version = versionAt(versions, group.now);
  const longest = items
    .filter(({ price }) => price.type !== 'SETUP')
    .map((item) => ({ item, cadence: item.price.cadence ?? version.cadence }))
    .toSorted((a, b) => byLength(b.cadence, a.cadence))[0];
  const cadence: Cadence = longest?.cadence ?? version.cadence;
  const start = prorationInstant(payableFrom(first), first.proration, timezone);
  const phaseIndex = knownPhase(longest?.item, group, version) ?? phaseIndexFrom(version, localDate(start, timezone));
  const whole = ownPeriodAt({ schedule: version, cadence, phaseIndex }, group.now);
  return { start: later(whole.start, start), end: first.endAt === null ? whole.end : earlier(whole.end, first.endAt) };
}

const knownPhase = (item: PeriodRow | undefined, group: ScheduledGroup, version: ScheduleVersion): number | null =>
  item?.phaseKey === `${group.groupId}@${version.validFrom}` ? item.phaseIndex : null;

function versionAt(versions: readonly ScheduleVersion[], instant: Instant): ScheduleVersion {
  const found = versions.find(
    ({ validFrom, validTo }) => validFrom <= instant && (validTo === null || instant < validTo),
  );
  if (found === undefined) throw new Error(`No schedule version holds ${instant}.`);
  return found;
}
