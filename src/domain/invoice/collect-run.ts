import { type CalendarDate, type Instant, localDate } from '../calendar.ts';
import { isCurrency } from '../currency.ts';
import { BillingError } from '../errors.ts';
import { type DecimalString, type RoundingMode, toAmount, toPlain } from '../money.ts';
import {
  billableSpan,
  type BillableItem,
  type BillingEvent,
  collectItem,
  type ItemCollection,
} from '../subscription/collect-item.ts';
import { type ChargedLine, creditUnused } from '../subscription/unused-credit.ts';
import type { LineDraft } from './line-draft.ts';
import { creditLine, type LineContext, type LineSource, periodLine, pricing, setupLine } from './price-line.ts';

/** A subscription that is a member of the group at the event. */
export interface MemberSubscription {
  readonly subscriptionId: string;
  readonly ownerId: string;
  readonly planName: string | null;
  /** G5: its recurring lines get an invoice of their own. */
  readonly hasShippingAddress: boolean;
  readonly items: readonly BillableItem[];
}

/** A one-time charge that no invoice has taken yet. */
export interface WaitingCharge {
  readonly chargeId: string;
  readonly ownerId: string;
  readonly description: string;
  readonly quantity: DecimalString;
  readonly unitAmount: DecimalString;
  readonly amount: DecimalString;
  readonly taxCode: string | null;
  /** Local date from which it is due. */
  readonly chargeOn: CalendarDate;
}

/** Everything that collecting needs; loaded in a handful of statements. */
export interface RunFacts {
  readonly event: BillingEvent;
  readonly currency: string;
  readonly rounding: RoundingMode;
  /** Accounts in the order of RO1: payer first, then the tree depth first, delegated owners last. */
  readonly accountOrder: readonly string[];
  /** In order of creation. */
  readonly members: readonly MemberSubscription[];
  /** In order of creation. */
  readonly charges: readonly WaitingCharge[];
  /** Lines whose time may have to be given back, oldest period first. */
  readonly chargedLines: readonly ChargedLine[];
}

/** The new state of an item after the event. */
export interface ItemProgress {
  readonly itemId: string;
  readonly billedThroughAt: Instant | null;
  readonly phaseKey: string | null;
  readonly phaseIndex: number | null;
  readonly finished: boolean;
}

export interface CollectedInvoice {
  /** The subscription that is split off (G5), or null for the rollup. */
  readonly splitSubscriptionId: string | null;
  readonly lines: readonly LineDraft[];
}

export interface CollectedRun {
  /** The rollup first; an invoice without a line does not exist. */
  readonly invoices: readonly CollectedInvoice[];
  readonly progress: readonly ItemProgress[];
  readonly members: readonly { readonly subscriptionId: string; readonly outcome: 'COLLECTED' | 'NOTHING_DUE' }[];
}

/** Lines that stay on the rollup although their subscription ships somewhere (G5): they are one-time. */
const ON_ROLLUP = new Set<LineDraft['kind']>(['SETUP', 'ONE_TIME']);

/**
 * RO1: what an event bills, line by line, in the order of the document. Pure: the same facts give the same lines, for a
 * preview as for an invoice (RN8).
 */
export function collectRun(facts: RunFacts): CollectedRun {
  if (!isCurrency(facts.currency)) {
    throw new BillingError(
      'run.currency_retired',
      `Nothing can be issued in ${facts.currency}, which this release does not count among the currencies in use. Install one that does, then resume the group.`,
    );
  }
  const context: LineContext = {
    currency: facts.currency,
    rounding: facts.rounding,
    timezone: facts.event.timezone,
  };
  const shared: Shared = {
    context,
    event: facts.event,
    priced: pricing(context),
    chargedByItem: Map.groupBy(facts.chargedLines, ({ itemId }) => itemId),
  };
  const collected = facts.members.map((member) => ({ member, ...collectMember(member, shared) }));
  const dueCharges = facts.charges.filter(({ chargeOn }) => chargeOn <= facts.event.date);
  const rank = new Map(facts.accountOrder.map((customerId, index) => [customerId, index]));
  const rankOf = (line: LineDraft): number => rank.get(line.ownerId) ?? facts.accountOrder.length;
  const lines = [
    ...collected.flatMap((one) => one.lines),
    ...dueCharges.map((charge) => chargeLine(charge, facts.currency)),
  ].toSorted((a, b) => rankOf(a) - rankOf(b));
  return {
    invoices: splitInvoices(lines, facts.members),
    progress: collected.flatMap(({ progress }) => progress),
    members: collected.map(({ member, lines: { length } }) => ({
      subscriptionId: member.subscriptionId,
      outcome: length > 0 ? ('COLLECTED' as const) : ('NOTHING_DUE' as const),
    })),
  };
}

