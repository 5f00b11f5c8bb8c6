import { BillingError } from '../errors.ts';

/** Levels that a tree of customers may have, its root included. */
export const TREE_LEVELS_MAX = 50;

/** Who is billed for what an account buys: the account above it, or itself. */
export type BillTo = 'PARENT' | 'SELF';

/** One account of a tree, as far as paying goes. */
export interface TreeAccount {
  readonly id: string;
  readonly name: string;
  readonly billTo: BillTo;
}

/**
 * The account that pays for new subscriptions of the first one (C5): the first on the way up that bills itself, or the root.
 *
 * @param chain the account, its parent, and so on up to the root; never empty.
 */
export function resolvePayer<Account extends Pick<TreeAccount, 'billTo'>>(chain: readonly Account[]): Account {
  const payer = chain.find(({ billTo }) => billTo === 'SELF') ?? chain.at(-1);
  if (payer === undefined) throw new Error('A chain of accounts holds at least the account itself.');
  return payer;
}

/**
 * Refuses a parent that would close a circle or make the tree too deep (C4).
 *
 * @param account       The account that gets a new parent.
 * @param newAncestors  The new parent, its parent, and so on up to the root.
 * @param levelsBelow   Levels of the account's own subtree, itself included: 1 for a leaf.
 * @throws `customer.cycle` naming the circle, each account followed by its parent; `customer.too_deep`.
 */
export function assertParent(
  account: Pick<TreeAccount, 'id' | 'name'>,
  newAncestors: readonly Pick<TreeAccount, 'id' | 'name'>[],
  levelsBelow: number,
): void {
  const met = newAncestors.findIndex(({ id }) => id === account.id);
  if (met >= 0) {
    const circle = [account, ...newAncestors.slice(0, met + 1)].map(({ name }) => name).join(' → ');
    const message = `${account.name} would be its own ancestor: ${circle}. Choose a parent outside its tree.`;
    throw new BillingError('customer.cycle', message, [{ path: 'parentCustomerId', message }]);
  }
  const levels = newAncestors.length + levelsBelow;
  if (levels > TREE_LEVELS_MAX) {
    const message = `The tree would have ${levels} levels; at most ${TREE_LEVELS_MAX} are possible. Choose a higher parent.`;
    throw new BillingError('customer.too_deep', message, [{ path: 'parentCustomerId', message }]);
  }
}
