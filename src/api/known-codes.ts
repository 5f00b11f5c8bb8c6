import { isCountry } from '../domain/country.ts';
import { isCurrency } from '../domain/currency.ts';

const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');

/** Every code of so many capitals that a rule knows. */
function codesOf(length: number, isKnown: (code: string) => boolean): string[] {
  let codes = [''];
  for (let letters = 0; letters < length; letters += 1) {
    codes = codes.flatMap((start) => CAPITALS.map((capital) => start + capital));
  }
  return codes.filter(isKnown);
}

/** What the document lists: the very codes that the rules take. */
export const CURRENCY_CODES: readonly string[] = codesOf(3, isCurrency);
export const COUNTRY_CODES: readonly string[] = codesOf(2, isCountry);
