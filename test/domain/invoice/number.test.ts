import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assertUnique,
  formatNumber,
  parseNumberFormat,
  resetPeriod,
  type NumberReset,
} from '../../../src/domain/invoice/number.ts';

const invalid = (naming: RegExp) =>
  expect.objectContaining({ code: 'number_format.invalid', message: expect.stringMatching(naming) });

describe('formatNumber', () => {
  // prettier-ignore
  test.each([
    { format: '{prefix}-{seq:0000}',        sequence: 1,       number: 'INV-0001'       },
    { format: '{prefix}-{seq:0000}',        sequence: 12345,   number: 'INV-12345'      },
    { format: '{prefix}-{seq}',             sequence: 7,       number: 'INV-7'          },
    { format: '{prefix}-{YYYY}-{seq:0000}', sequence: 42,      number: 'INV-2026-0042'  },
    { format: 'EU-{YY}{MM}{DD}/{seq:00}',   sequence: 3,       number: 'EU-260805/03'   },
    { format: '{seq:000000}',               sequence: 1000000, number: '1000000'        },
    { format: '請求書{seq}号',               sequence: 5,       number: '請求書5号'       },
  ])('$format number $sequence is $number', ({ format, sequence, number }) => {
    expect(formatNumber({ format, prefix: 'INV', sequence, issueDate: '2026-08-05' })).toBe(number);
  });

  test('a prefix stands as it is', () => {
    expect(formatNumber({ format: '{prefix}{seq}', prefix: '{YYYY}', sequence: 1, issueDate: '2026-08-05' })).toBe(
      '{YYYY}1',
    );
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])('refuses a sequence of %d', (sequence) => {
    expect(() => formatNumber({ format: '{seq}', prefix: '', sequence, issueDate: '2026-08-05' })).toThrow(
      invalid(/sequence/),
    );
  });
});

describe('parseNumberFormat', () => {
  test('takes a format apart', () => {
    expect(parseNumberFormat('{prefix}-{YYYY}{seq:000}.')).toEqual([
      { kind: 'prefix' },
      { kind: 'text', text: '-' },
      { kind: 'YYYY' },
      { kind: 'seq', widthMin: 3 },
      { kind: 'text', text: '.' },
    ]);
  });

  // prettier-ignore
  test.each([
    { format: '{prefix}-{year}-{seq}',    naming: /\{year\}.*unknown/   },
    { format: '{yyyy}-{seq}',             naming: /\{yyyy\}.*unknown/   },
    { format: '{}{seq}',                  naming: /\{\}.*unknown/       },
    { format: '{seq:00x}',                naming: /\{seq:00x\}.*unknown/ },
    { format: '{seq:}',                   naming: /\{seq:\}.*unknown/   },
    { format: '{seq:1}',                  naming: /\{seq:1\}.*unknown/  },
    { format: '{toString}{seq}',          naming: /\{toString\}/        },
    { format: '{seq:0000000000000}',      naming: /wider than 12/       },
    { format: '{prefix}-{seq',            naming: /brace "\{"/          },
    { format: 'seq}-{seq}',               naming: /brace "\}"/          },
    { format: '{{seq}}',                  naming: /brace "\{"/          },
    { format: '{prefix}-{YYYY}',          naming: /needs \{seq\} once/  },
    { format: '{seq}-{seq:00}',           naming: /has it 2 times/      },
    { format: '',                         naming: /needs \{seq\} once/  },
    { format: `${'x'.repeat(60)}{seq}`,   naming: /64 characters/       },
    { format: 'A\n{seq}',                 naming: /control character/   },
  ])('refuses $format', ({ format, naming }) => {
    expect(() => parseNumberFormat(format)).toThrow(invalid(naming));
  });
});

