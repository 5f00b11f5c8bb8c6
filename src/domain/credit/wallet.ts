import { type Instant, later } from '../calendar.ts';
import { decimal, type DecimalString, sum, toAmount } from '../money.ts';

/** A grant with its history's first entry. */
export interface WalletGrant {
  readonly id: string;
  readonly kind: string;
  readonly currency: string;
  /** As granted, > 0. */
  readonly amount: DecimalString;
  /** amount − what is reserved or applied, >= 0. */
  readonly remaining: DecimalString;
  readonly priority: number;
  /** The first instant at which what remains is void; null when it never expires. */
  readonly expiresAt: Instant | null;
  /** The invoice whose surplus it was (RO4). */
  readonly sourceInvoiceId: string | null;
  readonly createdAt: Instant;
}

/** What an invoice holds, or held, of a grant. */
export interface CreditUse {
  readonly grantId: string;
  readonly invoiceId: string;
  readonly amount: DecimalString;
  /** RESERVED by a draft, CAPTURED by an issued invoice, RELEASED by its void. */
  readonly status: 'RESERVED' | 'CAPTURED' | 'RELEASED';
  readonly reservedAt: Instant;
  readonly settledAt: Instant | null;
}

type WalletTransactionType = 'GRANTED' | 'RESERVED' | 'APPLIED' | 'RELEASED' | 'EXPIRED';

/** One thing that happened to a wallet. */
interface WalletTransaction {
  readonly type: WalletTransactionType;
  readonly at: Instant;
  readonly grantId: string;
  /** The invoice that it came from, or that used it; null for a grant made by hand and for expiry. */
  readonly invoiceId: string | null;
  readonly currency: string;
  /** What it did to the balance, in major units: GRANTED and RELEASED above 0, the others below. */
  readonly amount: DecimalString;
}

export interface Wallet {
  /** By currency, each in its minor digits: what can be spent at the instant. Sorted by code. */
  readonly balances: { readonly currency: string; readonly amount: DecimalString }[];
  /** Oldest first; those of one instant in the order of their grants. */
  readonly transactions: WalletTransaction[];
}

/**
 * What a customer can spend at an instant, and how it came to that (A2).
 *
 * The transactions of a currency add up to its balance. What remains of a grant expires at `expiresAt`, or when a void gives
 * some of it back later than that. A draft's reservation is RESERVED until the draft is issued, then APPLIED.
 *
 * @param input.asOf *Now* by the customer's clock; a grant that expires at that very instant is void.
 */
export function walletOf(input: {
  readonly grants: readonly WalletGrant[];
  readonly uses: readonly CreditUse[];
  readonly asOf: Instant;
}): Wallet {
  const usesOf = Map.groupBy(input.uses, ({ grantId }) => grantId);
  const transactions = input.grants
    .flatMap((grant) => historyOf(grant, usesOf.get(grant.id) ?? [], input.asOf))
    .toSorted((a, b) => compareText(a.at, b.at));
  return { balances: balancesOf(input.grants, input.asOf), transactions };
}

/** Whether a grant is void at an instant. */
export const isExpired = (grant: Pick<WalletGrant, 'expiresAt'>, asOf: Instant): boolean =>
  grant.expiresAt !== null && grant.expiresAt <= asOf;

function balancesOf(grants: readonly WalletGrant[], asOf: Instant): Wallet['balances'] {
  const byCurrency = Map.groupBy(grants, ({ currency }) => currency);
  return [...byCurrency]
    .map(([currency, own]) => {
      const spendable = own.filter((grant) => !isExpired(grant, asOf)).map(({ remaining }) => remaining);
      return { currency, amount: toAmount(sum(spendable), currency) };
    })
    .toSorted((a, b) => compareText(a.currency, b.currency));
}

function historyOf(grant: WalletGrant, uses: readonly CreditUse[], asOf: Instant): WalletTransaction[] {
  const granted = entry(grant, 'GRANTED', grant.createdAt, grant.sourceInvoiceId, grant.amount);
  return [granted, ...uses.flatMap((use) => entriesOfUse(grant, use)), ...expiryOf(grant, uses, asOf)];
}

function entriesOfUse(grant: WalletGrant, use: CreditUse): WalletTransaction[] {
  const { invoiceId, reservedAt, amount, status } = use;
  const settledAt = use.settledAt ?? reservedAt;
  switch (status) {
    case 'RESERVED':
      return [entry(grant, 'RESERVED', reservedAt, invoiceId, amount)];
    case 'CAPTURED':
      return [entry(grant, 'APPLIED', settledAt, invoiceId, amount)];
    case 'RELEASED':
      return [
        entry(grant, 'APPLIED', reservedAt, invoiceId, amount),
        entry(grant, 'RELEASED', settledAt, invoiceId, amount),
      ];
  }
}

function expiryOf(grant: WalletGrant, uses: readonly CreditUse[], asOf: Instant): WalletTransaction[] {
  if (grant.expiresAt === null || !isExpired(grant, asOf) || decimal(grant.remaining).isZero()) return [];
  const released = uses.filter(({ status }) => status === 'RELEASED').map(({ settledAt }) => settledAt ?? '');
  return [entry(grant, 'EXPIRED', released.reduce(later, grant.expiresAt), null, grant.remaining)];
}

const RAISES: Readonly<Record<WalletTransactionType, boolean>> = {
  GRANTED: true,
  RESERVED: false,
  APPLIED: false,
  RELEASED: true,
  EXPIRED: false,
};

function entry(
  { id, currency }: WalletGrant,
  type: WalletTransactionType,
  at: Instant,
  invoiceId: string | null,
  magnitude: DecimalString,
): WalletTransaction {
  const amount = toAmount(RAISES[type] ? decimal(magnitude) : decimal(magnitude).neg(), currency);
  return { type, at, grantId: id, invoiceId, currency, amount };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
