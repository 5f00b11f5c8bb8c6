import { sql } from 'kysely';
import { nextBillingBoundary } from '../../domain/billing-group/plan.ts';
import { type Instant, withOffset } from '../../domain/calendar.ts';
import type { Price } from '../../domain/catalog/price.ts';
import type { PostalAddress } from '../../domain/customer/address.ts';
import { BillingError } from '../../domain/errors.ts';
import { toPlain } from '../../domain/money.ts';
import { type SubscriptionStatus, subscriptionStatus } from '../../domain/subscription/status.ts';
import { loadWithoutMembers, type MemberlessGroup } from '../billing/group-state.ts';
import { type WorkOfSubscription, workOfSubscriptions } from '../billing/group-work.ts';
import type { Tx } from '../database.ts';
import { listPage, type Page, type PageRequest } from '../listing.ts';
import { currentPeriods } from './periods.ts';

/** A subscription as the API shows it. Instants with the pinned zone's offset, quantities as plain decimals. */
export interface SubscriptionView {
  readonly id: string;
  readonly customerId: string;
  readonly planCode: string | null;
  readonly planVersion: number | null;
  readonly subscriptionType: 'STANDALONE';
  readonly status: SubscriptionStatus;
  readonly payerCustomerId: string;
  readonly invoicingCustomerId: string | null;
  readonly billingGroupId: string;
  readonly billingEntityId: string;
  readonly currency: string;
  readonly timezone: string;
  readonly startAt: string;
  readonly trialEndsAt: string | null;
  readonly currentPeriodStart: string | null;
  readonly currentPeriodEnd: string | null;
  readonly nextBillingAt: string | null;
  readonly cancelAt: string | null;
  readonly canceledAt: string | null;
  readonly endedAt: string | null;
  readonly proration: 'DAY' | 'SECOND';
  readonly align: boolean;
  readonly midCycleCharges: 'NEXT_INVOICE' | 'IMMEDIATE' | null;
  readonly shippingAddress: PostalAddress | null;
  readonly items: { readonly priceCode: string; readonly quantity: string; readonly price: Price }[];
  readonly createdAt: string;
}

export interface SubscriptionFilters {
  readonly customerId?: string | undefined;
  readonly payerCustomerId?: string | undefined;
  readonly billingGroupId?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly status?: SubscriptionStatus | undefined;
}

/** @throws `not_found` */
export async function readSubscription(tx: Tx, id: string): Promise<SubscriptionView> {
  const row = await selectSubscriptions(tx)
    .where('s.id', '=', id)
    .executeTakeFirstOrThrow(() => new BillingError('not_found', `There is no subscription ${id}.`));
  const [view] = await toViews(tx, [row]);
  return view as SubscriptionView;
}

/** One page of subscriptions, in a handful of statements whatever its size. */
export async function listSubscriptions(
  tx: Tx,
  request: Omit<PageRequest, 'order'> & { descending: boolean } & SubscriptionFilters,
): Promise<Page<SubscriptionView>> {
  const { page: number, size, descending } = request;
  const order = { by: 's.created_at', id: 's.id', descending };
  const page = await listPage(selectSubscriptions(tx), { page: number, size, order, keys: filtered(tx, request) });
  return { ...page, items: await toViews(tx, page.items) };
}

const selectSubscriptions = (tx: Tx) =>
  tx.db
    .selectFrom('subscriptions as s')
    .innerJoin('group_memberships as m', (join) =>
      join.onRef('m.tenantId', '=', 's.tenantId').onRef('m.subscriptionId', '=', 's.id').on('m.validTo', 'is', null),
    )
    .innerJoin('subscription_payers as p', (join) =>
      join.onRef('p.tenantId', '=', 's.tenantId').onRef('p.subscriptionId', '=', 's.id').on('p.validTo', 'is', null),
    )
    .innerJoin('customers as o', (join) =>
      join.onRef('o.tenantId', '=', 's.tenantId').onRef('o.id', '=', 's.customerId'),
    )
    .leftJoin('test_clocks as k', (join) =>
      join.onRef('k.tenantId', '=', 's.tenantId').onRef('k.id', '=', 'o.testClockId'),
    )
    .leftJoin('plans as n', (join) => join.onRef('n.tenantId', '=', 's.tenantId').onRef('n.id', '=', 's.planId'))
    .select([
      's.id',
      's.customerId',
      'n.code as planCode',
      's.planVersion',
      's.invoicingCustomerId',
      's.billingEntityId',
      's.currency',
      's.timezone',
      's.startAt',
      's.trialEndsAt',
      's.endAt',
      's.canceledAt',
      's.proration',
      's.align',
      's.midCycleCharges',
      's.shippingAddress',
      's.createdAt',
      'p.payerCustomerId',
      'm.billingGroupId',
      'k.nowAt as clockNowAt',
    ]);