describe('assertUnique', () => {
  // prettier-ignore
  test.each<{ format: string; numberReset: NumberReset; refused: RegExp | null }>([
    { format: '{prefix}-{seq}',         numberReset: 'NEVER',   refused: null         },
    { format: '{seq}{MM}',              numberReset: 'NEVER',   refused: null         },
    { format: '{YYYY}-{seq}',           numberReset: 'YEARLY',  refused: null         },
    { format: '{YY}-{seq}',             numberReset: 'YEARLY',  refused: null         },
    { format: '{seq}{YYYY}',            numberReset: 'YEARLY',  refused: null         },
    { format: '{prefix}-{seq}',         numberReset: 'YEARLY',  refused: /\{YYYY\} or \{YY\}/ },
    { format: '{MM}-{seq}',             numberReset: 'YEARLY',  refused: /\{YYYY\} or \{YY\}/ },
    { format: '{YYYY}-{MM}-{seq}',      numberReset: 'MONTHLY', refused: null         },
    { format: '{YY}{MM}{seq:000}',      numberReset: 'MONTHLY', refused: null         },
    { format: '{YYYY}-{seq}',           numberReset: 'MONTHLY', refused: /needs \{MM\}/ },
    { format: '{MM}-{seq}',             numberReset: 'MONTHLY', refused: /\{YYYY\} or \{YY\}/ },
    { format: '{YYYY}-{MM}',            numberReset: 'MONTHLY', refused: /needs \{seq\}/ },
  ])('$format reset $numberReset is refused: $refused', ({ format, numberReset, refused }) => {
    if (refused === null) expect(() => assertUnique(format, numberReset)).not.toThrow();
    else expect(() => assertUnique(format, numberReset)).toThrow(invalid(refused));
  });
});

test.each([
  { numberReset: 'NEVER' as const, period: '' },
  { numberReset: 'YEARLY' as const, period: '2026' },
  { numberReset: 'MONTHLY' as const, period: '2026-08' },
])('a $numberReset sequence counts in "$period"', ({ numberReset, period }) => {
  expect(resetPeriod(numberReset, '2026-08-05')).toBe(period);
});

describe('an accepted format', () => {
  const resets = fc.constantFrom<NumberReset>('NEVER', 'YEARLY', 'MONTHLY');
  // Digits, letters and separators beside every token: whatever could be read in two ways.
  const piece = fc.constantFrom('{YYYY}', '{YY}', '{MM}', '{DD}', '{prefix}', '-', '0', '1', '11', 'A');
  const sequence = fc.constantFrom('{seq}', '{seq:0}', '{seq:00}', '{seq:0000}');
  const formats = fc
    .tuple(fc.array(piece, { maxLength: 4 }), sequence, fc.array(piece, { maxLength: 4 }))
    .map(([before, seq, after]) => [...before, seq, ...after].join(''));
  const isAccepted = (format: string, numberReset: NumberReset) => {
    try {
      assertUnique(format, numberReset);
      return true;
    } catch {
      return false;
    }
  };
  // One century, which is what {YY} can tell apart.
  const dates = fc
    .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));
  const issued = fc.tuple(fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 120_000 })), dates);

  test('never gives the same number to two places in its streams', () => {
    fc.assert(
      fc.property(
        formats,
        resets,
        fc.constantFrom('', 'INV', '1', '20'),
        fc.array(issued, { minLength: 2, maxLength: 60 }),
        (format, numberReset, prefix, all) => {
          fc.pre(isAccepted(format, numberReset));
          const placeOf = new Map<string, string>();
          for (const [place, issueDate] of all) {
            const number = formatNumber({ format, prefix, sequence: place, issueDate });
            const key = `${resetPeriod(numberReset, issueDate)}/${place}`;
            expect(placeOf.get(number) ?? key).toBe(key);
            placeOf.set(number, key);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each<[string, NumberReset]>([
    ['{seq}{MM}', 'NEVER'],
    ['{MM}{seq}', 'NEVER'],
    ['{seq}{YYYY}', 'YEARLY'],
    ['{YY}{seq}', 'YEARLY'],
    ['{YY}{seq}{MM}', 'MONTHLY'],
    ['1{seq}{MM}{YYYY}1', 'MONTHLY'],
  ])('%s reset %s has no repeat among 13 months of 1 200 each', (format, numberReset) => {
    const numbers = Array.from({ length: 13 }, (_, month) => {
      const issueDate = `${2026 + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-11`;
      const first = numberReset === 'NEVER' || numberReset === 'YEARLY' ? (month % 12) * 1200 + 1 : 1;
      const start = numberReset === 'NEVER' ? month * 1200 + 1 : first;
      return Array.from({ length: 1200 }, (__, index) =>
        formatNumber({ format, prefix: '', sequence: start + index, issueDate }),
      );
    }).flat();
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('what is refused does repeat', () => {
    const january = formatNumber({ format: '{MM}-{seq}', prefix: '', sequence: 1, issueDate: '2026-01-31' });
    const yearLater = formatNumber({ format: '{MM}-{seq}', prefix: '', sequence: 1, issueDate: '2027-01-31' });
    expect(january).toBe(yearLater);
  });
});
