import type { Instant } from '../../domain/calendar.ts';
import { postingsOfIssue } from '../../domain/ledger/postings.ts';
import type { DecimalString, RoundingMode } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { insertRows } from '../rows.ts';
import { draftLines } from './run.ts';

/** RN6: the balanced entry of an issued invoice, in the transaction that issues it. */
export async function postIssue(
  tx: Tx,
  invoice: {
    id: string;
    currency: string;
    roundingMode: RoundingMode;
    billingEntityId: string;
    baseCurrency: string;
    total: DecimalString;
    creditGranted: DecimalString;
    creditsApplied: DecimalString;
  },
  postedAt: Instant,
): Promise<void> {
  const lines = await draftLines(tx, [invoice.id]);
  const { currency, roundingMode: rounding } = invoice;
  const { postings } = postingsOfIssue({ currency, rounding, invoice: { ...invoice, lines } });
  const entryId = newId('led');
  const { tenantId } = tx;
  await insertRows(tx.db, 'ledger_entries', [
    {
      tenantId,
      id: entryId,
      billingEntityId: invoice.billingEntityId,
      event: 'INVOICE_ISSUED',
      subjectId: invoice.id,
      postedAt,
    },
  ]);
  const isBase = currency === invoice.baseCurrency;
  await insertRows(
    tx.db,
    'ledger_postings',
    postings.map((posting, index) => ({
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
