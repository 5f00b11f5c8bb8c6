import { collectRun, type CollectedRun, type RunFacts } from '../../domain/invoice/collect-run.ts';
import type { Settlement } from '../../domain/invoice/settle.ts';
import type { Tx } from '../database.ts';
import { insertDiscounts } from './apply-coupons.ts';
import { insertAccounts, reserveCredits } from './apply-credits.ts';
import { insertTaxes } from './apply-tax.ts';
import { moveGroupsOn, payableEvent } from './collect.ts';
import { draftsOfRun, type InvoiceDraft, storeCollected } from './draft-rows.ts';
import { loadFacts } from './event.ts';
import { type ScheduledGroup, scheduledGroup } from './group-state.ts';
import { CAME_TO_ZERO, dropZeroDrafts, IN_REVIEW, isUnwanted } from './issue.ts';
import { endRuns, isOver, type LockedRun, lockRuns, unblockGroups } from './run.ts';
import { sealInvoices } from './seal-invoices.ts';
import { settleInvoices } from './settle-invoices.ts';

/** A run that is to be billed, with its group, whose row is locked; null for one outside any group. */
export interface RunToBill {
  readonly runId: string;
  readonly group: ScheduledGroup | null;
}

/** Told of each part of the work before it begins: long work shows where it is. */
export type Tell = (part: 'collect' | 'settle' | 'store' | 'issue') => void;

/**
 * Carries runs from their cut-off to their numbers in one transaction (RT5, RO1 to RO7, RN1): what the five steps do one after
 * the other, with the same functions on the same facts, but what they would write and read again stays in memory. The
 * statements are the same few for one run of one line as for many runs or thousands of lines.
 *
 * Left alone, for the caller to do otherwise: a run that has steps behind it, one whose entity is suspended, and one that
 * has an account in common with an earlier one: what that takes of coupons and credits has to be seen first.
 *
 * @param runs  in the order in which they are numbered.
 * @returns the ids of the runs that are over or wait for review, and of those to be tried again after this transaction.
 */
export async function billRuns(
  tx: Tx,
  runs: readonly RunToBill[],
  tell: Tell = () => undefined,
): Promise<{ done: string[]; later: string[] }> {
  if (runs.length === 0) return { done: [], later: [] };
  tell('collect');
  const groups = new Map(runs.map(({ runId, group }) => [runId, group]));
  const locked = new Map((await lockRuns(tx, [...groups.keys()])).map((run) => [run.id, run]));
  const inOrder = runs.map(({ runId }) => locked.get(runId)).filter((run) => run !== undefined);
  const fresh = inOrder.filter((run) => run.step === 'OPENED' && !isOver(run) && run.entityStatus !== 'SUSPENDED');
  const facts = await loadFacts(
    tx,
    fresh.map((run) => payableEvent(run, groups.get(run.id) ?? undefined)),
  );
  const { alone, later } = withoutSharedAccounts(fresh.map((run, index) => ({ run, facts: facts[index] as RunFacts })));
  const collected = alone.map((one) => ({ run: one.run, collected: collectRun(one.facts) }));
  tell('settle');
  const settlements = await settleInvoices(
    tx,
    collected.map(({ run, collected: { invoices } }) => ({ ...run, asOf: run.now, invoices })),
    { lock: true },
  );
  const drafted = collected.map((one, index) => ({
    ...one,
    drafts: draftsOfRun(one.run, one.collected, settlements[index] ?? []),
  }));
  tell('store');
  await storeSettled(tx, drafted);
  tell('issue');
  await issueOrHold(tx, drafted);
  const billed = alone.map(({ run }) => run);
  await unblockGroups(
    tx,
    billed.filter(({ id }) => groups.get(id)?.state.status === 'BLOCKED'),
  );
  return { done: billed.map(({ id }) => id), later: later.map(({ run }) => run.id) };
}

interface Candidate {
  readonly run: LockedRun;
  readonly facts: RunFacts;
}

