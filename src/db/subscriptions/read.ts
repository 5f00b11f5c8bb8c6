import type { Cadence } from '../../domain/billing-group/cadence.ts';
import type { GroupTerms } from '../../domain/billing-group/membership.ts';
import { BillingError } from '../../domain/errors.ts';
import type { SubscriptionDates } from '../../domain/subscription/status.ts';
import type { Tx } from '../database.ts';

/** A subscription as a change of it needs it; its row is locked. */
export interface LockedSubscription extends GroupTerms, SubscriptionDates {
  readonly id: string;
  readonly customerId: string;
  readonly proration: 'DAY' | 'SECOND';
  /** The group that it is in now, or goes to last. */
  readonly billingGroupId: string;
}

/** @throws `not_found` */
export async function lockSubscription(tx: Tx, id: string, path?: string): Promise<LockedSubscription> {
  const row = await tx.db
    .selectFrom('subscriptions as s')
    .innerJoin('group_memberships as m', (join) =>
      join.onRef('m.tenantId', '=', 's.tenantId').onRef('m.subscriptionId', '=', 's.id').on('m.validTo', 'is', null),
    )
    .innerJoin('subscription_payers as p', (join) =>
      join.onRef('p.tenantId', '=', 's.tenantId').onRef('p.subscriptionId', '=', 's.id').on('p.validTo', 'is', null),
    )
    .where('s.id', '=', id)
    .select([
      's.id',
      's.customerId',
      's.billingEntityId',
      's.currency',
      's.timezone',
      's.startAt',
      's.trialEndsAt',
      's.endAt',
      's.proration',
      'm.billingGroupId',
      'p.payerCustomerId',
    ])
    .forNoKeyUpdate('s')
    .executeTakeFirst();
  if (row !== undefined) return row;
  const message = `There is no subscription ${id}.`;
  throw new BillingError('not_found', message, path === undefined ? [] : [{ path, message }]);
}

/** The cadences of a subscription's recurring prices that have one of their own. */
export async function cadencesOf(tx: Tx, subscriptionId: string): Promise<Cadence[]> {
  const rows = await tx.db
    .selectFrom('subscription_items as i')
    .innerJoin('item_terms as t', (join) => join.onRef('t.tenantId', '=', 'i.tenantId').onRef('t.itemId', '=', 'i.id'))
    .innerJoin('prices as r', (join) => join.onRef('r.tenantId', '=', 't.tenantId').onRef('r.id', '=', 't.priceId'))
    .where('i.subscriptionId', '=', subscriptionId)
    .where('t.validTo', 'is', null)
    .select('r.definition')
    .execute();
  return rows.flatMap(({ definition }) => (definition.type === 'SETUP' ? [] : (definition.cadence ?? [])));
}
