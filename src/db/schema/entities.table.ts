import { defineEntity, p } from '@mikro-orm/core';
import type { PostalAddress } from '../../domain/customer/address.ts';
import { acrossTenants, day, id, instant, int, ownTenant, percentage, text } from './columns.ts';

/** A legal entity that issues invoices (E1–E5). */
export const BillingEntity = defineEntity({
  name: 'BillingEntity',
  tableName: 'billing_entities',
  rowLevelSecurity: 'force',
  policies: [ownTenant, acrossTenants],
  uniques: [{ name: 'billing_entities_code_unique', properties: ['tenantId', 'entityCode'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    entityCode: text(),
    displayName: text(),
    legalName: text(),
    baseCurrency: text(),
    reportingCurrency: text().nullable(),
    countryCode: text(),
    billingTimezone: text(),
    taxRegistrationNumber: text().nullable(),
    taxJurisdiction: text().nullable(),
    address: p.json<PostalAddress>().nullable(),
    invoiceNumberPrefix: text(),
    invoiceNumberFormat: text(),
    creditNotePrefix: text(),
    creditNoteFormat: text(),
    numberReset: text().$type<'NEVER' | 'YEARLY' | 'MONTHLY'>(),
    firstNumber: int(),
    roundingMode: text().$type<'HALF_UP' | 'HALF_EVEN'>(),
    zeroInvoices: text().$type<'ISSUE' | 'SKIP'>(),
    logoUrl: text().nullable(),
    footerText: text().nullable(),
    status: text().$type<'ACTIVE' | 'SUSPENDED' | 'ARCHIVED'>(),
    createdAt: instant(),
  },
});

/** The counter of one gapless stream (RN1): entity, kind of document, reset period ('' when it never resets). */
export const NumberStream = defineEntity({
  name: 'NumberStream',
  tableName: 'number_streams',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    billingEntityId: id().primary(),
    documentKind: text().$type<'INVOICE' | 'CREDIT_NOTE'>().primary(),
    resetPeriod: text().primary(),
    /** The next number to give. */
    nextNumber: int(),
  },
});

/** A tax rate and where it holds (RO3). An absent field matches everything. */
export const TaxRate = defineEntity({
  name: 'TaxRate',
  tableName: 'tax_rates',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    code: text(),
    name: text(),
    percent: percentage(),
    country: text().nullable(),
    region: text().nullable(),
    taxCode: text().nullable(),
    billingEntityId: id().nullable(),
    /** First day on which it holds. */
    validFrom: day().nullable(),
    /** First day on which it holds no more. */
    validTo: day().nullable(),
    archivedAt: instant().nullable(),
    createdAt: instant(),
  },
});