/** Payer and owners of a run: whatever two runs could take from each other belongs to one of them. */
function withoutSharedAccounts(candidates: readonly Candidate[]): { alone: Candidate[]; later: Candidate[] } {
  const seen = new Set<string>();
  const alone: Candidate[] = [];
  const later: Candidate[] = [];
  for (const candidate of candidates) {
    const { payerCustomerId } = candidate.run;
    const owners = [...candidate.facts.members, ...candidate.facts.charges].map(({ ownerId }) => ownerId);
    const accounts = new Set([payerCustomerId, ...owners]);
    const isShared = [...accounts].some((id) => seen.has(id));
    (isShared ? later : alone).push(candidate);
    for (const id of accounts) seen.add(id);
  }
  return { alone, later };
}

interface DraftedRun {
  readonly run: LockedRun;
  readonly collected: CollectedRun;
  readonly drafts: readonly InvoiceDraft[];
}

/** Writes drafts with all their figures, and what they hold of coupons and credits. */
async function storeSettled(tx: Tx, runs: readonly DraftedRun[]): Promise<void> {
  await storeCollected(tx, runs);
  const drafts = runs.flatMap((one) => one.drafts).map((draft) => ({ ...draft, ...placed(draft) }));
  await insertDiscounts(tx, drafts);
  await insertTaxes(tx, drafts);
  await insertAccounts(tx, drafts);
  await reserveCredits(tx, drafts);
  await moveGroupsOn(
    tx,
    runs.map(({ run }) => run),
  );
}

/** The parts of a settlement, which speaks of lines by their places, under the lines' own ids. */
function placed({ id: invoiceId, lines, settlement }: InvoiceDraft) {
  const { discounts, lines: settled, taxes, accounts, credits } = settlement as Settlement;
  const idOf = (place: string): string => lines[Number(place)]?.id ?? '';
  return {
    invoiceId,
    shares: discounts.shares.map((share) => ({ ...share, lineId: idOf(share.lineId) })),
    taken: discounts.taken,
    lines: settled.map((line) => ({ lineId: idOf(line.id), taxes: line.taxes })),
    summary: taxes,
    accounts,
    applied: credits,
  };
}

/** Numbers and seals what may be issued; leaves what somebody wants to look at before as drafts (RN9). */
async function issueOrHold(tx: Tx, runs: readonly DraftedRun[]): Promise<void> {
  const isHeld = ({ run, drafts }: DraftedRun): boolean => run.invoicingFlow === 'REVIEW' && drafts.length > 0;
  const held = runs.filter(isHeld);
  const settled = runs.filter((one) => !isHeld(one));
  const sealable = settled.flatMap(({ drafts }) => drafts.map(toSealable));
  await dropZeroDrafts(
    tx,
    sealable.filter((draft) => isUnwanted(draft.run, draft)).map(({ id }) => id),
  );
  await sealInvoices(
    tx,
    sealable.filter((draft) => !isUnwanted(draft.run, draft)),
  );
  const outcome = ({ run, drafts }: DraftedRun) => {
    if (drafts.length === 0) return { run, status: 'EMPTY' as const, reason: 'NOTHING_DUE' };
    return drafts.map(toSealable).every((draft) => isUnwanted(run, draft))
      ? { run, status: 'EMPTY' as const, reason: CAME_TO_ZERO }
      : { run, status: 'ISSUED' as const, reason: null };
  };
  await endRuns(tx, [
    ...settled.map((one) => ({ ...outcome(one), step: 'ISSUED' as const })),
    ...held.map(({ run }) => ({ run, status: 'WAITING' as const, reason: IN_REVIEW, step: 'CREDITS' as const })),
  ]);
}

const toSealable = ({ id, run, settlement }: InvoiceDraft) => {
  const { total, creditGranted, creditsApplied, amountDue, lines } = settlement as Settlement;
  return { id, run, total, creditGranted, creditsApplied, amountDue, lines };
};

/**
 * Carries one run from its cut-off to its number in one transaction.
 *
 * @returns whether it did: false for a run that has steps behind it, is over, or waits for its entity.
 */
export async function billRun(tx: Tx, runId: string, tell?: Tell): Promise<boolean> {
  const run = await tx.db
    .selectFrom('billing_runs')
    .where('id', '=', runId)
    .select('billingGroupId')
    .executeTakeFirst();
  const groupId = run?.billingGroupId ?? null;
  const group = groupId === null ? null : await scheduledGroup(tx, groupId, { lock: 'update' });
  const { done } = await billRuns(tx, [{ runId, group }], tell);
  return done.length > 0;
}
