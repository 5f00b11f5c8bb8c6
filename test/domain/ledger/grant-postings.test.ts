import { expect, test } from 'vitest';
import { postingsOfGrant } from '../../../src/domain/ledger/grant-postings.ts';

// prettier-ignore
test.each([
  { kind: 'PAID',        amount: '10',    currency: 'USD', entry: ['DEBIT CASH 10.00',                'CREDIT CUSTOMER_CREDIT 10.00'] },
  { kind: 'PROMOTIONAL', amount: '10.50', currency: 'USD', entry: ['DEBIT PROMOTIONAL_EXPENSE 10.50', 'CREDIT CUSTOMER_CREDIT 10.50'] },
  { kind: 'GIFT_CARD',   amount: '500',   currency: 'JPY', entry: ['DEBIT GIFT_CARDS 500',            'CREDIT CUSTOMER_CREDIT 500']   },
  { kind: 'REFUND',      amount: '0.125', currency: 'KWD', entry: ['DEBIT REFUNDS 0.125',             'CREDIT CUSTOMER_CREDIT 0.125'] },
] as const)('a $kind grant is $entry', ({ kind, amount, currency, entry }) => {
  const postings = postingsOfGrant({ kind, amount, currency });
  expect(postings.map((one) => `${one.direction} ${one.account} ${one.amount}`)).toEqual(entry);
});

test('an amount finer than its currency is refused', () => {
  expect(() => postingsOfGrant({ kind: 'PAID', amount: '0.5', currency: 'JPY' })).toThrow('decimals of JPY');
});