/** Joins no more than its filters ask for. */
function filtered(
  tx: Tx,
  { customerId, payerCustomerId, billingGroupId, billingEntityId, status }: SubscriptionFilters,
) {
  let query = tx.db.selectFrom('subscriptions as s');
  if (customerId !== undefined) query = query.where('s.customerId', '=', customerId);
  if (billingEntityId !== undefined) query = query.where('s.billingEntityId', '=', billingEntityId);
  if (payerCustomerId !== undefined) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('subscription_payers as p')
          .select('p.subscriptionId')
          .whereRef('p.tenantId', '=', 's.tenantId')
          .whereRef('p.subscriptionId', '=', 's.id')
          .where('p.validTo', 'is', null)
          .where('p.payerCustomerId', '=', payerCustomerId),
      ),
    );
  }
  if (billingGroupId !== undefined) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('group_memberships as m')
          .select('m.subscriptionId')
          .whereRef('m.tenantId', '=', 's.tenantId')
          .whereRef('m.subscriptionId', '=', 's.id')
          .where('m.validTo', 'is', null)
          .where('m.billingGroupId', '=', billingGroupId),
      ),
    );
  }
  return status === undefined ? query : query.where(statusIs(status, tx.now()));
}

type SubscriptionRow = Awaited<ReturnType<ReturnType<typeof selectSubscriptions>['execute']>>[number];

/**
 * The same rules as `subscriptionStatus`, for a filter in SQL; *now* is the clock's where the owner lives on one. What can
 * be told from a column alone is said first, so that an index finds the few; no clock stands before `earliest`.
 */
function statusIs(status: SubscriptionStatus, wallNow: Instant) {
  const now = sql`coalesce((select k.now_at from customers o join test_clocks k on k.tenant_id = o.tenant_id and k.id = o.test_clock_id
    where o.tenant_id = s.tenant_id and o.id = s.customer_id), ${wallNow}::timestamptz)`;
  const earliest = sql`(select least(min(now_at), ${wallNow}::timestamptz) from test_clocks)`;
  const hint = {
    CANCELED: sql`s.end_at is not null`,
    SCHEDULED: sql`s.start_at > ${earliest}`,
    TRIALING: sql`s.trial_ends_at > ${earliest}`,
    ACTIVE: sql`true`,
    PAUSED: sql`true`,
  }[status];
  return sql<boolean>`${hint} and ${status} = case
    when s.end_at is not null and (s.end_at <= ${now} or s.end_at <= s.start_at) then 'CANCELED'
    when ${now} < s.start_at then 'SCHEDULED'
    when s.trial_ends_at is not null and ${now} < s.trial_ends_at then 'TRIALING'
    else 'ACTIVE' end`;
}

async function toViews(tx: Tx, rows: readonly SubscriptionRow[]): Promise<SubscriptionView[]> {
  const ids = rows.map(({ id }) => id);
  const items = Map.groupBy(await itemsOf(tx, ids), ({ subscriptionId }) => subscriptionId);
  const periods = await currentPeriods(tx, ids);
  const works = await workOfSubscriptions(tx, ids);
  const groups = new Map(
    (await loadWithoutMembers(tx, [...new Set(works.map(({ billingGroupId }) => billingGroupId))])).map((group) => [
      group.groupId,
      group,
    ]),
  );
  const workOf = Map.groupBy(works, ({ subscriptionId }) => subscriptionId);
  return rows.map((row): SubscriptionView => {
    const { clockNowAt, endAt, ...shown } = row;
    const at = (instant: Instant | null | undefined) => (instant == null ? null : withOffset(instant, row.timezone));
    const status = subscriptionStatus(row, clockNowAt ?? tx.now());
    const period = periods.get(row.id);
    return {
      ...shown,
      subscriptionType: 'STANDALONE',
      status,
      startAt: withOffset(row.startAt, row.timezone),
      trialEndsAt: at(row.trialEndsAt),
      currentPeriodStart: at(period?.start),
      currentPeriodEnd: at(period?.end),
      nextBillingAt: status === 'CANCELED' ? null : at(nextBillingAt(groups, workOf.get(row.id) ?? [])),
      cancelAt: status === 'CANCELED' ? null : at(endAt),
      canceledAt: at(row.canceledAt),
      endedAt: status === 'CANCELED' ? at(endAt) : null,
      items: (items.get(row.id) ?? []).map(({ priceCode, quantity, price }) => ({
        priceCode,
        quantity: toPlain(quantity),
        price,
      })),
      createdAt: row.createdAt,
    };
  });
}

/** The next boundary of its groups at which a subscription has anything to bill; what others have there does not count. */
function nextBillingAt(
  groups: ReadonlyMap<string, MemberlessGroup>,
  works: readonly WorkOfSubscription[],
): Instant | null {
  const instants = works.flatMap(({ billingGroupId, leavesAt, ...work }) => {
    const group = groups.get(billingGroupId);
    const boundaryAt = group === undefined ? null : nextBillingBoundary({ ...group.state, work })?.boundaryAt;
    return boundaryAt == null || (leavesAt !== null && boundaryAt >= leavesAt) ? [] : boundaryAt;
  });
  return instants.toSorted()[0] ?? null;
}

const itemsOf = (tx: Tx, subscriptionIds: readonly string[]) =>
  tx.db
    .selectFrom('subscription_items as i')
    .innerJoin('item_terms as t', (join) =>
      join.onRef('t.tenantId', '=', 'i.tenantId').onRef('t.itemId', '=', 'i.id').on('t.validTo', 'is', null),
    )
    .innerJoin('prices as r', (join) => join.onRef('r.tenantId', '=', 't.tenantId').onRef('r.id', '=', 't.priceId'))
    .where('i.subscriptionId', '=', sql<string>`any(${subscriptionIds}::text[])`)
    .orderBy('i.subscriptionId')
    .orderBy('i.position')
    .select(['i.subscriptionId', 'i.priceCode', 't.quantity', 'r.definition as price'])
    .execute();
