import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CreditUse, walletOf, type WalletGrant } from '../../../src/domain/credit/wallet.ts';
import { decimal, sum } from '../../../src/domain/money.ts';

const asOf = '2026-03-01T00:00:00.000Z';
const on = (day: string) => `2026-${day}T00:00:00.000Z`;

const grant = (id: string, amount: string, remaining: string, changes: Partial<WalletGrant> = {}): WalletGrant => ({
  id,
  kind: 'PAID',
  currency: 'USD',
  amount,
  remaining,
  priority: 100,
  expiresAt: null,
  sourceInvoiceId: null,
  createdAt: on('01-01'),
  ...changes,
});
const use = (grantId: string, invoiceId: string, amount: string, changes: Partial<CreditUse> = {}): CreditUse => ({
  grantId,
  invoiceId,
  amount,
  status: 'CAPTURED',
  reservedAt: on('02-01'),
  settledAt: on('02-02'),
  ...changes,
});
const draft = { status: 'RESERVED', settledAt: null } as const;
const voided = (settledAt: string) => ({ status: 'RELEASED', settledAt }) as const;

const shown = (input: { grants: WalletGrant[]; uses?: CreditUse[] }) => {
  const { balances, transactions } = walletOf({ uses: [], asOf, ...input });
  return {
    balances: Object.fromEntries(balances.map(({ currency, amount }) => [currency, amount])),
    history: transactions.map((one) => `${one.at.slice(5, 10)} ${one.type} ${one.amount} ${one.invoiceId ?? '-'}`),
  };
};

//                 01-01        02-01       02-02        02-20        03-01
//  grant a          +10 ────────reserved────captured─────expires──────now
// prettier-ignore
describe('a wallet', () => {
  test.each<{ when: string; grants: WalletGrant[]; uses?: CreditUse[]; balances: Record<string, string>; history: string[] }>([
    { when: 'it is empty', grants: [], balances: {}, history: [] },
    { when: 'nothing was used', grants: [grant('a', '10', '10')],
      balances: { USD: '10.00' }, history: ['01-01 GRANTED 10.00 -'] },
    { when: 'an invoice had a surplus', grants: [grant('a', '10', '10', { sourceInvoiceId: 'inv_0' })],
      balances: { USD: '10.00' }, history: ['01-01 GRANTED 10.00 inv_0'] },
    { when: 'a draft holds a part', grants: [grant('a', '10', '6')], uses: [use('a', 'inv_1', '4', draft)],
      balances: { USD: '6.00' }, history: ['01-01 GRANTED 10.00 -', '02-01 RESERVED -4.00 inv_1'] },
    { when: 'an invoice took a part', grants: [grant('a', '10', '6')], uses: [use('a', 'inv_1', '4')],
      balances: { USD: '6.00' }, history: ['01-01 GRANTED 10.00 -', '02-02 APPLIED -4.00 inv_1'] },
    { when: 'a void gave it back', grants: [grant('a', '10', '10')], uses: [use('a', 'inv_1', '4', voided(on('02-10')))],
      balances: { USD: '10.00' }, history: ['01-01 GRANTED 10.00 -', '02-01 APPLIED -4.00 inv_1', '02-10 RELEASED 4.00 inv_1'] },
    { when: 'the rest expired', grants: [grant('a', '10', '6', { expiresAt: on('02-20') })], uses: [use('a', 'inv_1', '4')],
      balances: { USD: '0.00' }, history: ['01-01 GRANTED 10.00 -', '02-02 APPLIED -4.00 inv_1', '02-20 EXPIRED -6.00 -'] },
    { when: 'it expires this very instant', grants: [grant('a', '10', '10', { expiresAt: asOf })],
      balances: { USD: '0.00' }, history: ['01-01 GRANTED 10.00 -', '03-01 EXPIRED -10.00 -'] },
    { when: 'it expires later', grants: [grant('a', '10', '10', { expiresAt: on('03-02') })],
      balances: { USD: '10.00' }, history: ['01-01 GRANTED 10.00 -'] },
    { when: 'all was used before it expired', grants: [grant('a', '4', '0', { expiresAt: on('02-20') })], uses: [use('a', 'inv_1', '4')],
      balances: { USD: '0.00' }, history: ['01-01 GRANTED 4.00 -', '02-02 APPLIED -4.00 inv_1'] },
    { when: 'a void gave some back after it expired', grants: [grant('a', '10', '10', { expiresAt: on('02-20') })], uses: [use('a', 'inv_1', '4', voided(on('02-25')))],
      balances: { USD: '0.00' }, history: ['01-01 GRANTED 10.00 -', '02-01 APPLIED -4.00 inv_1', '02-25 RELEASED 4.00 inv_1', '02-25 EXPIRED -10.00 -'] },
    { when: 'it holds three currencies', grants: [grant('a', '10', '10'), grant('b', '500', '500', { currency: 'JPY' }), grant('c', '1', '1', { currency: 'EUR', expiresAt: on('02-01') })],
      balances: { EUR: '0.00', JPY: '500', USD: '10.00' }, history: ['01-01 GRANTED 10.00 -', '01-01 GRANTED 500 -', '01-01 GRANTED 1.00 -', '02-01 EXPIRED -1.00 -'] },
    { when: 'grants come in any order', grants: [grant('b', '2', '2', { createdAt: on('01-03') }), grant('a', '1', '1', { createdAt: on('01-02') })],
      balances: { USD: '3.00' }, history: ['01-02 GRANTED 1.00 -', '01-03 GRANTED 2.00 -'] },
  ])('when $when', ({ grants, uses = [], balances, history }) => {
    expect(shown({ grants, uses })).toEqual({ balances, history });
    expect(Object.keys(shown({ grants, uses }).balances)).toEqual(Object.keys(balances));
  });
});

