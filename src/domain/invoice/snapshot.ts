import type { PostalAddress } from '../customer/address.ts';

/** The issuing entity as it was at issue: the "From" block and the texts (E9, RN3). */
export interface InvoiceEntitySnapshot {
  readonly id: string;
  readonly entityCode: string;
  readonly displayName: string;
  readonly legalName: string;
  readonly countryCode: string;
  readonly address: PostalAddress | null;
  readonly taxRegistrationNumber: string | null;
  readonly taxJurisdiction: string | null;
  readonly logoUrl: string | null;
  readonly footerText: string | null;
}

/** The payer as it was at issue. */
export interface InvoicePayerSnapshot {
  readonly id: string;
  readonly externalId: string | null;
  readonly name: string;
  readonly email: string | null;
  readonly taxId: string | null;
  readonly address: PostalAddress | null;
}
