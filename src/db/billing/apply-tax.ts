import { sql } from 'kysely';
import { applyTax, type TaxedLine, type TaxRow } from '../../domain/tax/tax-lines.ts';
import type { TaxContext } from '../../domain/tax/treatment.ts';
import { decimal, sum } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { insertRows, updateRows } from '../rows.ts';
import { draftLines, draftsOf, hasPassed, lockRun, passStep } from './run.ts';
import { loadTaxContexts, ratesOfLines } from './tax-context.ts';

/** RO3: taxes the drafts of a run, line by line and by rate. Done again it changes nothing; with `anew` it computes again. */
export async function applyTaxStep(tx: Tx, runId: string, options: { anew?: boolean } = {}): Promise<void> {
  const run = await lockRun(tx, runId);
  if (hasPassed(run, 'TAX') && options.anew !== true) return;
  const drafts = await draftsOf(tx, run.id);
  const ids = drafts.map(({ id }) => id);
  const lines = await draftLines(tx, ids);
  const fixed = await ratesOfLines(
    tx,
    lines.map(({ creditsLineId }) => creditsLineId).filter((id) => id !== null),
  );
  const ownerIds = [...new Set(lines.map(({ ownerId }) => ownerId))];
  const [context] = await loadTaxContexts(tx, [{ ...run, ownerIds }]);
  if (options.anew === true) await clearTaxes(tx, ids);

  const byInvoice = Map.groupBy(lines, ({ invoiceId }) => invoiceId);
  for (const draft of drafts) {
    const own = (byInvoice.get(draft.id) ?? []).map((line) => ({
      ...line,
      amount: decimal(line.amount).minus(line.discount).toFixed(),
      fixedRates: line.creditsLineId === null ? null : (fixed.get(line.creditsLineId) ?? []),
    }));
    const taxed = applyTax({ ...(context as TaxContext), currency: run.currency, rounding: run.rounding, lines: own });
    await writeTaxes(tx, draft.id, taxed);
  }
  await passStep(tx, run.id, 'TAX');
}

async function clearTaxes(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  await tx.db
    .deleteFrom('line_taxes')
    .where('invoiceId', '=', sql<string>`any(${invoiceIds}::text[])`)
    .execute();
  await tx.db
    .deleteFrom('invoice_taxes')
    .where('invoiceId', '=', sql<string>`any(${invoiceIds}::text[])`)
    .execute();
}

async function writeTaxes(
  tx: Tx,
  invoiceId: string,
  taxed: { lines: readonly TaxedLine[]; summary: readonly TaxRow[] },
) {
  await updateRows(
    tx.db,
    'invoice_lines',
    ['taxable', 'taxPercent', 'tax', 'total'],
    taxed.lines.map(({ lineId, taxable, tax, taxPercent }) => ({
      id: lineId,
      taxable,
      tax,
      taxPercent,
      total: sum([taxable, tax]).toFixed(),
    })),
  );
  await insertTaxes(tx, [{ invoiceId, ...taxed }]);
}

/** The rows of the taxes of invoices: of each line, and of each invoice. */
export async function insertTaxes(
  tx: Tx,
  invoices: readonly {
    invoiceId: string;
    lines: readonly { lineId: string; taxes: readonly TaxRow[] }[];
    summary: readonly TaxRow[];
  }[],
): Promise<void> {
  const { tenantId } = tx;
  await insertRows(
    tx.db,
    'line_taxes',
    invoices.flatMap(({ invoiceId, lines }) =>
      lines.flatMap(({ lineId, taxes }) =>
        taxes.map((row, index) => ({ tenantId, lineId, invoiceId, ...taxColumns(row, index) })),
      ),
    ),
  );
  await insertRows(
    tx.db,
    'invoice_taxes',
    invoices.flatMap(({ invoiceId, summary }) =>
      summary.map((row, index) => ({ tenantId, invoiceId, ...taxColumns(row, index) })),
    ),
  );
}

const taxColumns = ({ code, name, percent, base, amount, reason }: TaxRow, index: number) => ({
  position: index + 1,
  code,
  name,
  percent,
  base,
  amount,
  reason,
});
