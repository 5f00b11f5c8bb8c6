import { defineEntity } from '@mikro-orm/core';
import { exact, flag, id, instant, int, ownTenant, percentage, text } from './columns.ts';

/** A coupon: the offer (A1). */
export const Coupon = defineEntity({
  name: 'Coupon',
  tableName: 'coupons',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  uniques: [{ name: 'coupons_code_unique', properties: ['tenantId', 'code'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    code: text(),
    name: text().nullable(),
    type: text().$type<'PERCENT' | 'FIXED'>(),
    percent: percentage().nullable(),
    amount: exact().nullable(),
    currency: text().nullable(),
    duration: text().$type<'ONCE' | 'REPEATING' | 'FOREVER'>(),
    cycles: int().nullable(),
    maxRedemptions: int().nullable(),
    /** Redeemable before this instant. */
    expiresAt: instant().nullable(),
    carryRemainder: flag(),
    archivedAt: instant().nullable(),
    createdAt: instant(),
  },
});

/** A coupon put on a customer or on a subscription; exactly one of the two. */
export const CouponRedemption = defineEntity({
  name: 'CouponRedemption',
  tableName: 'coupon_redemptions',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [
    { name: 'coupon_redemptions_customer', properties: ['tenantId', 'customerId'] },
    { name: 'coupon_redemptions_subscription', properties: ['tenantId', 'subscriptionId'] },
    { name: 'coupon_redemptions_coupon', properties: ['tenantId', 'couponId'] },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    couponId: id(),
    customerId: id().nullable(),
    subscriptionId: id().nullable(),
    redeemedAt: instant(),
    endedAt: instant().nullable(),
  },
});

export type ReservationStatus = 'RESERVED' | 'CAPTURED' | 'RELEASED';

/** One cycle of a redemption, held by a draft and captured at issue (RN9). */
export const CouponReservation = defineEntity({
  name: 'CouponReservation',
  tableName: 'coupon_reservations',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'coupon_reservations_invoice', properties: ['tenantId', 'invoiceId'] }],
  properties: {
    tenantId: id().primary(),
    redemptionId: id().primary(),
    invoiceId: id().primary(),
    /** The run: it uses one cycle, however many invoices it splits into. */
    runId: id(),
    amount: exact(),
    /** What a carrying fixed coupon keeps for the next invoice; the cycle goes on with it. */
    remainder: exact().nullable(),
    status: text().$type<ReservationStatus>(),
    reservedAt: instant(),
  },
});

/** A credit grant in a payer's wallet (A2). `remaining` = amount − what is reserved or captured. */
export const CreditGrant = defineEntity({
  name: 'CreditGrant',
  tableName: 'credit_grants',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'credit_grants_customer', properties: ['tenantId', 'customerId', 'currency'] }],
  checks: [{ name: 'credit_grants_remaining_check', expression: 'remaining >= 0 and remaining <= amount' }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    customerId: id(),
    kind: text().$type<'PAID' | 'PROMOTIONAL' | 'GIFT_CARD' | 'REFUND'>(),
    currency: text(),
    amount: exact(),
    remaining: exact(),
    priority: int(),
    expiresAt: instant().nullable(),
    /** The invoice whose surplus became this grant (RO4). */
    sourceInvoiceId: id().nullable(),
    createdAt: instant(),
  },
});

/** What a draft holds of a grant, captured at issue (RN9): once per grant and invoice. */
export const CreditReservation = defineEntity({
  name: 'CreditReservation',
  tableName: 'credit_reservations',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'credit_reservations_invoice', properties: ['tenantId', 'invoiceId'] }],
  properties: {
    tenantId: id().primary(),
    grantId: id().primary(),
    invoiceId: id().primary(),
    amount: exact(),
    status: text().$type<ReservationStatus>(),
    /** When it was reserved, and when it was captured or released. */
    reservedAt: instant(),
    settledAt: instant().nullable(),
  },
});
