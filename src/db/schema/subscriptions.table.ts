import { defineEntity, p } from '@mikro-orm/core';
import type { PostalAddress } from '../../domain/customer/address.ts';
import { exact, flag, id, instant, int, ownTenant, text, validity } from './columns.ts';

/**
 * A subscription. Entity, currency and timezone are pinned at creation (E7, RT4). Its status is not stored: it follows
 * from these instants and *now*, so it is never stale.
 */
export const Subscription = defineEntity({
  name: 'Subscription',
  tableName: 'subscriptions',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [
    { name: 'subscriptions_customer', properties: ['tenantId', 'customerId'] },
    { name: 'subscriptions_by_creation', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'subscriptions_by_start', properties: ['tenantId', 'startAt'] },
    { name: 'subscriptions_trials', properties: ['tenantId', 'trialEndsAt'], where: 'trial_ends_at is not null' },
    { name: 'subscriptions_ended', properties: ['tenantId', 'endAt'], where: 'end_at is not null' },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    /** The owner: who uses it. */
    customerId: id(),
    planId: id().nullable(),
    planVersion: int().nullable(),
    /** The payer named at creation (D1); null when it followed from the tree. */
    invoicingCustomerId: id().nullable(),
    billingEntityId: id(),
    currency: text(),
    timezone: text(),
    minimumAmount: exact().nullable(),
    startAt: instant(),
    trialEndsAt: instant().nullable(),
    /** First instant that is no more paid for; null while open-ended. */
    endAt: instant().nullable(),
    /** When the cancellation was asked for. */
    canceledAt: instant().nullable(),
    proration: text().$type<'DAY' | 'SECOND'>(),
    align: flag(),
    midCycleCharges: text().$type<'NEXT_INVOICE' | 'IMMEDIATE'>().nullable(),
    shippingAddress: p.json<PostalAddress>().nullable(),
    createdAt: instant(),
  },
});

/** One priced thing of a subscription. */
export const SubscriptionItem = defineEntity({
  name: 'SubscriptionItem',
  tableName: 'subscription_items',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  uniques: [{ name: 'subscription_items_code_unique', properties: ['tenantId', 'subscriptionId', 'priceCode'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    subscriptionId: id(),
    priceCode: text(),
    position: int(),
    /** Everything before it has been billed (RP13); null before the first line. */
    billedThroughAt: instant().nullable(),
    /** Nothing more will ever be billed for it. */
    finished: flag(),
    /** Group and schedule version under which `phaseIndex` was found (RP6). */
    phaseKey: text().nullable(),
    /** Which of the group's boundaries is the item's own boundary 0. */
    phaseIndex: int().nullable(),
    createdAt: instant(),
  },
});

/** Dated fact: at what price and in what quantity an item runs. */
export const ItemTerms = defineEntity({
  name: 'ItemTerms',
  tableName: 'item_terms',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  uniques: [{ name: 'item_terms_version_unique', properties: ['tenantId', 'itemId', 'version'] }],
  properties: {
    tenantId: id().primary(),
    itemId: id().primary(),
    validFrom: instant().primary(),
    validTo: instant().nullable(),
    valid: validity(),
    version: int(),
    priceId: id(),
    quantity: exact(),
  },
});

/** Dated fact: who pays for a subscription. One answer for every instant (C8). */
export const SubscriptionPayer = defineEntity({
  name: 'SubscriptionPayer',
  tableName: 'subscription_payers',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'subscription_payers_payer', properties: ['tenantId', 'payerCustomerId'] }],
  properties: {
    tenantId: id().primary(),
    subscriptionId: id().primary(),
    validFrom: instant().primary(),
    validTo: instant().nullable(),
    valid: validity(),
    payerCustomerId: id(),
  },
});

/** Dated fact: in which billing group a subscription is. Exactly one at a time (G1). */
export const GroupMembership = defineEntity({
  name: 'GroupMembership',
  tableName: 'group_memberships',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'group_memberships_group', properties: ['tenantId', 'billingGroupId', 'subscriptionId'] }],
  properties: {
    tenantId: id().primary(),
    subscriptionId: id().primary(),
    validFrom: instant().primary(),
    validTo: instant().nullable(),
    valid: validity(),
    billingGroupId: id(),
    /** When it joined, by the Clock; the settling time counts from the last one (RP1). */
    joinedAt: instant(),
  },
});
