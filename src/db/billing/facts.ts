import { type RawBuilder, sql } from 'kysely';
import type { CalendarDate, Instant } from '../../domain/calendar.ts';
import { asPrice, type Price } from '../../domain/catalog/price.ts';
import { BillingError } from '../../domain/errors.ts';
import { orderAccounts, type PayingParty } from '../../domain/invoice/account-order.ts';
import type { MemberSubscription, WaitingCharge } from '../../domain/invoice/collect-run.ts';
import type { BillableItem, Terms } from '../../domain/subscription/collect-item.ts';
import type { ChargedLine } from '../../domain/subscription/unused-credit.ts';
import type { Tx } from '../database.ts';
import { FENCE } from '../kysely.ts';
import { liveClaimOfCharge } from './live-claim.ts';
import { isOfMembers, subscriptionsOfMembers } from './member-sets.ts';

/** Which members an event looks at: of a group, at an instant whose local date is `date`; or one subscription alone. */
export interface MemberScope {
  readonly groupId: string;
  readonly at: Instant;
  readonly date: CalendarDate;
  readonly timezone: string;
  /** A running subscription that moves in before it may have a stub to bill (RP13). */
  readonly nextBoundaryAt: Instant;
  readonly subscriptionId: string | null;
}

/**
 * The member subscriptions of each scope with all that is still to be billed of them: four statements, however many scopes
 * and members there are.
 */
export async function loadMembers(tx: Tx, scopes: readonly MemberScope[]): Promise<MemberSubscription[][]> {
  if (scopes.length === 0) return [];
  const subscriptions = await memberRows(tx, scopes);
  const items = await itemRows(tx, [...new Set(subscriptions.map(({ id }) => id))]);
  const terms = await termRows(
    tx,
    items.map(({ id }) => id),
  );
  const prices = await priceRows(tx, [...new Set(terms.map(({ priceId }) => priceId))]);

  const termsByItem = Map.groupBy(terms, ({ itemId }) => itemId);
  const itemsBySubscription = Map.groupBy(items, ({ subscriptionId }) => subscriptionId);
  const byGroup = Map.groupBy(subscriptions, ({ groupId }) => groupId);
  return scopes.map(({ groupId }) =>
    (byGroup.get(groupId) ?? []).map((subscription) => ({
      subscriptionId: subscription.id,
      ownerId: subscription.customerId,
      planName: subscription.planName,
      hasShippingAddress: subscription.ships,
      items: (itemsBySubscription.get(subscription.id) ?? []).map((item): BillableItem => ({
        itemId: item.id,
        startAt: subscription.payableFrom,
        endAt: subscription.endAt,
        billedThroughAt: item.billedThroughAt,
        phase:
          item.phaseKey === null || item.phaseIndex === null ? null : { key: item.phaseKey, index: item.phaseIndex },
        proration: subscription.proration,
        terms: (termsByItem.get(item.id) ?? []).map((row): Terms => ({
          version: row.version,
          validFrom: row.validFrom,
          validTo: row.validTo,
          price: prices.get(row.priceId) as Price,
          quantity: row.quantity,
        })),
      })),
    })),
  );
}

