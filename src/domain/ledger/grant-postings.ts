import { type DecimalString, toAmount } from '../money.ts';
import { LEDGER_ACCOUNTS } from './postings.ts';

/** PAID for money, PROMOTIONAL for nothing, GIFT_CARD for a card sold before, REFUND for what was charged. */
export type GrantKind = 'PAID' | 'PROMOTIONAL' | 'GIFT_CARD' | 'REFUND';

/** What a grant is debited to, by its kind; the customer's credit is the other side. */
const GRANT_ACCOUNTS = {
  /** Money received. */
  PAID: 'CASH',
  /** What promotions cost. */
  PROMOTIONAL: 'PROMOTIONAL_EXPENSE',
  /** A liability that the sale of the card opened: it passes from the card to the customer. */
  GIFT_CARD: 'GIFT_CARDS',
  /** Lowers revenue: it gives back what was earned. */
  REFUND: 'REFUNDS',
} as const satisfies Record<GrantKind, string>;

/** One line of the balanced set, an amount above 0. */
export interface GrantPosting {
  readonly account: (typeof GRANT_ACCOUNTS)[GrantKind] | typeof LEDGER_ACCOUNTS.customerCredit;
  readonly direction: 'DEBIT' | 'CREDIT';
  readonly amount: DecimalString;
}

/**
 * The entry of a credit grant (RN6): the customer's credit, a liability, grows by what its kind is debited to. Expiry and
 * use have entries of their own.
 *
 * @param grant.amount Major units, > 0, whole minor units of the currency.
 * @returns            One debit and one credit of the same amount.
 * @throws             `money.scale` for an amount finer than the currency.
 */
export function postingsOfGrant(grant: {
  readonly kind: GrantKind;
  readonly currency: string;
  readonly amount: DecimalString;
}): GrantPosting[] {
  const amount = toAmount(grant.amount, grant.currency);
  return [
    { account: GRANT_ACCOUNTS[grant.kind], direction: 'DEBIT', amount },
    { account: LEDGER_ACCOUNTS.customerCredit, direction: 'CREDIT', amount },
  ];
}
