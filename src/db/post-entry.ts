import type { Instant } from '../domain/calendar.ts';
import type { DecimalString } from '../domain/money.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { insertRows } from './rows.ts';
import type { LedgerEvent } from './schema/ledger.table.ts';

/** A balanced set of postings to be written for an event (RN6). */
export interface EntryToPost {
  readonly event: LedgerEvent;
  /** The grant, invoice or payment that it is about: one entry per event and subject. */
  readonly subjectId: string;
  readonly entity: { readonly id: string; readonly baseCurrency: string };
  readonly currency: string;
  readonly postings: readonly {
    readonly account: string;
    readonly direction: 'DEBIT' | 'CREDIT';
    readonly amount: DecimalString;
  }[];
  /** By the clock of the event's customer. */
  readonly postedAt: Instant;
}

/** Posts an entry in the transaction of its event. The base amount waits for a rate where the currencies differ (E10). */
export async function postEntry(tx: Tx, entry: EntryToPost): Promise<void> {
  const { event, subjectId, entity, currency, postedAt } = entry;
  const { tenantId } = tx;
  const entryId = newId('led');
  await tx.db
    .insertInto('ledger_entries')
    .values({ tenantId, id: entryId, billingEntityId: entity.id, event, subjectId, postedAt })
    .execute();
  const isBase = currency === entity.baseCurrency;
  await insertRows(
    tx.db,
    'ledger_postings',
    entry.postings.map((posting, index) => ({
      tenantId,
      entryId,
      position: index + 1,
      ...posting,
      currency,
      baseAmount: isBase ? posting.amount : null,
      baseRate: isBase ? '1' : null,
    })),
  );
}