test('the transactions of a currency add up to its balance, and time goes forward', () => {
  const cents = fc.integer({ min: 0, max: 500 });
  const day = fc.integer({ min: 1, max: 28 }).map((n) => `02-${String(n).padStart(2, '0')}`);
  const status = fc.constantFrom<CreditUse['status']>('RESERVED', 'CAPTURED', 'RELEASED');
  const kept = fc.record({
    currency: fc.constantFrom('USD', 'JPY'),
    rest: cents,
    uses: fc.array(fc.record({ cents: fc.integer({ min: 1, max: 500 }), status, day }), { maxLength: 4 }),
    expires: fc.option(fc.oneof(day, fc.constant('04-01')), { nil: null }),
  });
  fc.assert(
    fc.property(fc.array(kept, { maxLength: 6 }), (wallets) => {
      const major = (units: number, currency: string) =>
        decimal(String(units))
          .div(currency === 'JPY' ? 1 : 100)
          .toFixed();
      const uses = wallets.flatMap(({ uses: own, currency }, index) =>
        own.map((one, n) =>
          use(`g${index}`, `inv_${n}`, major(one.cents, currency), {
            status: one.status,
            reservedAt: on(one.day),
            settledAt: one.status === 'RESERVED' ? null : on(one.day),
          }),
        ),
      );
      const grants = wallets.map(({ rest, uses: own, currency, expires }, index) => {
        const held = own.reduce((total, one) => total + one.cents, 0);
        const free = own.reduce((total, one) => total + (one.status === 'RELEASED' ? one.cents : 0), rest);
        return grant(`g${index}`, major(held + rest, currency), major(free, currency), {
          currency,
          expiresAt: expires === null ? null : on(expires),
        });
      });
      const { balances, transactions } = walletOf({ grants, uses, asOf });
      for (const { currency, amount } of balances) {
        const own = transactions.filter((one) => one.currency === currency);
        expect(sum(own.map((one) => one.amount)).eq(decimal(amount))).toBe(true);
      }
      expect(transactions.map(({ at }) => at)).toEqual(transactions.map(({ at }) => at).toSorted());
    }),
  );
});
