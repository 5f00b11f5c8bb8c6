/** An account that a payer pays for, or one between the two in their tree. */
export interface PlacedAccount {
  readonly id: string;
  /** Null for a root. */
  readonly parentId: string | null;
}

/** A payer, and the accounts that it pays for on one invoice. */
export interface PayingParty {
  readonly payerId: string;
  readonly ownerIds: readonly string[];
}

/**
 * The order of accounts on the invoice of each party (RO1): the payer, then its tree depth first, then accounts from elsewhere.
 *
 * @param accounts  all owners, with every account between each of them and its payer, once: siblings, and accounts from
 *                  elsewhere, in the order in which they are to come.
 * @returns for each party the payer, the owners, and maybe accounts that own nothing on that invoice.
 */
export function orderAccounts(parties: readonly PayingParty[], accounts: readonly PlacedAccount[]): string[][] {
  const children = Map.groupBy(accounts, ({ parentId }) => parentId);
  const places = new Map(accounts.map(({ id }, place) => [id, place]));
  const placeOf = (id: string): number => places.get(id) ?? places.size;
  return parties.map(({ payerId, ownerIds }) => {
    const order = new Set([payerId]);
    const waiting = (children.get(payerId) ?? []).toReversed();
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (order.has(next.id)) continue;
      order.add(next.id);
      for (const child of (children.get(next.id) ?? []).toReversed()) waiting.push(child);
    }
    const elsewhere = ownerIds.filter((id) => !order.has(id));
    for (const id of elsewhere.toSorted((a, b) => placeOf(a) - placeOf(b))) order.add(id);
    return [...order];
  });
}
