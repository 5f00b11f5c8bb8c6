import { defineEntity, p } from '@mikro-orm/core';
import type { PostalAddress } from '../../domain/customer/address.ts';
import { flag, id, instant, int, ownTenant, percentage, strings, text, validity } from './columns.ts';

/** A customer: uses, or pays, or both (C1). Its parent is a dated fact, its external ids are aliases. */
export const Customer = defineEntity({
  name: 'Customer',
  tableName: 'customers',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [
    { name: 'customers_by_creation', properties: ['tenantId', 'createdAt', 'id'] },
    { name: 'customers_by_name', properties: ['tenantId', 'name', 'id'] },
    { name: 'customers_email', properties: ['tenantId', 'email'], where: 'email is not null' },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    /** The first of its aliases, shown on documents. */
    externalId: text().nullable(),
    name: text(),
    email: text().nullable(),
    firstName: text().nullable(),
    lastName: text().nullable(),
    currency: text().nullable(),
    address: p.json<PostalAddress>().nullable(),
    /** Its own tax rate in per cent; null when `/tax-rates` decide. */
    taxRate: percentage().nullable(),
    taxExempt: flag(),
    taxId: text().nullable(),
    taxCountry: text().nullable(),
    billingEntityId: id().nullable(),
    billTo: text().$type<'PARENT' | 'SELF'>(),
    paymentTermsDays: int(),
    autoPay: flag(),
    invoicingFlow: text().$type<'AUTOMATIC' | 'REVIEW'>(),
    status: text().$type<'ACTIVE' | 'ARCHIVED'>(),
    testClockId: id().nullable(),
    createdAt: instant(),
  },
});

/** Dated fact: who was whose parent, and when. One parent at a time by a temporal key; `validTo` null is now. */
export const CustomerParent = defineEntity({
  name: 'CustomerParent',
  tableName: 'customer_parents',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [
    { name: 'customer_parents_children', properties: ['tenantId', 'parentCustomerId'], where: 'valid_to is null' },
  ],
  properties: {
    tenantId: id().primary(),
    customerId: id().primary(),
    validFrom: instant().primary(),
    parentCustomerId: id(),
    validTo: instant().nullable(),
    valid: validity(),
  },
});

/** An external id of a customer (C3), unique in its tenant. */
export const CustomerAlias = defineEntity({
  name: 'CustomerAlias',
  tableName: 'customer_aliases',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'customer_aliases_customer', properties: ['tenantId', 'customerId'] }],
  properties: {
    tenantId: id().primary(),
    alias: text().primary(),
    customerId: id(),
    createdAt: instant(),
  },
});

export type ContactPreference = 'BILLING' | 'UPDATES' | 'LEGAL';

/** A person to write to, and about what (C2). */
export const CustomerContact = defineEntity({
  name: 'CustomerContact',
  tableName: 'customer_contacts',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [{ name: 'customer_contacts_customer', properties: ['tenantId', 'customerId'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    customerId: id(),
    name: text(),
    email: text(),
    preferences: strings().$type<ContactPreference[]>(),
    createdAt: instant(),
  },
});
