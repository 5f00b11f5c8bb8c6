import type { Instant } from '../calendar.ts';
import { BillingError } from '../errors.ts';
import { Decimal, decimal, toAmount, type DecimalString } from '../money.ts';

/** Priority of a grant that was given none; lower ones are spent first. */
export const DEFAULT_PRIORITY = 100;

/** What the legal entity owes a customer. It settles a total; it never lowers a taxable base. */
export interface Grant {
  readonly id: string;
  /** PAID, PROMOTIONAL, GIFT_CARD or REFUND. */
  readonly kind: string;
  readonly currency: string;
  /** Unspent part, >= 0, whole minor units. */
  readonly remaining: DecimalString;
  readonly priority: number;
  /** The first instant at which it is void; null when it never expires. */
  readonly expiresAt: Instant | null;
  readonly createdAt: Instant;
}

/** What one grant paid, > 0. */
export interface AppliedCredit {
  readonly grantId: string;
  readonly kind: string;
  readonly amount: DecimalString;
}

/**
 * Spends the payer's grants on a total (RO5): lowest priority first, then the soonest to expire (never comes last), then
 * the oldest, then by id. Grants in another currency are left alone.
 *
 * @param input.due  Unpaid total including tax, >= 0.
 * @param input.asOf Issue instant; grants void by then are skipped.
 * @returns          What each grant paid and what is left: together they add up to `due`.
 * @throws           `credit.due_negative`: owing money to the customer is a grant or a credit note.
 * @see              EN 16931, BR-CO-16: amount due = total with VAT - paid amount + rounding.
 */
export function applyCredits(input: {
  due: DecimalString;
  currency: string;
  asOf: Instant;
  grants: readonly Grant[];
}): { applied: AppliedCredit[]; due: DecimalString } {
  let due = decimal(input.due);
  if (due.lt(0)) throw new BillingError('credit.due_negative', `Amount due is ${input.due}.`);

  const applied: AppliedCredit[] = [];
  for (const grant of input.grants.filter(isUsable(input)).toSorted(byUrgency)) {
    const amount = Decimal.min(due, decimal(grant.remaining));
    if (amount.lte(0)) continue;
    applied.push({ grantId: grant.id, kind: grant.kind, amount: toAmount(amount, input.currency) });
    due = due.minus(amount);
  }
  return { applied, due: toAmount(due, input.currency) };
}

const isUsable =
  ({ currency, asOf }: { currency: string; asOf: Instant }) =>
  (grant: Grant) =>
    grant.currency === currency && (grant.expiresAt === null || grant.expiresAt > asOf);

const byUrgency = (a: Grant, b: Grant): number =>
  a.priority - b.priority ||
  compareText(a.expiresAt ?? NEVER, b.expiresAt ?? NEVER) ||
  compareText(a.createdAt, b.createdAt) ||
  compareText(a.id, b.id);

/** After every instant, as text. */
const NEVER = '~';

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
