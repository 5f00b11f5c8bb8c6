import type { CalendarDate } from '../calendar.ts';
import { BillingError } from '../errors.ts';
import { toPercent, type DecimalString } from '../money.ts';
import { selectRates, type TaxRate } from './rates.ts';

/** How one customer is taxed. */
export interface TaxProfile {
  readonly customerId: string;
  /** The tax address; a null country means that there is none. */
  readonly country: string | null;
  readonly region: string | null;
  /** The customer's own per cent, 0 included; null when it has none and the rates of its place apply. */
  readonly taxRate: DecimalString | null;
  readonly taxExempt: boolean;
  readonly taxId: string | null;
}

/** A rate as an invoice states it. */
export interface AppliedRate {
  readonly code: string;
  readonly name: string;
  readonly percent: DecimalString;
  /** Why nothing is charged, such as EXEMPT; null for a rate that is charged. A row with a reason has 0 per cent. */
  readonly reason: string | null;
}

/** Whose address decides: the payer's for all lines, or each line owner's. */
export type TaxAddress = 'PAYER' | 'OWNER';

/** What taxation needs to know of an invoice besides its lines. */
export interface TaxContext {
  readonly taxAddress: TaxAddress;
  readonly billingEntityId: string;
  /** Where the issuing entity is; a reverse charge depends on it. */
  readonly entityCountry?: string | null;
  readonly payer: TaxProfile;
  /** Profiles of all owners of lines other than the payer; only read with `taxAddress: OWNER`. */
  readonly owners: readonly TaxProfile[];
  readonly rates: readonly TaxRate[];
}

/** What taxation needs to know of a line besides its amount. */
export interface TaxedSupply {
  readonly ownerId: string;
  readonly taxCode: string | null;
  /** The date that picks the rates, in the pinned zone (RO3). */
  readonly taxPoint: CalendarDate;
  /** A credit keeps the rates of the line that it credits; null for any other line. */
  readonly fixedRates: readonly AppliedRate[] | null;
}

/** The one row of an exempt customer, whatever the rates of its place are. */
export const EXEMPT: AppliedRate = { code: 'EXEMPT', name: 'Tax exempt', percent: '0.00', reason: 'EXEMPT' };

/** Code and name of the row that a customer's own rate makes. */
const OWN_RATE = { code: 'CUSTOMER', name: 'Tax', reason: null };

/**
 * Finds who decides how each line is taxed: the payer, or with `taxAddress: OWNER` the line's owner, unless the owner has
 * no address (RO3). Address, own rate and exemption always come from the same customer.
 *
 * @returns A function from a line's owner to the profile.
 * @throws  `tax.invalid`, from that function, when the profile of an owner is missing.
 */
export function profileFinder({ taxAddress, payer, owners }: TaxContext): (ownerId: string) => TaxProfile {
  if (taxAddress === 'PAYER') return () => payer;
  const profiles = new Map([...owners, payer].map((profile) => [profile.customerId, profile]));
  return (ownerId) => {
    const owner = profiles.get(ownerId);
    if (owner === undefined)
      throw new BillingError('tax.invalid', `No tax profile of line owner ${ownerId} was given.`);
    return owner.country === null ? payer : owner;
  };
}

/**
 * The rates of one line, in this order: those it was given (a credit), exemption, the customer's own rate, the rates that
 * match (RO3). None means that nothing matches.
 */
export function treatSupply(supply: TaxedSupply, profile: TaxProfile, context: TaxContext): readonly AppliedRate[] {
  if (supply.fixedRates !== null) return supply.fixedRates.map(normalized);
  if (profile.taxExempt) return [EXEMPT];
  if (profile.taxRate !== null) return [normalized({ ...OWN_RATE, percent: profile.taxRate })];
  const { country, region } = profile;
  const { taxCode, taxPoint } = supply;
  const { billingEntityId, rates } = context;
  return selectRates(rates, { country, region, taxCode, billingEntityId, taxPoint }).map(({ code, name, percent }) =>
    normalized({ code, name, percent, reason: null }),
  );
}

/** Per cents are written in one way, so that equal ones are equal text. */
const normalized = ({ code, name, percent, reason }: AppliedRate): AppliedRate => ({
  code,
  name,
  percent: toPercent(percent),
  reason,
});
