import { describe, expect, test } from 'vitest';
import { amountDue, invoiceTotals, type TotalledLine } from '../../../src/domain/invoice/totals.ts';

/** A line of 10.00 with 1.00 off and 20 % on top, changed as told. */
const line = (ownerId: string, changes: Partial<TotalledLine> = {}): TotalledLine => ({
  ownerId,
  amount: '10.00',
  discount: '1.00',
  tax: '1.80',
  total: '10.80',
  ...changes,
});
const credit = (ownerId: string) =>
  line(ownerId, { amount: '-30.00', discount: '0.00', tax: '-6.00', total: '-36.00' });
const totals = (lines: TotalledLine[]) => invoiceTotals({ currency: 'EUR', payerId: 'payer', lines });

describe('invoiceTotals', () => {
  test('adds up the lines', () => {
    expect(totals([line('payer'), line('payer')])).toMatchObject({
      subtotal: '20.00',
      discountTotal: '2.00',
      taxTotal: '3.60',
      total: '21.60',
      creditGranted: '0.00',
    });
  });

  test('without lines everything is 0 and there is no account', () => {
    expect(totals([])).toEqual({
      subtotal: '0.00',
      discountTotal: '0.00',
      taxTotal: '0.00',
      total: '0.00',
      creditGranted: '0.00',
      accounts: [],
    });
  });

  // prettier-ignore
  test.each([
    { when: 'the lines come to less than 0', lines: [line('payer'), credit('payer')],                   total: '0.00', creditGranted: '25.20' },
    { when: 'they come to exactly 0',        lines: [line('payer', { total: '36.00' }), credit('payer')], total: '0.00', creditGranted: '0.00' },
    { when: 'they come to more',             lines: [line('payer', { total: '36.01' }), credit('payer')], total: '0.01', creditGranted: '0.00' },
  ])('the total is $total and $creditGranted is granted when $when', ({ lines, total, creditGranted }) => {
    expect(totals(lines)).toMatchObject({ total, creditGranted });
  });

  test('accounts come in order of their first line, the payer first', () => {
    const lines = [line('bob'), line('ann'), line('payer'), line('bob')];
    expect(totals(lines).accounts).toEqual([
      {
        customerId: 'payer',
        label: 'Primary Account',
        subtotal: '10.00',
        discount: '1.00',
        tax: '1.80',
        total: '10.80',
      },
      { customerId: 'bob', label: 'Linked Account', subtotal: '20.00', discount: '2.00', tax: '3.60', total: '21.60' },
      { customerId: 'ann', label: 'Linked Account', subtotal: '10.00', discount: '1.00', tax: '1.80', total: '10.80' },
    ]);
  });

  test('a payer without lines is no account', () => {
    expect(totals([line('bob')]).accounts.map(({ customerId, label }) => `${customerId}: ${label}`)).toEqual([
      'bob: Linked Account',
    ]);
  });

  test('accounts add up to the total less the credit granted', () => {
    expect(totals([line('payer'), credit('bob')]).accounts.map(({ total }) => total)).toEqual(['10.80', '-36.00']);
  });
});

// prettier-ignore
test.each([
  { when: 'nothing was paid',       creditsApplied: '0.00',  amountPaid: '0.00',  amountCredited: '0.00', due: '50.00' },
  { when: 'credits paid part',      creditsApplied: '20.00', amountPaid: '0.00',  amountCredited: '0.00', due: '30.00' },
  { when: 'all three took some',    creditsApplied: '20.00', amountPaid: '10.50', amountCredited: '5.00', due: '14.50' },
  { when: 'it is paid',             creditsApplied: '20.00', amountPaid: '30.00', amountCredited: '0.00', due: '0.00'  },
  { when: 'it is paid and credited', creditsApplied: '0.00', amountPaid: '50.00', amountCredited: '9.00', due: '-9.00' },
])('$due of 50.00 is due when $when', ({ creditsApplied, amountPaid, amountCredited, due }) => {
  expect(amountDue({ currency: 'EUR', total: '50.00', creditsApplied, amountPaid, amountCredited })).toBe(due);
});
