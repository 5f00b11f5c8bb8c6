import { describe, expect, test } from 'vitest';
import { collectRun, type RunFacts } from '../../../src/domain/invoice/collect-run.ts';
import type { LineDraft } from '../../../src/domain/invoice/line-draft.ts';
import { item, terms } from '../subscription/items.ts';
import { chargedLine, facts, member, waiting } from './run-facts.ts';

const midnight = (date: string) => `${date}T00:00:00.000Z`;

const linesOf = (changes: Partial<RunFacts>, date = '2026-04-01', timezone = 'UTC'): LineDraft[] =>
  collectRun(facts(date, changes, timezone)).invoices.flatMap(({ lines }) => lines);

const lineOf = (changes: Parameters<typeof item>[1], start = midnight('2026-03-10'), timezone = 'UTC') =>
  linesOf({ members: [member('sub_1', 'child', [item(start, changes)])] }, '2026-04-01', timezone);

test('a period says what it charges, for whom and when', () => {
  const seats = {
    code: 'seat',
    model: 'PER_UNIT',
    amount: '5.50',
    taxCode: 'saas',
    taxInclusive: true,
    billing: 'ARREARS',
  } as const;
  const [line] = lineOf({ terms: [terms(seats, { version: 3, quantity: '12.500000' })] });
  expect(line).toEqual({
    kind: 'RECURRING',
    claim: {
      kind: 'PERIOD',
      itemId: 'itm_1',
      termsVersion: 3,
      periodStart: midnight('2026-03-10'),
      periodEnd: midnight('2026-04-01'),
      sequence: 0,
    },
    description: 'Team: seat, 22 of 31 days',
    subscriptionId: 'sub_1',
    itemId: 'itm_1',
    termsVersion: 3,
    priceCode: 'seat',
    chargeId: null,
    ownerId: 'child',
    periodStart: midnight('2026-03-10'),
    periodEnd: midnight('2026-04-01'),
    taxPoint: '2026-03-31',
    taxCode: 'saas',
    taxInclusive: true,
    quantity: '12.5',
    unitAmount: '5.5',
    amount: '48.79',
    creditsLineId: null,
    explanation: ['12.5 × 5.5 = 68.75', 'Prorated: 22 of 31 days'],
  });
});

test('a whole period says nothing of proration; a flat price has the quantity 1', () => {
  const [line] = lineOf({ terms: [terms({ amount: '19.90' }, { quantity: '7' })] }, midnight('2026-04-01'));
  expect(line).toMatchObject({
    description: 'Team: seat',
    quantity: '1',
    unitAmount: '19.9',
    amount: '19.90',
    explanation: ['Flat amount: 19.9'],
  });
});

describe('the tax point (RO3)', () => {
  const ends = { endAt: '2026-03-20T17:00:00.000Z' };
  // prettier-ignore
  test.each([
    { what: 'in advance: the start',                         changes: {},                                                                     on: '2026-03-10' },
    { what: 'in arrears: the last day',                      changes: { price: { billing: 'ARREARS' } },                                      on: '2026-03-31' },
    { what: 'in arrears, ended by DAY: the last day used',   changes: { price: { billing: 'ARREARS' }, ...ends },                             on: '2026-03-19' },
    { what: 'in arrears, ended by SECOND: the day of the end', changes: { price: { billing: 'ARREARS' }, proration: 'SECOND', ...ends },      on: '2026-03-20' },
  ] as const)('$what', ({ changes, on }) => {
    expect(lineOf(changes)[0]?.taxPoint).toBe(on);
  });

  test('is a date of the pinned zone', () => {
    const [line] = lineOf({}, '2026-03-09T23:30:00.000Z', 'Europe/Berlin');
    expect(line).toMatchObject({
      taxPoint: '2026-03-10',
      periodStart: '2026-03-09T23:00:00.000Z',
      periodEnd: '2026-03-31T22:00:00.000Z',
    });
  });
});