const memberRows = async (tx: Tx, scopes: readonly MemberScope[]) => {
  const column = <K extends keyof MemberScope>(key: K): MemberScope[K][] => scopes.map((scope) => scope[key]);
  const { rows } = await sql<{
    groupId: string;
    id: string;
    customerId: string;
    planName: string | null;
    ships: boolean;
    payableFrom: Instant;
    endAt: Instant | null;
    proration: 'DAY' | 'SECOND';
  }>`
    with members as materialized (
      select e.group_id, e.on_date, e.zone, e.next_boundary_at, m.subscription_id, m.valid_from
        from unnest(${column('groupId')}::text[], ${column('at')}::timestamptz[], ${column('date')}::date[],
                    ${column('timezone')}::text[], ${column('nextBoundaryAt')}::timestamptz[],
                    ${column('subscriptionId')}::text[])
             as e(group_id, at, on_date, zone, next_boundary_at, only_id)
       cross join lateral (select * from group_memberships
                            where billing_group_id = e.group_id and (valid_to is null or valid_to > e.at)
                              and (e.only_id is null or e.only_id = subscription_id) offset ${FENCE}) m
    ), ${subscriptionsOfMembers(sql`
        customer_id, plan_id, plan_version, shipping_address is not null as ships,
        greatest(start_at, trial_ends_at) as payable_from, end_at, proration, created_at`)}, items as materialized (
      select subscription_id, bool_or(not finished) as goes_on, bool_or(billed_through_at is not null) as has_begun
        from subscription_items where ${isOfMembers} group by subscription_id
    ), versions as materialized (
      select plan_id, version, name from plan_versions
       where plan_id = any((select array_agg(distinct plan_id) from member_subscriptions)::text[])
    )
    select group_id, id, customer_id, plan_name, ships, payable_from, end_at, proration
      from (select m.*, s.*, i.goes_on, i.has_begun, v.name as plan_name
              from members m
              full join member_subscriptions s on s.id = m.subscription_id
              full join items i on i.subscription_id = m.subscription_id
              full join versions v on v.plan_id = s.plan_id and v.version = s.plan_version offset ${FENCE}) m
     where group_id is not null and id is not null and goes_on
       and ((valid_from at time zone zone)::date <= on_date or valid_from < next_boundary_at and has_begun)
     order by created_at, id`.execute(tx.db);
  return rows;
};

const itemRows = (tx: Tx, subscriptionIds: readonly string[]) =>
  tx.db
    .selectFrom('subscription_items')
    .where('subscriptionId', '=', sql<string>`any(${subscriptionIds}::text[])`)
    .where('finished', '=', false)
    .orderBy('subscriptionId')
    .orderBy('position')
    .select(['id', 'subscriptionId', 'billedThroughAt', 'phaseKey', 'phaseIndex'])
    .execute();

const termRows = (tx: Tx, itemIds: readonly string[]) =>
  tx.db
    .selectFrom('item_terms')
    .where('itemId', '=', sql<string>`any(${itemIds}::text[])`)
    .orderBy('itemId')
    .orderBy('validFrom')
    .select(['itemId', 'version', 'validFrom', 'validTo', 'priceId', 'quantity'])
    .execute();

/** Each price once, however many items run on it. */
const priceRows = async (tx: Tx, priceIds: readonly string[]): Promise<Map<string, Price>> => {
  const rows = await tx.db
    .selectFrom('prices')
    .where('id', '=', sql<string>`any(${priceIds}::text[])`)
    .select(['id', 'definition'])
    .execute();
  return new Map(rows.map(({ id, definition }) => [id, chargeable(id, definition)]));
};

/** What was changed behind the product, or was stored before a release that no longer knows it, is named to the operator. */
function chargeable(id: string, definition: Price): Price {
  try {
    return asPrice(definition);
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
    throw new BillingError(
      'run.broken_price',
      `${error.message} What is stored of price ${id} was changed behind the product: put it right there, then resume the group.`,
    );
  }
}

/** One-time charges that wait for an invoice of any of the groups, by group; oldest first. */
export async function loadChargesOfGroups(tx: Tx, groupIds: readonly string[]): Promise<Map<string, WaitingCharge[]>> {
  if (groupIds.length === 0) return new Map();
  const rows = await chargeRows(tx, sql`c.billing_group_id = any(${groupIds}::text[]) and c.timing = 'NEXT_INVOICE'`);
  return Map.groupBy(rows, ({ billingGroupId }) => billingGroupId ?? '');
}

/** The one-time charges that runs are limited to, by id, as long as no invoice has taken them. */
export async function loadChargesById(tx: Tx, chargeIds: readonly string[]): Promise<Map<string, WaitingCharge>> {
  if (chargeIds.length === 0) return new Map();
  const rows = await chargeRows(tx, sql`c.id = any(${chargeIds}::text[])`);
  return new Map(rows.map((row) => [row.chargeId, row]));
}

