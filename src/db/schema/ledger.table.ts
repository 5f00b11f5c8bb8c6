import { defineEntity } from '@mikro-orm/core';
import { exact, id, instant, int, ownTenant, percentage, text } from './columns.ts';

/** A balanced set of postings, written in the transaction of the event it records (RN6). Never changed. */
export const LedgerEntry = defineEntity({
  name: 'LedgerEntry',
  tableName: 'ledger_entries',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  uniques: [{ name: 'ledger_entries_event_unique', properties: ['tenantId', 'event', 'subjectId'] }],
  indexes: [{ name: 'ledger_entries_entity', properties: ['tenantId', 'billingEntityId', 'postedAt'] }],
  properties: {
    tenantId: id().primary(),
    id: id().primary(),
    billingEntityId: id(),
    event: text().$type<LedgerEvent>(),
    /** The invoice, payment or grant that the event is about. */
    subjectId: id(),
    postedAt: instant(),
  },
});

export type LedgerEvent = 'INVOICE_ISSUED' | 'PAYMENT_RECEIVED' | 'CREDIT_GRANTED' | 'INVOICE_VOIDED';

/** One side of an entry, in the document's currency, with room for the entity's base amount and rate (E10). */
export const LedgerPosting = defineEntity({
  name: 'LedgerPosting',
  tableName: 'ledger_postings',
  rowLevelSecurity: 'force',
  policies: [ownTenant],
  checks: [{ name: 'ledger_postings_amount_check', expression: 'amount > 0' }],
  properties: {
    tenantId: id().primary(),
    entryId: id().primary(),
    position: int().primary(),
    account: text(),
    direction: text().$type<'DEBIT' | 'CREDIT'>(),
    currency: text(),
    amount: exact(),
    /** In the entity's base currency; null until a rate is known where the currencies differ. */
    baseAmount: exact().nullable(),
    baseRate: percentage().columnType('numeric(24,12)').nullable(),
  },
});
