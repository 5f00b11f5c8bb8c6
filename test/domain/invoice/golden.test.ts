import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { settle, type Settlement } from '../../../src/domain/invoice/settle.ts';
import { postingsOfIssue } from '../../../src/domain/ledger/postings.ts';

/** An invoice worked by hand: `working` is the computation, `source` the rules that it shows. */
interface GoldenInvoice {
  readonly title: string;
  readonly source: string;
  readonly working: string[];
  readonly input: Parameters<typeof settle>[0];
  readonly expected: Settlement;
  /** 'DEBIT ACCOUNT 1.00' for each posting of the issue. */
  readonly ledger: string[];
}

const folder = new URL('../../golden/', import.meta.url);
const golden: GoldenInvoice[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')));

test('there are golden invoices, each with its working', () => {
  expect(golden.length).toBeGreaterThanOrEqual(12);
  expect(golden.every(({ title, source, working }) => title && source && working.length > 0)).toBe(true);
});

describe.each(golden)('$title', ({ input, expected, ledger }) => {
  test('comes to what was worked by hand', () => {
    expect(settle(input)).toEqual(expected);
  });

  test('is posted as worked by hand', () => {
    const { currency, rounding } = input;
    const { postings } = postingsOfIssue({ currency, rounding, invoice: expected });
    expect(postings.map(({ account, direction, amount }) => `${direction} ${account} ${amount}`)).toEqual(ledger);
  });

  test('is JSON-plain: nothing is lost on the way through a payload', () => {
    expect(JSON.parse(JSON.stringify(settle(input)))).toStrictEqual(settle(input));
  });
});
