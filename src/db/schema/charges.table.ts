import { defineEntity } from '@mikro-orm/core';
import { day, exact, id, instant, int, ownTenant, text } from './columns.ts';

/** A one-time charge (G4). A negative one is a manual credit line. */
export const OneTimeCharge = defineEntity({
  name: 'OneTimeCharge',
  tableName: 'one_time_charges',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  indexes: [
    { name: 'one_time_charges_group', properties: ['tenantId', 'billingGroupId', 'chargeOn'] },
    { name: 'one_time_charges_by_creation', properties: ['tenantId', 'createdAt', 'id'] },
  ],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    customerId: id(),
    payerCustomerId: id(),
    /** Null for an IMMEDIATE one outside any group. */
    billingGroupId: id().nullable(),
    billingEntityId: id(),
    currency: text(),
    description: text(),
    quantity: exact(),
    unitAmount: exact(),
    /** In minor units' precision: what the line will say. */
    amount: exact(),
    taxCode: text().nullable(),
    timing: text().$type<'NEXT_INVOICE' | 'IMMEDIATE'>(),
    /** Local date from which it is due (RT5): `chargeOn`, else the date of creation. Also its tax point. */
    chargeOn: day(),
    createdAt: instant(),
  },
});

export type ClaimKind = 'PERIOD' | 'SETUP' | 'CREDIT' | 'ONE_TIME';

/**
 * What an invoice has taken (RN2). One live claim per item, terms version, period, kind and sequence; one per one-time
 * charge; a credit claims the line it credits. Released only by a rebill or by discarding a draft.
 */
export const Claim = defineEntity({
  name: 'Claim',
  tableName: 'claims',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  uniques: [
    {
      name: 'claims_period_unique',
      properties: ['tenantId', 'itemId', 'termsVersion', 'periodStart', 'kind', 'sequence'],
      where: `released_at is null and kind in ('PERIOD', 'SETUP')`,
    },
    {
      name: 'claims_charge_unique',
      properties: ['tenantId', 'chargeId'],
      where: `released_at is null and kind = 'ONE_TIME'`,
    },
    {
      name: 'claims_credit_unique',
      properties: ['tenantId', 'creditedLineId', 'sequence'],
      where: `released_at is null and kind = 'CREDIT'`,
    },
  ],
  indexes: [{ name: 'claims_invoice', properties: ['tenantId', 'invoiceId'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    kind: text().$type<ClaimKind>(),
    runId: id(),
    /** Null once a zero invoice was skipped (RO7): the claim stays, the document never was. */
    invoiceId: id().nullable(),
    lineId: id().nullable(),
    itemId: id().nullable(),
    termsVersion: int().nullable(),
    periodStart: instant().nullable(),
    periodEnd: instant().nullable(),
    chargeId: id().nullable(),
    creditedLineId: id().nullable(),
    sequence: int().default(0),
    createdAt: instant(),
    releasedAt: instant().nullable(),
  },
});
