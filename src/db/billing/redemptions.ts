import { sql } from 'kysely';
import type { Instant } from '../../domain/calendar.ts';
import type { Redemption, TakenDiscount } from '../../domain/coupon/discount.ts';
import { type CouponDuration, hasCyclesLeft } from '../../domain/coupon/eligibility.ts';
import { decimal, type DecimalString } from '../../domain/money.ts';
import type { Tx } from '../database.ts';

interface RedemptionRow {
  readonly id: string;
  readonly customerId: string | null;
  readonly subscriptionId: string | null;
  readonly redeemedAt: Instant;
  readonly code: string;
  readonly type: 'PERCENT' | 'FIXED';
  readonly percent: DecimalString | null;
  readonly amount: DecimalString | null;
  readonly currency: string | null;
  readonly duration: CouponDuration;
  readonly cycles: number | null;
  readonly carryRemainder: boolean;
  readonly cyclesUsed: number;
  readonly carried: DecimalString | null;
}

/**
 * Redemptions with cycles left on any owner or subscription of the lines (RO2): one statement, and one that locks. A cycle is used up by an
 * invoice that was issued or a draft that holds it; one that carries a remainder goes on with it.
 *
 * @param options.exceptRunId  a run whose own reservations do not count: it is about to make them anew.
 * @param options.lock         holds the redemptions, in order of their ids (RN1).
 */
export async function loadRedemptions(
  tx: Tx,
  lines: readonly { ownerId: string; subscriptionId: string | null }[],
  options: { exceptRunId: string | null; lock: boolean },
): Promise<Redemption[]> {
  const owners = [...new Set(lines.map(({ ownerId }) => ownerId))];
  const subscriptions = [...new Set(lines.map(({ subscriptionId }) => subscriptionId).filter((id) => id !== null))];
  const touching = sql`r.ended_at is null
       and (r.customer_id = any(${owners}::text[]) or r.subscription_id = any(${subscriptions}::text[]))`;
  if (options.lock) {
    // First, and by itself: a statement that waits for a lock counts cycles as they were when it began to wait.
    await sql`select r.id from coupon_redemptions r where ${touching} order by r.id for update`.execute(tx.db);
  }
  const { rows } = await sql<RedemptionRow>`
    select r.id, r.customer_id, r.subscription_id, r.redeemed_at, c.code, c.type, c.percent::text, c.amount::text,
           c.currency, c.duration, c.cycles, c.carry_remainder, used.cycles as cycles_used, used.carried
      from coupon_redemptions r
      join coupons c on c.tenant_id = r.tenant_id and c.id = r.coupon_id
     cross join lateral (
        select count(distinct v.run_id) filter (where v.remainder is null or v.remainder = 0)::int as cycles,
               (array_agg(v.remainder::text order by v.reserved_at desc, v.run_id desc))[1] as carried
          from coupon_reservations v
         where v.tenant_id = r.tenant_id and v.redemption_id = r.id and v.status <> 'RELEASED'
           and v.run_id is distinct from ${options.exceptRunId}) used
     where ${touching}
     order by r.id`.execute(tx.db);
  return rows.filter((row) => hasCyclesLeft(row, row.cyclesUsed)).map(toRedemption);
}

const toRedemption = (row: RedemptionRow): Redemption => ({
  id: row.id,
  scope: row.subscriptionId === null ? { customerId: row.customerId ?? '' } : { subscriptionId: row.subscriptionId },
  couponCode: row.code,
  type: row.type,
  percent: row.percent,
  amount: row.carried !== null && decimal(row.carried).gt(0) ? row.carried : row.amount,
  currency: row.currency,
  redeemedAt: row.redeemedAt,
  carryRemainder: row.carryRemainder,
});

/** What redemptions may still take on the next invoice of the same run: a fixed amount is given once in a cycle. */
export function afterTaking(redemptions: readonly Redemption[], taken: readonly TakenDiscount[]): Redemption[] {
  const amounts = new Map(taken.map((one) => [one.redemptionId, one.amount]));
  return redemptions.map((redemption) =>
    redemption.type === 'FIXED' && redemption.amount !== null
      ? {
          ...redemption,
          amount: decimal(redemption.amount)
            .minus(amounts.get(redemption.id) ?? '0')
            .toFixed(),
        }
      : redemption,
  );
}
