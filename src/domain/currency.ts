import { data as listOne } from 'currency-codes';
import { BillingError } from './errors.ts';

/**
 * Changes to ISO 4217's list one since the edition that `currency-codes` carries (2024-06-25): amendments 176 (ANG gives
 * way to XCG, 2025-03-31), 178 (CUC, withdrawn), 179 (XAD, 2025-05-12) and 180 (BGN gives way to EUR, 2026-01-01).
 * ICU is no substitute: it keeps withdrawn codes, and its digits are those of the cash in use (IQD 0, where ISO says 3).
 */
const ADDED_SINCE: Readonly<Record<string, number>> = { XAD: 2, XCG: 2 };
const WITHDRAWN_SINCE: ReadonlySet<string> = new Set(['ANG', 'BGN', 'CUC']);

/** List one gives these "N.A." for a minor unit: metals, units of account, the test code and "no currency". */
const WITHOUT_MINOR_UNIT: ReadonlySet<string> = new Set(
  'XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX'.split(' '),
);

const DIGITS: ReadonlyMap<string, number> = new Map([
  ...listOne
    .filter(({ code }) => !WITHDRAWN_SINCE.has(code) && !WITHOUT_MINOR_UNIT.has(code))
    .map(({ code, digits }): [string, number] => [code, digits]),
  ...Object.entries(ADDED_SINCE),
]);

/** Whether a code, in capitals, is a current ISO 4217 currency that can be divided into minor units. */
export function isCurrency(code: string): boolean {
  return DIGITS.has(code);
}

/**
 * Decimals of a currency's minor unit (RM1): JPY 0, USD 2, KWD 3, CLF 4.
 *
 * @throws `currency.unknown` for any other text, withdrawn codes and lower case included.
 */
export function minorDigits(currency: string): number {
  const digits = DIGITS.get(currency);
  if (digits !== undefined) return digits;
  throw new BillingError(
    'currency.unknown',
    `"${currency}" is not a currency in use. Give an ISO 4217 code in capitals, for example USD, EUR or JPY.`,
  );
}
