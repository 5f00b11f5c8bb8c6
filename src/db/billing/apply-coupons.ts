import { sql } from 'kysely';
import {
  applyCoupons,
  type DiscountableLine,
  type DiscountShare,
  type TakenDiscount,
} from '../../domain/coupon/discount.ts';
import type { Instant } from '../../domain/calendar.ts';
import { decimal, sum } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { insertRows, updateRows } from '../rows.ts';
import { afterTaking, loadRedemptions } from './redemptions.ts';
import { draftLines, draftsOf, hasPassed, type LockedRun, lockRun, passStep } from './run.ts';

/**
 * RO2: takes coupons off the drafts of a run and reserves their cycles (RN9). Done again it changes nothing; with
 * `anew` it releases what it reserved and computes again, as sealing a reviewed draft does.
 */
export async function applyCouponsStep(tx: Tx, runId: string, options: { anew?: boolean } = {}): Promise<void> {
  const run = await lockRun(tx, runId);
  if (hasPassed(run, 'COUPONS') && options.anew !== true) return;
  const drafts = await draftsOf(tx, run.id);
  const ids = drafts.map(({ id }) => id);
  const lines = await draftLines(tx, ids);
  if (options.anew === true) await clearDiscounts(tx, run.id, ids);

  const byInvoice = Map.groupBy(lines, ({ invoiceId }) => invoiceId);
  let redemptions = await loadRedemptions(tx, lines, { exceptRunId: run.id, lock: true });
  for (const draft of drafts) {
    const own: DiscountableLine[] = byInvoice.get(draft.id) ?? [];
    const { shares, taken } = applyCoupons({ currency: run.currency, rounding: run.rounding, lines: own, redemptions });
    await writeDiscounts(tx, run, draft.id, own, shares, taken);
    redemptions = afterTaking(redemptions, taken);
  }
  await passStep(tx, run.id, 'COUPONS');
}

async function clearDiscounts(tx: Tx, runId: string, invoiceIds: readonly string[]): Promise<void> {
  await tx.db
    .deleteFrom('line_discounts')
    .where('invoiceId', '=', sql<string>`any(${invoiceIds}::text[])`)
    .execute();
  await tx.db.deleteFrom('coupon_reservations').where('runId', '=', runId).where('status', '=', 'RESERVED').execute();
}

async function writeDiscounts(
  tx: Tx,
  run: LockedRun,
  invoiceId: string,
  lines: readonly DiscountableLine[],
  shares: readonly DiscountShare[],
  taken: readonly TakenDiscount[],
): Promise<void> {
  await insertDiscounts(tx, [{ run, invoiceId, shares, taken }]);
  const sharesOf = Map.groupBy(shares, ({ lineId }) => lineId);
  const rows = lines.map((line) => {
    const discount = sum((sharesOf.get(line.id) ?? []).map(({ amount }) => amount));
    const left = decimal(line.amount).minus(discount).toFixed();
    return { id: line.id, discount: discount.toFixed(), taxable: left, total: left };
  });
  await updateRows(tx.db, 'invoice_lines', ['discount', 'taxable', 'total'], rows);
}

/** The rows of what coupons took off invoices, and of the cycles that they hold until these are issued (RN9). */
export async function insertDiscounts(
  tx: Tx,
  invoices: readonly {
    run: { id: string; now: Instant };
    invoiceId: string;
    shares: readonly DiscountShare[];
    taken: readonly TakenDiscount[];
  }[],
): Promise<void> {
  const { tenantId } = tx;
  await insertRows(
    tx.db,
    'line_discounts',
    invoices.flatMap(({ invoiceId, shares }) => shares.map((share) => ({ tenantId, invoiceId, ...share }))),
  );
  await insertRows(
    tx.db,
    'coupon_reservations',
    invoices.flatMap(({ run, invoiceId, taken }) =>
      taken.map((one) => ({
        tenantId,
        invoiceId,
        runId: run.id,
        ...one,
        status: 'RESERVED' as const,
        reservedAt: run.now,
      })),
    ),
  );
}
