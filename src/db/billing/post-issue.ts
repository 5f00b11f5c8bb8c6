import type { Instant } from '../../domain/calendar.ts';
import { type IssuedFigures, postingsOfIssue } from '../../domain/ledger/postings.ts';
import type { RoundingMode } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { insertRows } from '../rows.ts';

/** An invoice that is issued, as the ledger sees it. */
export interface PostedInvoice extends IssuedFigures {
  readonly id: string;
  readonly currency: string;
  readonly rounding: RoundingMode;
  readonly billingEntityId: string;
  readonly baseCurrency: string;
  readonly issuedAt: Instant;
}

/** RN6: the balanced entries of issued invoices, in the transaction that issues them. */
export async function postIssues(tx: Tx, invoices: readonly PostedInvoice[]): Promise<void> {
  const { tenantId } = tx;
  const entries = invoices.map((invoice) => ({
    id: newId('led'),
    invoice,
    postings: postingsOfIssue({ currency: invoice.currency, rounding: invoice.rounding, invoice }).postings,
  }));
  await insertRows(
    tx.db,
    'ledger_entries',
    entries.map(({ id, invoice }) => ({
      tenantId,
      id,
      billingEntityId: invoice.billingEntityId,
      event: 'INVOICE_ISSUED' as const,
      subjectId: invoice.id,
      postedAt: invoice.issuedAt,
    })),
  );
  await insertRows(
    tx.db,
    'ledger_postings',
    entries.flatMap(({ id: entryId, invoice: { currency, baseCurrency }, postings }) =>
      postings.map((posting, index) => ({
        tenantId,
        entryId,
        position: index + 1,
        ...posting,
        currency,
        baseAmount: currency === baseCurrency ? posting.amount : null,
        baseRate: currency === baseCurrency ? '1' : null,
      })),
    ),
  );
}
