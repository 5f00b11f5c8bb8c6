import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertBalanced, imbalance, postingsOfIssue, type IssuedFigures } from '../../../src/domain/ledger/postings.ts';
import { settle } from '../../../src/domain/invoice/settle.ts';
import { decimal, toAmount } from '../../../src/domain/money.ts';

const line = (changes: Partial<IssuedFigures['lines'][number]> = {}) => ({
  inclusive: false,
  discount: '0.00',
  taxable: '100.00',
  taxPercent: '19.00',
  tax: '19.00',
  ...changes,
});
const invoice = (changes: Partial<IssuedFigures> = {}): IssuedFigures => ({
  total: '119.00',
  creditGranted: '0.00',
  creditsApplied: '0.00',
  lines: [line()],
  ...changes,
});
const entry = (issued: IssuedFigures) =>
  postingsOfIssue({ currency: 'EUR', rounding: 'HALF_UP', invoice: issued }).postings.map(
    ({ account, direction, amount }) => `${direction} ${account} ${amount}`,
  );

describe('postingsOfIssue', () => {
  // prettier-ignore
  test.each<{ when: string; issued: IssuedFigures; postings: string[] }>([
    { when: 'a taxed line is issued', issued: invoice(),
      postings: ['DEBIT RECEIVABLE 119.00', 'CREDIT REVENUE 100.00', 'CREDIT TAX_PAYABLE 19.00'] },
    { when: 'there is a discount', issued: invoice({ lines: [line({ discount: '25.00' })] }),
      postings: ['DEBIT RECEIVABLE 119.00', 'DEBIT DISCOUNTS 25.00', 'CREDIT REVENUE 125.00', 'CREDIT TAX_PAYABLE 19.00'] },
    { when: 'the discount has tax in it', issued: invoice({ lines: [line({ inclusive: true, discount: '11.90' })] }),
      postings: ['DEBIT RECEIVABLE 119.00', 'DEBIT DISCOUNTS 10.00', 'CREDIT REVENUE 110.00', 'CREDIT TAX_PAYABLE 19.00'] },
    { when: 'credits pay part', issued: invoice({ creditsApplied: '50.00' }),
      postings: ['DEBIT RECEIVABLE 119.00', 'CREDIT REVENUE 100.00', 'CREDIT TAX_PAYABLE 19.00', 'DEBIT CUSTOMER_CREDIT 50.00', 'CREDIT RECEIVABLE 50.00'] },
    { when: 'it grants credit', issued: invoice({ total: '0.00', creditGranted: '119.00', lines: [line({ taxable: '-100.00', tax: '-19.00' })] }),
      postings: ['DEBIT REVENUE 100.00', 'DEBIT TAX_PAYABLE 19.00', 'CREDIT CUSTOMER_CREDIT 119.00'] },
    { when: 'a coupon took all', issued: invoice({ total: '0.00', lines: [line({ discount: '100.00', taxable: '0.00', tax: '0.00' })] }),
      postings: ['DEBIT DISCOUNTS 100.00', 'CREDIT REVENUE 100.00'] },
    { when: 'all is 0', issued: invoice({ total: '0.00', lines: [line({ taxable: '0.00', tax: '0.00' })] }),
      postings: [] },
  ])('posts $postings when $when', ({ issued, postings }) => {
    expect(entry(issued)).toEqual(postings);
  });

  test.each([invoice({ total: '119.01' }), invoice({ creditGranted: '1.00' }), invoice({ lines: [] })])(
    'refuses figures that do not belong together',
    (issued) => {
      expect(() => entry(issued)).toThrow(expect.objectContaining({ code: 'ledger.unbalanced' }));
    },
  );

  test('names the currency of the entry', () => {
    const figures = invoice({ total: '119', creditGranted: '0', lines: [line({ taxable: '100', tax: '19' })] });
    expect(postingsOfIssue({ currency: 'JPY', rounding: 'HALF_UP', invoice: figures })).toMatchObject({
      currency: 'JPY',
      postings: [{ amount: '119' }, { amount: '100' }, { amount: '19' }],
    });
  });
});

test('assertBalanced compares debits with credits', () => {
  const debit = { account: 'REVENUE', direction: 'DEBIT', amount: '2.00' } as const;
  const credit = { account: 'REVENUE', direction: 'CREDIT', amount: '2.00' } as const;
  expect(() => assertBalanced([debit, credit])).not.toThrow();
  expect(() => assertBalanced([debit])).toThrow(/exceed credits by 2/);
  expect(imbalance([credit]).toNumber()).toBe(-2);
});

test('every invoice that can be settled balances, with postings above 0', () => {
  const lines = fc.array(fc.tuple(fc.integer({ min: -50_000, max: 50_000 }), fc.boolean()), { maxLength: 20 });
  fc.assert(
    fc.property(
      lines,
      fc.nat(100),
      fc.nat(40_000),
      fc.constantFrom('EUR', 'JPY', 'KWD'),
      (given, off, owed, currency) => {
        const scale = { EUR: 100, JPY: 1, KWD: 1000 }[currency] ?? 1;
        const amount = (units: number) => toAmount(decimal(String(units)).div(scale), currency);
        const settlement = settle({
          currency,
          rounding: 'HALF_UP',
          asOf: '2026-02-28T00:00:00.000Z',
          lines: given.map(([units, inclusive], index) => ({
            id: `l${index}`,
            ownerId: 'payer',
            subscriptionId: null,
            amount: amount(units),
            inclusive,
            taxCode: null,
            taxPoint: '2026-02-01',
            fixedRates: null,
          })),
          redemptions: [
            {
              id: 'r',
              scope: { customerId: 'payer' },
              couponCode: 'OFF',
              type: 'PERCENT',
              percent: String(off),
              amount: null,
              currency: null,
              redeemedAt: '2026-01-01T00:00:00.000Z',
              carryRemainder: false,
            },
          ],
          taxInput: {
            taxAddress: 'PAYER',
            billingEntityId: 'ent',
            payer: { customerId: 'payer', country: 'DE', region: null, taxRate: '19', taxExempt: false, taxId: null },
            owners: [],
            rates: [],
          },
          grants: [
            {
              id: 'g',
              kind: 'PAID',
              currency,
              remaining: amount(owed),
              priority: 100,
              expiresAt: null,
              createdAt: '2026-01-01T00:00:00.000Z',
            },
          ],
        });
        const { postings } = postingsOfIssue({ currency, rounding: 'HALF_UP', invoice: settlement });
        expect(imbalance(postings).isZero()).toBe(true);
        expect(postings.every((posting) => decimal(posting.amount).gt(0))).toBe(true);
      },
    ),
  );
});
