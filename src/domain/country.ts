import { iso31661 } from 'iso-3166';
import { BillingError } from './errors.ts';

const ASSIGNED: ReadonlySet<string> = new Set(iso31661.map(({ alpha2 }) => alpha2));

/** Whether a code, in capitals, is officially assigned by ISO 3166-1 alpha-2; reserved ones (UK, EU) are not. */
export function isCountry(alpha2: string): boolean {
  return ASSIGNED.has(alpha2);
}

/**
 * Returns the code it was given, once it is known to be a country.
 *
 * @throws `country.unknown` with three examples.
 */
export function assertCountry(alpha2: string): string {
  if (isCountry(alpha2)) return alpha2;
  throw new BillingError(
    'country.unknown',
    `"${alpha2}" is not a country. Give an ISO 3166-1 alpha-2 code in capitals, for example US, DE or JP.`,
  );
}
