/** A postal address. `country` is ISO 3166-1 alpha-2; `region` a state, prefecture or province as the post writes it. */
export interface PostalAddress {
  readonly line1: string | null;
  readonly line2: string | null;
  readonly city: string | null;
  readonly region: string | null;
  readonly postalCode: string | null;
  readonly country: string | null;
}
