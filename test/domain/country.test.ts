import { describe, expect, test } from 'vitest';
import { assertCountry, isCountry } from '../../src/domain/country.ts';

describe('isCountry', () => {
  test.each(['US', 'DE', 'JP', 'GB', 'SS', 'CW', 'TW'])('knows %s', (code) => {
    expect(isCountry(code)).toBe(true);
    expect(assertCountry(code)).toBe(code);
  });

  // Reserved, user-assigned, withdrawn, lower case, alpha-3.
  test.each(['UK', 'EU', 'XK', 'AN', 'us', 'USA', ''])('refuses %j with three examples', (code) => {
    expect(isCountry(code)).toBe(false);
    expect(() => assertCountry(code)).toThrow(
      expect.objectContaining({ code: 'country.unknown', message: expect.stringMatching(/US, DE or JP/) }),
    );
  });
});
