import { sql } from 'kysely';
import type { Instant } from '../domain/calendar.ts';
import { type Coupon, validateCoupon } from '../domain/coupon/eligibility.ts';
import { BillingError } from '../domain/errors.ts';
import { toAmount, toPercent } from '../domain/money.ts';
import { audit } from './audit.ts';
import type { Tx } from './database.ts';
import { refuseOn } from './failures.ts';
import { newId } from './ids.ts';
import { listPage, type Page } from './listing.ts';

export { redeemCoupon } from './coupon-redemptions.ts';

/** A coupon as the API shows it. */
export interface CouponView extends Coupon {
  readonly id: string;
  readonly name: string | null;
  /** How often it was redeemed, redemptions that were ended included. */
  readonly redemptionCount: number;
  readonly archivedAt: Instant | null;
  readonly createdAt: Instant;
}

export type NewCoupon = Coupon & { readonly name: string | null };

export interface CouponFilter {
  readonly code?: string | undefined;
  readonly type?: Coupon['type'] | undefined;
  readonly archived?: boolean | undefined;
}

const selectCoupons = (tx: Tx) =>
  tx.db
    .selectFrom('coupons as c')
    .select(['c.id', 'c.code', 'c.name', 'c.type', 'c.percent', 'c.amount', 'c.currency', 'c.duration', 'c.cycles'])
    .select(['c.maxRedemptions', 'c.expiresAt', 'c.carryRemainder', 'c.archivedAt', 'c.createdAt'])
    .select(
      sql<number>`(select count(*)::int from coupon_redemptions r where r.tenant_id = c.tenant_id and r.coupon_id = c.id)`.as(
        'redemptionCount',
      ),
    );

/** @throws `coupon.invalid` with every fault; `conflict` when the code is taken. */
export async function createCoupon(tx: Tx, coupon: NewCoupon, actor: string): Promise<CouponView> {
  const faults = validateCoupon(coupon);
  if (faults.length > 0) {
    const reasons = faults.map(({ message }) => message).join(' ');
    throw new BillingError('coupon.invalid', `The coupon cannot be offered. ${reasons}`, faults);
  }
  const id = newId('cpn');
  await refuseOn({ coupons_code_unique: () => codeTaken(coupon.code) }, () =>
    tx.db
      .insertInto('coupons')
      .values({ ...coupon, tenantId: tx.tenantId, id, archivedAt: null, createdAt: tx.now() })
      .execute(),
  );
  await record(tx, actor, 'coupon.created', id, { ...coupon });
  return readCoupon(tx, id);
}

/**
 * @param reference its id, or its code.
 * @throws `not_found`
 */
export async function readCoupon(tx: Tx, reference: string): Promise<CouponView> {
  const row = await selectCoupons(tx)
    .where(({ or, eb }) => or([eb('c.id', '=', reference), eb('c.code', '=', reference)]))
    .orderBy(sql`c.id = ${reference}`, 'desc')
    .limit(1)
    .executeTakeFirstOrThrow(
      () => new BillingError('not_found', `There is no coupon with the id or the code '${reference}'.`),
    );
  return toView(row);
}

export async function listCoupons(
  tx: Tx,
  request: CouponFilter & { page: number; size: number; sort: { column: 'createdAt' | 'code'; descending: boolean } },
): Promise<Page<CouponView>> {
  const { code, type, archived, sort } = request;
  const query = selectCoupons(tx)
    .$if(code !== undefined, (found) => found.where('c.code', '=', code ?? ''))
    .$if(type !== undefined, (found) => found.where('c.type', '=', type ?? 'PERCENT'))
    .$if(archived !== undefined, (found) => found.where('c.archivedAt', archived ? 'is not' : 'is', null));
  const order = { by: `c.${sort.column}`, id: 'c.id', descending: sort.descending };
  const found = await listPage(query, { ...request, order });
  return { ...found, items: found.items.map(toView) };
}

/** Withdraws an offer, for good; what was redeemed runs on. @throws `not_found`, `conflict` when it is archived already. */
export async function archiveCoupon(tx: Tx, reference: string, actor: string): Promise<CouponView> {
  const { id, code } = await readCoupon(tx, reference);
  const { numUpdatedRows } = await tx.db
    .updateTable('coupons')
    .set({ archivedAt: tx.now() })
    .where('id', '=', id)
    .where('archivedAt', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) {
    throw new BillingError('conflict', `The coupon ${code} is archived already: it can no longer be redeemed.`);
  }
  await record(tx, actor, 'coupon.archived', id, { code });
  return readCoupon(tx, id);
}

const toView = (row: CouponView): CouponView => ({
  ...row,
  percent: row.percent === null ? null : toPercent(row.percent),
  amount: row.amount === null || row.currency === null ? null : toAmount(row.amount, row.currency),
});

const codeTaken = (code: string): BillingError => {
  const message = `There is a coupon with the code ${code} already. Choose another code.`;
  return new BillingError('conflict', message, [{ path: 'code', message }]);
};

const record = (tx: Tx, actor: string, action: string, id: string, detail: Record<string, unknown>): Promise<void> =>
  audit(tx, { actor, action, subjectType: 'coupon', subjectId: id, detail });