/** What all items of a run have in common. */
interface Shared {
  readonly context: LineContext;
  readonly event: BillingEvent;
  readonly priced: ReturnType<typeof pricing>;
  readonly chargedByItem: ReadonlyMap<string, readonly ChargedLine[]>;
}

function collectMember(member: MemberSubscription, shared: Shared): { lines: LineDraft[]; progress: ItemProgress[] } {
  const lines: LineDraft[] = [];
  const progress: ItemProgress[] = [];
  for (const item of member.items) {
    const collection = collectItem(item, shared.event);
    lines.push(...itemLines(item, collection, member, shared));
    if (hasMoved(item, collection)) progress.push(progressOf(item, collection));
  }
  return { lines, progress };
}

function itemLines(
  item: BillableItem,
  { charges, setup }: ItemCollection,
  member: MemberSubscription,
  { context, event, priced, chargedByItem }: Shared,
): LineDraft[] {
  const source: LineSource = {
    subscriptionId: member.subscriptionId,
    itemId: item.itemId,
    ownerId: member.ownerId,
    planName: member.planName,
    proration: item.proration,
  };
  if (setup !== null) return [setupLine(setup, billableSpan(item, context.timezone).start, source, context)];
  return [
    ...creditLines(item, chargedByItem.get(item.itemId) ?? [], source, context, event.date),
    ...charges.map((charge) => periodLine(charge, source, priced)),
  ];
}

/** RP5, when an item ended before what was billed for it. */
function creditLines(
  item: BillableItem,
  charged: readonly ChargedLine[],
  source: LineSource,
  context: LineContext,
  date: CalendarDate,
): LineDraft[] {
  const { end } = billableSpan(item, context.timezone);
  const terms = item.terms.at(-1);
  const isOver = end !== null && localDate(end, context.timezone) <= date;
  if (!isOver || terms === undefined || item.billedThroughAt === null || item.billedThroughAt <= end) return [];
  return charged
    .map((line) => creditUnused({ ...context, line, endAt: end, proration: item.proration }))
    .filter((credit) => credit !== null)
    .map((credit) => creditLine(credit, terms, source));
}

const chargeLine = (charge: WaitingCharge, currency: string): LineDraft => ({
  kind: 'ONE_TIME',
  claim: { kind: 'ONE_TIME', chargeId: charge.chargeId },
  description: charge.description,
  subscriptionId: null,
  itemId: null,
  termsVersion: null,
  priceCode: null,
  chargeId: charge.chargeId,
  ownerId: charge.ownerId,
  periodStart: null,
  periodEnd: null,
  taxPoint: charge.chargeOn,
  taxCode: charge.taxCode,
  taxInclusive: false,
  quantity: toPlain(charge.quantity),
  unitAmount: toPlain(charge.unitAmount),
  amount: toAmount(charge.amount, currency),
  creditsLineId: null,
  explanation: [`${toPlain(charge.quantity)} × ${toPlain(charge.unitAmount)} = ${toAmount(charge.amount, currency)}`],
});

/** The rollup, then one invoice for each subscription with a shipping address, in order of its first line (G5). */
function splitInvoices(lines: readonly LineDraft[], members: readonly MemberSubscription[]): CollectedInvoice[] {
  const shipped = new Set(members.filter(({ hasShippingAddress }) => hasShippingAddress).map((m) => m.subscriptionId));
  const splitOf = (line: LineDraft): string | null =>
    line.subscriptionId !== null && shipped.has(line.subscriptionId) && !ON_ROLLUP.has(line.kind)
      ? line.subscriptionId
      : null;
  const bySplit = Map.groupBy(lines, splitOf);
  const rollup = bySplit.get(null) ?? [];
  const splits = [...bySplit].filter(([splitSubscriptionId]) => splitSubscriptionId !== null);
  return [
    ...(rollup.length > 0 ? [{ splitSubscriptionId: null, lines: rollup }] : []),
    ...splits.map(([splitSubscriptionId, own]) => ({ splitSubscriptionId, lines: own })),
  ];
}

const hasMoved = (item: BillableItem, collection: ItemCollection): boolean =>
  collection.finished ||
  collection.billedThroughAt !== item.billedThroughAt ||
  collection.phase?.key !== item.phase?.key;

const progressOf = (item: BillableItem, { billedThroughAt, phase, finished }: ItemCollection): ItemProgress => ({
  itemId: item.itemId,
  billedThroughAt,
  phaseKey: phase?.key ?? null,
  phaseIndex: phase?.index ?? null,
  finished,
});