describe('a line is rounded once, at its end (RM1, RM2)', () => {
  // prettier-ignore
  test.each([
    { currency: 'EUR', rounding: 'HALF_UP',   amount: '10',        is: '7.10'  },
    { currency: 'JPY', rounding: 'HALF_UP',   amount: '1000',      is: '710'   },
    { currency: 'KWD', rounding: 'HALF_UP',   amount: '10',        is: '7.097' },
    { currency: 'EUR', rounding: 'HALF_UP',   amount: '0.77500000', is: '0.55' },
    { currency: 'EUR', rounding: 'HALF_EVEN', amount: '0.19375000', is: '0.14' },
    { currency: 'EUR', rounding: 'HALF_UP',   amount: '0.19020000', is: '0.13' },
  ] as const)('22 of 31 days of $amount $currency $rounding are $is', ({ currency, rounding, amount, is }) => {
    const members = [member('sub_1', 'payer', [item(midnight('2026-03-10'), { price: { amount, billing: 'ARREARS' } })])];
    expect(linesOf({ members, currency, rounding })[0]?.amount).toBe(is);
  });

  // Half of April, 15 of 30 days, of 0.05: 0.025.
  test.each([
    { rounding: 'HALF_UP', is: '0.03' },
    { rounding: 'HALF_EVEN', is: '0.02' },
  ] as const)('at the half $rounding', ({ rounding, is }) => {
    const one = item(midnight('2026-04-16'), { price: { amount: '0.05', billing: 'ARREARS' } });
    expect(linesOf({ members: [member('sub_1', 'payer', [one])], rounding }, '2026-05-01')[0]?.amount).toBe(is);
  });
});

test('a SETUP line has no period; its tax point is the day it begins', () => {
  const [line] = lineOf({ price: { type: 'SETUP', code: 'start', amount: '49' } }, '2026-03-10T15:00:00.000Z');
  expect(line).toMatchObject({
    kind: 'SETUP',
    claim: {
      kind: 'SETUP',
      itemId: 'itm_1',
      termsVersion: 1,
      periodStart: midnight('2026-03-10'),
      periodEnd: midnight('2026-03-10'),
      sequence: 0,
    },
    description: 'Team: start',
    periodStart: null,
    periodEnd: null,
    taxPoint: '2026-03-10',
    amount: '49.00',
  });
});

test('a credit keeps the tax of the line that it credits, and claims it', () => {
  const period = { start: midnight('2026-03-01'), end: midnight('2026-04-01') };
  const old = {
    charged: '31.00',
    credited: '0.000000',
    credits: 2,
    taxInclusive: true,
    taxCode: 'old',
    taxPoint: '2026-03-01',
  };
  const ended = item(midnight('2026-03-01'), {
    billedThroughAt: period.end,
    endAt: midnight('2026-03-11'),
    price: { taxCode: 'new' },
  });
  const chargedLines = [chargedLine('lin_1', 'itm_1', period, old)];
  const [line] = linesOf({ members: [member('sub_1', 'child', [ended])], chargedLines });
  expect(line).toMatchObject({
    kind: 'PRORATION_CREDIT',
    claim: { kind: 'CREDIT', creditedLineId: 'lin_1', sequence: 2 },
    description: 'Unused time: Team: seat',
    ownerId: 'child',
    periodStart: midnight('2026-03-11'),
    periodEnd: midnight('2026-04-01'),
    taxPoint: '2026-03-01',
    taxCode: 'old',
    taxInclusive: true,
    amount: '-21.00',
    creditsLineId: 'lin_1',
    explanation: ['Charged 31.00 EUR on INV-0007', 'Unused: 21 of 31 days'],
  });
});

test('a one-time charge is billed as it is stored, in the minor units of the currency', () => {
  const stored = {
    quantity: '2.000000000000',
    unitAmount: '4.500000000000',
    amount: '9.000000000000',
    taxCode: 'goods',
  };
  const [line] = linesOf({ charges: [waiting('chg_1', 'child', '2026-03-25', stored)] });
  expect(line).toEqual({
    kind: 'ONE_TIME',
    claim: { kind: 'ONE_TIME', chargeId: 'chg_1' },
    description: 'Cable',
    subscriptionId: null,
    itemId: null,
    termsVersion: null,
    priceCode: null,
    chargeId: 'chg_1',
    ownerId: 'child',
    periodStart: null,
    periodEnd: null,
    taxPoint: '2026-03-25',
    taxCode: 'goods',
    taxInclusive: false,
    quantity: '2',
    unitAmount: '4.5',
    amount: '9.00',
    creditsLineId: null,
    explanation: ['2 × 4.5 = 9.00'],
  });
});

test('what is collected is JSON-plain', () => {
  const members = [member('sub_1', 'child', [item(midnight('2026-03-10'))])];
  const collected = collectRun(facts('2026-04-01', { members, charges: [waiting('chg_1', 'child', '2026-03-25')] }));
  expect(JSON.parse(JSON.stringify(collected))).toStrictEqual(collected);
});
