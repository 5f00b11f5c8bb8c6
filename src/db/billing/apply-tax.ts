import { sql } from 'kysely';
import { applyTax, type TaxedLine, type TaxRow } from '../../domain/tax/tax-lines.ts';
import { decimal, sum } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { insertRows, updateRows } from '../rows.ts';
import { draftLines, draftsOf, hasPassed, lockRun, passStep } from './run.ts';
import { loadTaxContext, ratesOfLines } from './tax-context.ts';

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
  const context = await loadTaxContext(tx, { ...run, taxAddress: await taxAddressOf(tx, run.billingGroupId) }, [
    ...new Set(lines.map(({ ownerId }) => ownerId)),
  ]);
  if (options.anew === true) await clearTaxes(tx, ids);

  const byInvoice = Map.groupBy(lines, ({ invoiceId }) => invoiceId);
  for (const draft of drafts) {
    const own = (byInvoice.get(draft.id) ?? []).map((line) => ({
      ...line,
      amount: decimal(line.amount).minus(line.discount).toFixed(),
      fixedRates: line.creditsLineId === null ? null : (fixed.get(line.creditsLineId) ?? []),
    }));
    const taxed = applyTax({ ...context, currency: run.currency, rounding: run.rounding, lines: own });
    await writeTaxes(tx, draft.id, taxed);
  }
  await passStep(tx, run.id, 'TAX');
}

/** A charge outside any group is taxed by its payer's address. */
export async function taxAddressOf(tx: Tx, groupId: string | null): Promise<'PAYER' | 'OWNER'> {
  if (groupId === null) return 'PAYER';
  const { taxAddress } = await tx.db
    .selectFrom('billing_groups')
    .where('id', '=', groupId)
    .select('taxAddress')
    .executeTakeFirstOrThrow();
  return taxAddress;
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
  { lines, summary }: { lines: readonly TaxedLine[]; summary: readonly TaxRow[] },
): Promise<void> {
  const { tenantId } = tx;
  await updateRows(
    tx.db,
    'invoice_lines',
    ['taxable', 'taxPercent', 'tax', 'total'],
    lines.map(({ lineId, taxable, tax, taxPercent }) => ({
      id: lineId,
      taxable,
      tax,
      taxPercent,
      total: sum([taxable, tax]).toFixed(),
    })),
  );
  await insertRows(
    tx.db,
    'line_taxes',
    lines.flatMap(({ lineId, taxes }) =>
      taxes.map((row, index) => ({ tenantId, lineId, invoiceId, ...taxColumns(row, index) })),
    ),
  );
  await insertRows(
    tx.db,
    'invoice_taxes',
    summary.map((row, index) => ({ tenantId, invoiceId, ...taxColumns(row, index) })),
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
