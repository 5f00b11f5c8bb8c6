import { randomBytes } from 'node:crypto';
import { ENTITY_SUSPENDED } from '../../domain/billing-group/plan.ts';
import { type Instant, localDate } from '../../domain/calendar.ts';
import { type CollectedRun, collectRun, type ItemProgress, type RunFacts } from '../../domain/invoice/collect-run.ts';
import type { LineDraft } from '../../domain/invoice/line-draft.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { insertRows, updateRows } from '../rows.ts';
import { eventOf, type EventScope, loadRunFacts } from './event.ts';
import { loadAccountOrder, loadCharges } from './facts.ts';
import { loadGroups } from './group-state.ts';
import { hasPassed, type LockedRun, lockRun, passStep, setRunStatus, unblockGroup } from './run.ts';

/** What the workflow needs to know of a collected run. */
export interface CollectOutcome {
  /** GO_ON: there are drafts to finish. DONE: nothing was due. WAIT: the entity is suspended. */
  readonly outcome: 'GO_ON' | 'DONE' | 'WAIT';
  readonly memberCount: number;
}

/**
 * The first step of a run and its cut-off (RT5): locks the group, takes what is due, writes drafts, lines and claims, moves
 * the items on, and records each member (G12). One transaction; done again it changes nothing.
 */
export async function collectCharges(tx: Tx, runId: string): Promise<CollectOutcome> {
  const peek = await tx.db
    .selectFrom('billing_runs')
    .where('id', '=', runId)
    .select('billingGroupId')
    .executeTakeFirst();
  const groupId = peek?.billingGroupId ?? null;
  const [group] = groupId === null ? [] : await loadGroups(tx, [groupId], { lock: 'update' });
  const run = await lockRun(tx, runId);
  if (isOver(run)) return { outcome: 'DONE', memberCount: 0 };
  if (run.entityStatus === 'SUSPENDED') {
    await setRunStatus(tx, run, 'WAITING', ENTITY_SUSPENDED);
    return { outcome: 'WAIT', memberCount: 0 };
  }
  if (hasPassed(run, 'COLLECTED')) {
    await setRunStatus(tx, run, 'OPEN');
    return { outcome: 'GO_ON', memberCount: 0 };
  }

  const facts =
    group === undefined
      ? await groupless(tx, run)
      : await loadRunFacts(tx, group, eventOf(group, run.boundaryAt), run.scope);
  const collected = collectRun(facts);
  await writeCollected(tx, run, collected);
  await tx.db
    .updateTable('billing_runs')
    .set({ cutOffAt: run.now, step: 'COLLECTED', failures: 0 })
    .where('id', '=', run.id)
    .execute();
  if (group !== undefined && run.boundaryAt !== null) await moveGroupOn(tx, group.groupId, run.boundaryAt);
  if (collected.invoices.length > 0) {
    await setRunStatus(tx, run, 'OPEN');
    return { outcome: 'GO_ON', memberCount: facts.members.length };
  }
  await passStep(tx, run.id, 'ISSUED');
  await setRunStatus(tx, run, 'EMPTY', 'NOTHING_DUE');
  await unblockGroup(tx, run);
  return { outcome: 'DONE', memberCount: facts.members.length };
}

const isOver = (run: LockedRun): boolean =>
  run.status === 'ISSUED' || run.status === 'EMPTY' || run.status === 'SKIPPED';

/** An IMMEDIATE charge of a payer who needs no group: the one line, by the entity's zone. */
async function groupless(tx: Tx, run: LockedRun): Promise<RunFacts> {
  const scope: EventScope = run.scope;
  const charges = await loadCharges(tx, { chargeId: scope?.chargeId ?? '' });
  return {
    event: {
      mode: 'MID_CYCLE',
      groupId: '',
      versions: [],
      timezone: run.timezone,
      at: run.now,
      date: localDate(run.now, run.timezone),
      nextBoundaryAt: run.now,
      lastBoundaryAt: null,
    },
    currency: run.currency,
    rounding: run.rounding,
    members: [],
    charges,
    chargedLines: [],
    accountOrder: await loadAccountOrder(
      tx,
      run.payerCustomerId,
      charges.map(({ ownerId }) => ownerId),
    ),
  };
}

async function writeCollected(tx: Tx, run: LockedRun, collected: CollectedRun): Promise<void> {
  const drafts = collected.invoices.map((invoice, position) => ({ ...invoice, position, id: newId('inv') }));
  await insertRows(
    tx.db,
    'invoices',
    drafts.map((draft) => draftRow(tx, run, draft)),
  );
  await storeLines(
    tx,
    run,
    drafts.flatMap((draft) => draft.lines.map((line, index) => ({ line, invoiceId: draft.id, position: index + 1 }))),
  );
  await insertRows(
    tx.db,
    'run_members',
    collected.members.map((member) => ({ tenantId: tx.tenantId, runId: run.id, ...member, reason: null })),
  );
  await storeProgress(tx, collected.progress);
}

/** Writes lines of drafts, each with the claim that keeps it from being billed again (RN2). */
export async function storeLines(
  tx: Tx,
  run: { id: string; now: Instant },
  placed: readonly { line: LineDraft; invoiceId: string; position: number }[],
): Promise<void> {
  const lines = placed.map((one) => ({ ...one, id: newId('lin') }));
  await insertRows(
    tx.db,
    'invoice_lines',
    lines.map((one) => lineRow(tx, one)),
  );
  await insertRows(
    tx.db,
    'claims',
    lines.map((one) => claimRow(tx, run, one)),
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

const draftRow = (
  tx: Tx,
  run: LockedRun,
  draft: { id: string; position: number; splitSubscriptionId: string | null },
) => ({
  tenantId: tx.tenantId,
  id: draft.id,
  runId: run.id,
  kind: run.kind === 'BOUNDARY' ? ('RECURRING' as const) : ('IMMEDIATE' as const),
  status: 'DRAFT' as const,
  billingEntityId: run.billingEntityId,
  payerCustomerId: run.payerCustomerId,
  billingGroupId: run.billingGroupId,
  splitSubscriptionId: draft.splitSubscriptionId,
  position: draft.position,
  currency: run.currency,
  timezone: run.timezone,
  boundaryAt: run.boundaryAt,
  subtotal: '0',
  discountTotal: '0',
  taxTotal: '0',
  total: '0',
  creditGranted: '0',
  creditsApplied: '0',
  amountPaid: '0',
  amountDue: '0',
  hostedToken: randomBytes(24).toString('base64url'),
  createdAt: run.now,
});

interface PlacedLine {
  readonly line: LineDraft;
  readonly id: string;
  readonly invoiceId: string;
  readonly position: number;
}

const lineRow = (tx: Tx, { line, id, invoiceId, position }: PlacedLine) => ({
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
  discount: '0',
  taxable: line.amount,
  taxPercent: '0',
  tax: '0',
  total: line.amount,
  creditsLineId: line.creditsLineId,
  explanation: [...line.explanation],
});

const claimRow = (tx: Tx, run: { id: string; now: Instant }, { line, id, invoiceId }: PlacedLine) => {
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

/** From the cut-off on, what is dated by this boundary and comes later waits for the next event. */
const moveGroupOn = (tx: Tx, groupId: string, boundaryAt: string) =>
  tx.db
    .updateTable('billing_groups')
    .set({ lastBoundaryAt: boundaryAt })
    .where('id', '=', groupId)
    .where((where) => where.or([where('lastBoundaryAt', 'is', null), where('lastBoundaryAt', '<', boundaryAt)]))
    .execute();
