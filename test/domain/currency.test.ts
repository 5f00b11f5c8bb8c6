import { describe, expect, test } from 'vitest';
import { isCurrency, minorDigits } from '../../src/domain/currency.ts';

const icuDigits = (currency: string) =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;

describe('minorDigits', () => {
  // prettier-ignore
  test.each([
    ['JPY', 0], ['KRW', 0], ['ISK', 0], ['XOF', 0], ['USD', 2], ['EUR', 2], ['HUF', 2], ['MGA', 2],
    ['KWD', 3], ['BHD', 3], ['TND', 3], ['CLF', 4], ['XCG', 2], ['XAD', 2], ['ZWG', 2], ['VED', 2],
  ])('%s has %i', (currency, digits) => {
    expect(minorDigits(currency)).toBe(digits);
  });

  test('follows ISO where ICU follows the cash in use', () => {
    expect([minorDigits('IQD'), icuDigits('IQD')]).toEqual([3, 0]);
    expect([minorDigits('IDR'), icuDigits('IDR')]).toEqual([2, 0]);
  });

  // Withdrawn in 2002, 2023, 2024, 2025, 2025 and 2026; then no minor unit; then no code at all.
  test.each(['DEM', 'HRK', 'ZWL', 'CUC', 'ANG', 'BGN', 'XAU', 'XXX', 'XTS', 'XDR', 'usd', 'US', 'BTC', '', 'toString'])(
    'refuses %j with three examples',
    (code) => {
      expect(isCurrency(code)).toBe(false);
      expect(() => minorDigits(code)).toThrow(
        expect.objectContaining({
          code: 'currency.unknown',
          message: expect.stringMatching(new RegExp(`"${code}".*USD, EUR or JPY`)),
        }),
      );
    },
  );
});
