import { randomBytes } from 'node:crypto';
import type { Instant } from '../../domain/calendar.ts';
import type { CollectedRun, ItemProgress } from '../../domain/invoice/collect-run.ts';
import type { LineDraft } from '../../domain/invoice/line-draft.ts';
import type { SettledLine, Settlement } from '../../domain/invoice/settle.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { insertRows, updateRows } from '../rows.ts';
import type { LockedRun } from './run.ts';

/** An invoice of a run before it has a number. */
export interface InvoiceDraft {
  readonly id: string;
  readonly run: LockedRun;
  /** The rollup is first. */
  readonly position: number;
  readonly splitSubscriptionId: string | null;
  readonly lines: readonly DraftLine[];
  /** Null while the steps after collecting are still to come. */
  readonly settlement: Settlement | null;
}

interface DraftLine {
  readonly id: string;
  readonly line: LineDraft;
}

/** Gives the invoices and lines that a run collected their ids. */
export const draftsOfRun = (run: LockedRun, collected: CollectedRun, settlements?: readonly Settlement[]) =>
  collected.invoices.map(({ splitSubscriptionId, lines }, position): InvoiceDraft => ({
    id: newId('inv'),
    run,
    position,
    splitSubscriptionId,
    lines: lines.map((line) => ({ id: newId('lin'), line })),
    settlement: settlements?.[position] ?? null,
  }));

/** Writes what runs collected: drafts, lines, the claims on what they bill, members (G12), and how far each item is billed. */
export async function storeCollected(
  tx: Tx,
  runs: readonly { run: LockedRun; collected: CollectedRun; drafts: readonly InvoiceDraft[] }[],
): Promise<void> {
  const drafts = runs.flatMap((one) => one.drafts);
  await insertRows(
    tx.db,
    'invoices',
    drafts.map((draft) => draftRow(tx, draft)),
  );
  await storeLines(
    tx,
    drafts.flatMap(({ run, id: invoiceId, lines, settlement }) =>
      lines.map(({ id, line }, index) => ({
        run,
        id,
        line,
        invoiceId,
        position: index + 1,
        settled: settlement?.lines[index],
      })),
    ),
  );
  await insertRows(
    tx.db,
    'run_outcomes',
    runs.flatMap(({ run, collected: { members } }) =>
      [...Map.groupBy(members, ({ outcome }) => outcome)].map(([outcome, list]) => ({
        tenantId: tx.tenantId,
        runId: run.id,
        outcome,
        reason: '',
        subscriptionIds: list.map(({ subscriptionId }) => subscriptionId),
      })),
    ),
  );
  await storeProgress(
    tx,
    runs.flatMap(({ collected }) => collected.progress),
  );
}

/** A line with its place on an invoice. */
export interface PlacedLine {
  readonly run: { readonly id: string; readonly now: Instant };
  readonly id: string;
  readonly line: LineDraft;
  readonly invoiceId: string;
  readonly position: number;
  /** Its figures after coupons and tax, when they are known. */
  readonly settled?: SettledLine | undefined;
}

/** Writes lines of drafts, each with the claim that keeps it from being billed again (RN2). */
export async function storeLines(tx: Tx, lines: readonly PlacedLine[]): Promise<void> {
  await insertRows(
    tx.db,
    'invoice_lines',
    lines.map((one) => lineRow(tx, one)),
  );
  await insertRows(
    tx.db,
    'claims',
    lines.map((one) => claimRow(tx, one)),
  );
}

/** Moves items on to where they are billed through now (RP13). */
export async function storeProgress(tx: Tx, progress: readonly ItemProgress[]): Promise<void> {
  await updateRows(
    tx.db,
    'subscription_items',
    ['billedThroughAt', 'phaseKey', 'phaseIndex', 'finished'],
    progress.map(({ itemId, ...columns }) => ({ id: itemId, ...columns })),
  );
}

const UNSETTLED = {
  subtotal: '0',
  discountTotal: '0',
  taxTotal: '0',
  total: '0',
  creditGranted: '0',
  creditsApplied: '0',
  amountDue: '0',
};

const draftRow = (tx: Tx, { id, run, position, splitSubscriptionId, settlement }: InvoiceDraft) => ({
  tenantId: tx.tenantId,
  id,
  runId: run.id,
  kind: run.kind === 'BOUNDARY' ? ('RECURRING' as const) : ('IMMEDIATE' as const),
  status: 'DRAFT' as const,
  billingEntityId: run.billingEntityId,
  payerCustomerId: run.payerCustomerId,
  billingGroupId: run.billingGroupId,
  splitSubscriptionId,
  position,
  currency: run.currency,
  timezone: run.timezone,
  boundaryAt: run.boundaryAt,
  ...sumsOf(settlement ?? UNSETTLED),
  amountPaid: '0',
  hostedToken: randomBytes(24).toString('base64url'),
  createdAt: run.now,
});

/** The figures of an invoice as its row holds them. */
const sumsOf = (sums: typeof UNSETTLED): typeof UNSETTLED => ({
  subtotal: sums.subtotal,
  discountTotal: sums.discountTotal,
  taxTotal: sums.taxTotal,
  total: sums.total,
  creditGranted: sums.creditGranted,
  creditsApplied: sums.creditsApplied,
  amountDue: sums.amountDue,
});

const lineRow = (tx: Tx, { line, id, invoiceId, position, settled }: PlacedLine) => ({
  tenantId: tx.tenantId,
  id,
  invoiceId,
  position,
  kind: line.kind,
  description: line.description,
  subscriptionId: line.subscriptionId,
  itemId: line.itemId,
  termsVersion: line.termsVersion,
  priceCode: line.priceCode,
  chargeId: line.chargeId,
  ownerCustomerId: line.ownerId,
  periodStart: line.periodStart,
  periodEnd: line.periodEnd,
  taxPoint: line.taxPoint,
  taxCode: line.taxCode,
  taxInclusive: line.taxInclusive,
  quantity: line.quantity,
  unitAmount: line.unitAmount,
  amount: line.amount,
  discount: settled?.discount ?? '0',
  taxable: settled?.taxable ?? line.amount,
  taxPercent: settled?.taxPercent ?? '0',
  tax: settled?.tax ?? '0',
  total: settled?.total ?? line.amount,
  creditsLineId: line.creditsLineId,
  explanation: line.explanation,
});

const claimRow = (tx: Tx, { run, line, id, invoiceId }: PlacedLine) => {
  const { claim } = line;
  return {
    tenantId: tx.tenantId,
    id: newId('clm'),
    kind: claim.kind,
    runId: run.id,
    invoiceId,
    lineId: id,
    itemId: 'itemId' in claim ? claim.itemId : null,
    termsVersion: 'termsVersion' in claim ? claim.termsVersion : null,
    periodStart: 'periodStart' in claim ? claim.periodStart : null,
    periodEnd: 'periodEnd' in claim ? claim.periodEnd : null,
    chargeId: 'chargeId' in claim ? claim.chargeId : null,
    creditedLineId: 'creditedLineId' in claim ? claim.creditedLineId : null,
    sequence: 'sequence' in claim ? claim.sequence : 0,
    createdAt: run.now,
  };
};
