/** What a customer's page says about who pays (C7). */
export interface BillingNotice {
  /** Beside its subscriptions. */
  readonly subscriptions: string;
  /** Beside its invoices, which are those billed to it alone. */
  readonly invoices: string;
}

/** The notice of a customer whose new subscriptions another one pays; null when it pays itself. */
export function billingNotice(
  customer: { readonly id: string; readonly name: string },
  payer: { readonly id: string; readonly name: string },
): BillingNotice | null {
  if (payer.id === customer.id) return null;
  return {
    subscriptions: `New subscriptions of ${customer.name} are billed to ${payer.name} unless a subscription says otherwise.`,
    invoices: `Only invoices billed to ${customer.name} itself are listed; most appear under ${payer.name}.`,
  };
}
