import type { Price } from './price.ts';

/** What is sold under a plan's code until the next change: one version of it (S6). */
export interface PlanTerms {
  readonly name: string;
  /** Null: whatever the subscription is billed in (RM4). */
  readonly currency: string | null;
  /** The legal entity that sells it (E12); null leaves it to the payer. */
  readonly billingEntityId: string | null;
  /** Of each price that has none of its own. */
  readonly taxCode: string | null;
  readonly prices: readonly Price[];
}

/** What a change says; what is undefined stays as it was. */
export type PlanTermsChange = { readonly [Field in keyof PlanTerms]?: PlanTerms[Field] | undefined };

/** The first version: the plan's tax code holds for each price that has none. */
export const firstTerms = (terms: PlanTerms): PlanTerms => ({
  ...terms,
  prices: withTaxCode(terms.prices, terms.taxCode, null),
});

/**
 * The version that follows from a change. A list of prices that is sent takes the place of the one before. Prices that are
 * kept go along with the plan's tax code if they had it, or none; one with a tax code of its own keeps that.
 */
export function nextTerms(before: PlanTerms, change: PlanTermsChange): PlanTerms {
  const taxCode = change.taxCode === undefined ? before.taxCode : change.taxCode;
  return {
    name: change.name ?? before.name,
    currency: change.currency === undefined ? before.currency : change.currency,
    billingEntityId: change.billingEntityId === undefined ? before.billingEntityId : change.billingEntityId,
    taxCode,
    prices:
      change.prices === undefined
        ? withTaxCode(before.prices, taxCode, before.taxCode)
        : withTaxCode(change.prices, taxCode, null),
  };
}

/** Gives the plan's tax code to prices that follow it: those with the one that was the plan's before, null for none. */
const withTaxCode = (prices: readonly Price[], taxCode: string | null, former: string | null): Price[] =>
  prices.map((price) => (price.taxCode === former ? { ...price, taxCode } : price));

/** Positions of prices whose code another one before them has: a change matches prices by code, so it names one of them. */
export function repeatedCodes(prices: readonly { readonly code: string }[]): number[] {
  const first = new Map<string, number>();
  return prices.flatMap(({ code }, index) => {
    if (first.has(code)) return [index];
    first.set(code, index);
    return [];
  });
}
