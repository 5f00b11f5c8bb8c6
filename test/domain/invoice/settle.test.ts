import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settle, type SettleLine } from '../../../src/domain/invoice/settle.ts';
import { decimal, sum, toAmount, toPlain } from '../../../src/domain/money.ts';

type Input = Parameters<typeof settle>[0];

const SCALES: Record<string, number> = { EUR: 100, JPY: 1, KWD: 1000 };
const TAX_CODES = [null, 'book'];
const OWNERS = ['payer', 'kid', 'cousin'];

const rate = (code: string, percent: string, country: string, taxCode: string | null = null) => ({
  id: code,
  code,
  name: code,
  percent,
  country,
  region: null,
  taxCode,
  billingEntityId: null,
  validFrom: null,
  validTo: null,
});
const profile = (customerId: string, country: string | null, changes = {}) => ({
  customerId,
  country,
  region: null,
  taxRate: null,
  taxExempt: false,
  taxId: null,
  ...changes,
});

/** Any invoice of three accounts in one currency: mixed signs, inclusive or not, coupons and grants that may not apply. */
const inputs: fc.Arbitrary<Input> = fc
  .record({
    currency: fc.constantFrom('EUR', 'JPY', 'KWD'),
    rounding: fc.constantFrom('HALF_UP' as const, 'HALF_EVEN' as const),
    taxAddress: fc.constantFrom('PAYER' as const, 'OWNER' as const),
    isExempt: fc.boolean(),
    lines: fc.array(fc.tuple(fc.integer({ min: -20_000, max: 60_000 }), fc.nat(2), fc.nat(1), fc.boolean()), {
      maxLength: 25,
    }),
    redemptions: fc.array(fc.tuple(fc.integer({ min: 1, max: 10_000 }), fc.nat(2), fc.boolean()), { maxLength: 4 }),
    grants: fc.array(fc.tuple(fc.nat(50_000), fc.integer({ min: 98, max: 102 })), { maxLength: 4 }),
  })
  .map(({ currency, rounding, taxAddress, isExempt, lines, redemptions, grants }) => {
    const amount = (units: number) => toAmount(decimal(String(units)).div(SCALES[currency] ?? 1), currency);
    return {
      currency,
      rounding,
      asOf: '2026-08-01T00:00:00.000Z',
      lines: lines.map(([units, owner, code, inclusive], index): SettleLine => ({
        id: `l${index}`,
        ownerId: OWNERS[owner] ?? 'payer',
        subscriptionId: `s${owner}`,
        amount: amount(units),
        inclusive,
        taxCode: TAX_CODES[code] ?? null,
        taxPoint: '2026-08-01',
        fixedRates: null,
      })),
      redemptions: redemptions.map(([value, owner, isPercent], index) => ({
        id: `r${index}`,
        scope: isPercent ? { customerId: OWNERS[owner] ?? 'payer' } : { subscriptionId: `s${owner}` },
        couponCode: `C${index}`,
        type: isPercent ? ('PERCENT' as const) : ('FIXED' as const),
        percent: isPercent ? toPlain(decimal(String(value)).div(100)) : null,
        amount: isPercent ? null : amount(value),
        currency: isPercent ? null : currency,
        redeemedAt: '2026-07-01T00:00:00.000Z',
        carryRemainder: false,
      })),
      taxInput: {
        taxAddress,
        billingEntityId: 'ent_1',
        payer: profile('payer', 'DE'),
        owners: [profile('kid', 'AT', { taxExempt: isExempt }), profile('cousin', null)],
        rates: [rate('DE', '19', 'DE'), rate('DE7', '7', 'DE', 'book'), rate('AT', '20', 'AT')],
      },
      grants: grants.map(([units, priority], index) => ({
        id: `g${index}`,
        kind: 'PAID',
        currency,
        remaining: amount(units),
        priority,
        expiresAt: null,
        createdAt: '2026-01-01T00:00:00.000Z',
      })),
    };
  });

const eachInput = (holds: (input: Input) => void) => fc.assert(fc.property(inputs, holds), { numRuns: 300 });
const total = (values: readonly string[]) => toPlain(sum(values));

describe('any invoice', () => {
  test('total = Σ (taxable + tax) + creditGranted, of which one is 0 (RO4, RO6)', () => {
    eachInput((input) => {
      const invoice = settle(input);
      const ofLines = sum(invoice.lines.flatMap((line) => [line.taxable, line.tax]));
      expect(toPlain(ofLines.plus(invoice.creditGranted))).toBe(total([invoice.total]));
      expect(decimal(invoice.total).times(invoice.creditGranted).isZero()).toBe(true);
      expect(decimal(invoice.total).gte(0) && decimal(invoice.creditGranted).gte(0)).toBe(true);
    });
  });

  test('each line: taxable + tax = total; an exclusive taxable, an inclusive total, is amount − discount', () => {
    eachInput((input) => {
      for (const line of settle(input).lines) {
        const discounted = toPlain(decimal(line.amount).minus(line.discount));
        expect(total([line.taxable, line.tax])).toBe(toPlain(line.total));
        expect(toPlain(line.inclusive ? line.total : line.taxable)).toBe(discounted);
        expect(decimal(line.discount).gte(0)).toBe(true);
        expect(decimal(line.discount).isZero() || decimal(line.discount).lte(line.amount)).toBe(true);
      }
    });
  });

  test('the sums are those of the lines, the accounts, the tax rows and the coupons', () => {
    eachInput((input) => {
      const { lines, accounts, taxes, discounts, ...invoice } = settle(input);
      expect(total(lines.map(({ amount }) => amount))).toBe(toPlain(invoice.subtotal));
      expect(total(accounts.map(({ subtotal }) => subtotal))).toBe(toPlain(invoice.subtotal));
      expect(total(lines.map(({ discount }) => discount))).toBe(toPlain(invoice.discountTotal));
      expect(total(discounts.taken.map(({ amount }) => amount))).toBe(toPlain(invoice.discountTotal));
      expect(total(accounts.map(({ discount }) => discount))).toBe(toPlain(invoice.discountTotal));
      expect(total(taxes.map(({ amount }) => amount))).toBe(toPlain(invoice.taxTotal));
      expect(total(accounts.map(({ tax }) => tax))).toBe(toPlain(invoice.taxTotal));
      expect(total(accounts.map((account) => account.total))).toBe(
        toPlain(decimal(invoice.total).minus(invoice.creditGranted)),
      );
    });
  });

  test('credits pay no more than the total, and the rest is due', () => {
    eachInput((input) => {
      const { credits, creditsApplied, amountDue, total: owed } = settle(input);
      expect(total(credits.map(({ amount }) => amount))).toBe(toPlain(creditsApplied));
      expect(total([creditsApplied, amountDue])).toBe(toPlain(owed));
      expect(decimal(amountDue).gte(0)).toBe(true);
      if (decimal(owed).isZero()) expect(credits).toEqual([]);
    });
  });

  test('lines come back in the order in which they were given', () => {
    eachInput((input) => {
      expect(settle(input).lines.map(({ id }) => id)).toEqual(input.lines.map(({ id }) => id));
    });
  });
});

test('no lines: everything is 0', () => {
  const [input] = fc.sample(inputs, { numRuns: 1, seed: 1 });
  if (input === undefined) throw new Error('fast-check gave no sample.');
  const empty = settle({ ...input, currency: 'EUR', lines: [], redemptions: [], grants: [] });
  expect(empty).toMatchObject({ lines: [], accounts: [], taxes: [], credits: [], total: '0.00', amountDue: '0.00' });
});