const chargeRows = async (tx: Tx, which: RawBuilder<unknown>) => {
  const { rows } = await sql<WaitingCharge & { billingGroupId: string | null }>`
    select c.id as charge_id, c.billing_group_id, c.customer_id as owner_id, c.description, c.quantity::text,
           c.unit_amount::text, c.amount::text, c.tax_code, c.charge_on
      from one_time_charges c
     where ${which}
       and (${liveClaimOfCharge}) is null
     order by c.created_at, c.id`.execute(tx.db);
  return rows;
};

/**
 * Lines of issued invoices whose time reaches beyond the end of their subscription (RP5), with what was credited on each.
 */
export async function loadChargedLines(tx: Tx, subscriptionIds: readonly string[]): Promise<ChargedLine[]> {
  if (subscriptionIds.length === 0) return [];
  const { rows } = await sql<Omit<ChargedLine, 'period'> & { periodStart: Instant; periodEnd: Instant }>`
    select l.id as line_id, l.item_id, v.number as invoice_number, l.description, l.period_start, l.period_end,
           (l.amount - l.discount)::text as charged, l.tax_inclusive, l.tax_code, l.tax_point,
           coalesce(given.amount, 0)::text as credited, coalesce(given.claims, 0)::int as credits, given.credited_from
      from subscriptions s
      join subscription_items i on i.tenant_id = s.tenant_id and i.subscription_id = s.id
      join invoice_lines l on l.tenant_id = s.tenant_id and l.subscription_id = s.id and l.item_id = i.id
      join invoices v on v.tenant_id = l.tenant_id and v.id = l.invoice_id
      left join lateral (
        select -sum(c.amount) as amount, count(*) as claims,
               min(c.period_start) filter (where c.kind = 'PRORATION_CREDIT') as credited_from
          from invoice_lines c join invoices cv on cv.tenant_id = c.tenant_id and cv.id = c.invoice_id
         where c.tenant_id = l.tenant_id and c.credits_line_id = l.id and cv.status <> 'VOID') given on true
     where s.id = any(${subscriptionIds}::text[]) and s.end_at is not null
       and not i.finished and i.billed_through_at > s.end_at
       and l.kind in ('RECURRING', 'PRORATION_CHARGE') and l.period_end > s.end_at
       and v.status not in ('DRAFT', 'VOID')
     order by l.period_start, l.id`.execute(tx.db);
  return rows.map(({ periodStart, periodEnd, ...line }) => ({
    ...line,
    period: { start: periodStart, end: periodEnd },
  }));
}

/**
 * The order of accounts on the invoice of each party (RO1), siblings by creation. Only owners and what is above them is read,
 * however large their trees are; payers alone need no statement.
 */
export async function loadAccountOrders(tx: Tx, parties: readonly PayingParty[]): Promise<string[][]> {
  const owners = new Set(
    parties.flatMap(({ payerId, ownerIds }) => (ownerIds.some((id) => id !== payerId) ? ownerIds : [])),
  );
  if (owners.size === 0) return orderAccounts(parties, []);
  // The limit keeps the lookup one by key, in the order of that key: the index of spans costs ten times as much.
  const { rows: placed } = await sql<{ id: string; parentId: string }>`
    with recursive above as (
      select customer_id as id, parent_customer_id as parent_id
        from customer_parents where customer_id = any(${[...owners]}::text[]) and valid_to is null
      union
      select p.customer_id, p.parent_customer_id
        from (select distinct parent_id from above) a
       cross join lateral (select * from customer_parents
                            where customer_id = a.parent_id and valid_to is null
                            order by tenant_id, customer_id, valid_from limit 1) p
    )
    select id, parent_id from above`.execute(tx.db);
  const parents = new Map(placed.map(({ id, parentId }) => [id, parentId]));
  const accounts = await tx.db
    .selectFrom('customers')
    .where('id', '=', sql<string>`any(${[...owners.union(parents)]}::text[])`)
    .orderBy('createdAt')
    .orderBy('id')
    .select('id')
    .execute();
  return orderAccounts(
    parties,
    accounts.map(({ id }) => ({ id, parentId: parents.get(id) ?? null })),
  );
}
