/** What the demo reads of the API's answers. Amounts and per cents are decimal strings, instants ISO 8601. */

export interface Address {
  readonly line1: string | null;
  readonly line2: string | null;
  readonly city: string | null;
  readonly region: string | null;
  readonly postalCode: string | null;
  readonly country: string | null;
}

export interface Entity {
  readonly id: string;
  readonly entityCode: string;
  readonly legalName: string;
  readonly baseCurrency: string;
  readonly billingTimezone: string;
  readonly invoiceNumberFormat: string;
  readonly numberReset: 'NEVER' | 'YEARLY' | 'MONTHLY';
}

export interface TestClock {
  readonly id: string;
  readonly now: string;
  readonly status: 'READY' | 'ADVANCING' | 'FAILED';
  readonly error: string | null;
}

export interface TreeNode {
  readonly name: string;
  readonly children: readonly TreeNode[];
}

export interface Subscription {
  readonly id: string;
}

export interface Group {
  readonly id: string;
  readonly name: string | null;
  readonly timezone: string;
  readonly anchorDate: string | null;
  readonly cadence: { readonly interval: string; readonly count: number };
  readonly workflowId: string;
  readonly temporalUrl: string | null;
}

export interface Run {
  readonly reason: string | null;
}

export interface TaxRow {
  readonly code: string;
  readonly name: string;
  readonly percent: string;
  readonly base: string;
  readonly amount: string;
  readonly reason: string | null;
}

export interface Line {
  readonly kind: string;
  readonly description: string;
  readonly priceCode: string | null;
  readonly billedFrom: { readonly customerId: string };
  readonly periodStart: string | null;
  readonly periodEnd: string | null;
  readonly quantity: string;
  readonly unitAmount: string | null;
  readonly amount: string;
  readonly discount: string;
  readonly taxable: string;
  readonly taxPercent: string;
  readonly tax: string;
  readonly total: string;
}

export interface Account {
  readonly customerId: string;
  readonly name: string;
  readonly label: 'Primary Account' | 'Linked Account';
  readonly total: string;
}

export interface Invoice {
  readonly number: string;
  readonly kind: string;
  readonly billingEntity: {
    readonly id: string;
    readonly entityCode: string;
    readonly legalName: string;
    readonly taxRegistrationNumber: string | null;
    readonly address: Address | null;
    readonly footerText: string | null;
  };
  readonly payer: { readonly id: string; readonly name: string; readonly address: Address | null };
  readonly billingGroupId: string | null;
  readonly currency: string;
  readonly timezone: string;
  readonly boundaryAt: string | null;
  readonly issuedAt: string;
  readonly issueDate: string;
  readonly issueDateText: string;
  readonly dueDate: string;
  readonly subtotal: string;
  readonly discountTotal: string;
  readonly taxTotal: string;
  readonly total: string;
  readonly creditGranted: string;
  readonly creditsApplied: string;
  readonly amountPaid: string;
  readonly amountDue: string;
  readonly taxes: readonly TaxRow[];
  readonly credits: readonly { readonly grantId: string; readonly kind: string; readonly amount: string }[];
  readonly accounts: readonly Account[];
  readonly lines: readonly Line[];
}

export interface Wallet {
  readonly grants: readonly {
    readonly id: string;
    readonly kind: string;
    readonly amount: string;
    readonly remaining: string;
    readonly currency: string;
    readonly priority: number;
    readonly expiresAt: string | null;
  }[];
}
