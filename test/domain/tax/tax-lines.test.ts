import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal, sum, toAmount, toPlain } from '../../../src/domain/money.ts';
import type { TaxRate } from '../../../src/domain/tax/rates.ts';
import { applyTax, type TaxableLine } from '../../../src/domain/tax/tax-lines.ts';
import type { TaxProfile } from '../../../src/domain/tax/treatment.ts';

const rate = (code: string, percent: string, changes: Partial<TaxRate> = {}): TaxRate => ({
  id: `tax_${code}`,
  code,
  name: `${code} tax`,
  percent,
  country: null,
  region: null,
  taxCode: null,
  billingEntityId: null,
  validFrom: null,
  validTo: null,
  ...changes,
});
const line = (id: string, amount: string, changes: Partial<TaxableLine> = {}): TaxableLine => ({
  id,
  ownerId: 'payer',
  amount,
  inclusive: false,
  taxCode: null,
  taxPoint: '2026-07-01',
  fixedRates: null,
  ...changes,
});
const profile = (customerId: string, changes: Partial<TaxProfile> = {}): TaxProfile => ({
  customerId,
  country: 'DE',
  region: null,
  taxRate: null,
  taxExempt: false,
  taxId: null,
  ...changes,
});

type Changes = Partial<Parameters<typeof applyTax>[0]>;
const tax = (lines: TaxableLine[], rates: TaxRate[], changes: Changes = {}) =>
  applyTax({
    currency: 'EUR',
    rounding: 'HALF_UP',
    taxAddress: 'PAYER',
    billingEntityId: 'ent',
    payer: profile('payer'),
    owners: [],
    rates,
    lines,
    ...changes,
  });
/** Per line 'taxable+tax', per row 'code percent base amount reason'. */
const shown = ({ lines, summary }: ReturnType<typeof applyTax>) => ({
  lines: lines.map(({ taxable, tax: amount }) => `${taxable}+${amount}`),
  rows: summary.map(({ code, percent, base, amount, reason }) =>
    [code, percent, base, amount, reason ?? []].flat().join(' '),
  ),
});
const gross = { inclusive: true };
const vat = rate('VAT', '19');

describe('applyTax', () => {
  // prettier-ignore
  test.each<{ when: string; lines: TaxableLine[]; rates: TaxRate[]; taxed: string[]; rows: string[] }>([
    { when: 'there are no lines',             lines: [],                                                      rates: [vat],                                taxed: [],                           rows: [] },
    { when: 'no rate matches',                lines: [line('a', '10.00')],                                    rates: [],                                   taxed: ['10.00+0.00'],               rows: [] },
    { when: 'one rate applies',               lines: [line('a', '10.00')],                                    rates: [vat],                                taxed: ['10.00+1.90'],               rows: ['VAT 19.00 10.00 1.90'] },
    { when: 'the sum is rounded, not lines',  lines: [line('a', '0.02'), line('b', '0.02'), line('c', '0.02')], rates: [vat],                              taxed: ['0.02+0.01', '0.02+0.00', '0.02+0.00'], rows: ['VAT 19.00 0.06 0.01'] },
    { when: 'a later line has more of a cent', lines: [line('a', '0.02'), line('b', '0.04')],                 rates: [vat],                                taxed: ['0.02+0.00', '0.04+0.01'],   rows: ['VAT 19.00 0.06 0.01'] },
    { when: 'state and county apply',         lines: [line('a', '10.00')],                                    rates: [rate('STATE', '4'), rate('COUNTY', '4.375')], taxed: ['10.00+0.84'],       rows: ['STATE 4.00 10.00 0.40', 'COUNTY 4.375 10.00 0.44'] },
    { when: 'rates differ by tax code',       lines: [line('a', '10.00'), line('b', '10.00', { taxCode: 'book' })], rates: [vat, rate('RED', '7', { taxCode: 'book' })], taxed: ['10.00+1.90', '10.00+0.70'], rows: ['VAT 19.00 10.00 1.90', 'RED 7.00 10.00 0.70'] },
    { when: 'the tax is inside',              lines: [line('a', '11.90', gross)],                             rates: [vat],                                taxed: ['10.00+1.90'],               rows: ['VAT 19.00 10.00 1.90'] },
    { when: 'the tax inside is uneven',       lines: [line('a', '10.00', gross)],                             rates: [vat],                                taxed: ['8.40+1.60'],                rows: ['VAT 19.00 8.40 1.60'] },
    { when: 'two taxes are inside',           lines: [line('a', '113.00', gross)],                            rates: [rate('GST', '5'), rate('PST', '8')], taxed: ['100.00+13.00'],             rows: ['GST 5.00 100.00 5.00', 'PST 8.00 100.00 8.00'] },
    { when: 'bases stay unrounded to the sum', lines: [line('a', '0.04', gross), line('b', '0.04', gross), line('c', '0.04', gross)], rates: [rate('VAT', '20')], taxed: ['0.03+0.01', '0.03+0.01', '0.04+0.00'], rows: ['VAT 20.00 0.10 0.02'] },
    { when: 'thirds add up to half a cent',   lines: ['0.02', '0.02', '0.02', '0.02', '0.01'].map((amount, i) => line(`${i}`, amount, gross)), rates: [rate('VAT', '20')], taxed: ['0.01+0.01', '0.01+0.01', '0.02+0.00', '0.02+0.00', '0.01+0.00'], rows: ['VAT 20.00 0.07 0.02'] },
    { when: 'inside and on top share a row',  lines: [line('a', '11.90', gross), line('b', '10.00')],         rates: [vat],                                taxed: ['10.00+1.90', '10.00+1.90'], rows: ['VAT 19.00 20.00 3.80'] },
    { when: 'a credit is among the lines',    lines: [line('a', '10.00'), line('b', '-4.00')],                rates: [vat],                                taxed: ['10.00+1.90', '-4.00+-0.76'], rows: ['VAT 19.00 6.00 1.14'] },
    { when: 'charge and credit cancel out',   lines: [line('a', '0.15'), line('b', '-0.15')],                 rates: [rate('VAT', '10')],                  taxed: ['0.15+0.02', '-0.15+-0.02'], rows: ['VAT 10.00 0.00 0.00'] },
    { when: 'all is negative',                lines: [line('a', '-0.05')],                                    rates: [rate('VAT', '10')],                  taxed: ['-0.05+-0.01'],              rows: ['VAT 10.00 -0.05 -0.01'] },
    { when: 'a line is zero',                 lines: [line('a', '0.00'), line('b', '10.00')],                 rates: [vat],                                taxed: ['0.00+0.00', '10.00+1.90'],  rows: ['VAT 19.00 10.00 1.90'] },
    { when: 'the rate is zero',               lines: [line('a', '10.00')],                                    rates: [rate('ZERO', '0')],                  taxed: ['10.00+0.00'],               rows: ['ZERO 0.00 10.00 0.00'] },
    { when: 'the tax point picks the rate',   lines: [line('a', '10.00', { taxPoint: '2026-06-30' }), line('b', '10.00')], rates: [rate('OLD', '16', { validTo: '2026-07-01' }), rate('NEW', '19', { validFrom: '2026-07-01' })], taxed: ['10.00+1.60', '10.00+1.90'], rows: ['OLD 16.00 10.00 1.60', 'NEW 19.00 10.00 1.90'] },
    { when: 'a credit keeps its rates',       lines: [line('a', '10.00'), line('b', '-10.00', { fixedRates: [{ code: 'OLD', name: 'Old tax', percent: '16.000000', reason: null }] })], rates: [vat], taxed: ['10.00+1.90', '-10.00+-1.60'], rows: ['VAT 19.00 10.00 1.90', 'OLD 16.00 -10.00 -1.60'] },
    { when: 'a credit was never taxed',       lines: [line('a', '10.00'), line('b', '-10.00', { fixedRates: [] })], rates: [vat],                          taxed: ['10.00+1.90', '-10.00+0.00'], rows: ['VAT 19.00 10.00 1.90'] },
  ])('taxes $taxed when $when', ({ lines, rates, taxed, rows }) => {
    expect(shown(tax(lines, rates))).toEqual({ lines: taxed, rows });
  });

  test('a line states each of its rates and their sum', () => {
    const { lines } = tax([line('a', '10.00')], [rate('STATE', '4'), rate('COUNTY', '4.375')]);
    expect(lines).toEqual([
      {
        lineId: 'a',
        taxable: '10.00',
        tax: '0.84',
        taxPercent: '8.375',
        taxes: [
          { code: 'STATE', name: 'STATE tax', percent: '4.00', base: '10.00', amount: '0.40', reason: null },
          { code: 'COUNTY', name: 'COUNTY tax', percent: '4.375', base: '10.00', amount: '0.44', reason: null },
        ],
      },
    ]);
  });

  test('half a cent follows the rounding mode', () => {
    const half = [line('a', '0.25')];
    expect(tax(half, [rate('VAT', '10')]).lines[0]?.tax).toBe('0.03');
    expect(tax(half, [rate('VAT', '10')], { rounding: 'HALF_EVEN' }).lines[0]?.tax).toBe('0.02');
  });

  test('yen and fils have their own minor units', () => {
    expect(shown(tax([line('a', '999')], [rate('JCT', '10')], { currency: 'JPY' })).lines).toEqual(['999+100']);
    expect(shown(tax([line('a', '9.995')], [rate('VAT', '5')], { currency: 'KWD' })).lines).toEqual(['9.995+0.500']);
  });
});

describe('who decides', () => {
  const bavaria = rate('BAVARIA', '10', { country: 'DE', region: 'BY' });
  const austria = rate('AUSTRIA', '20', { country: 'AT' });
  const germany = rate('GERMANY', '19', { country: 'DE' });
  const of = (ownerId: string) => line('a', '10.00', { ownerId });
  const rowsFor = (owner: TaxProfile, payer: TaxProfile, taxAddress: 'PAYER' | 'OWNER') =>
    shown(tax([of('owner')], [bavaria, austria, germany], { taxAddress, payer, owners: [owner] })).rows;
  const payerAt = (changes: Partial<TaxProfile>) => profile('payer', changes);
  const ownerAt = (changes: Partial<TaxProfile>) => profile('owner', changes);

  // prettier-ignore
  test.each<{ when: string; owner: Partial<TaxProfile>; payer: Partial<TaxProfile>; by: 'PAYER' | 'OWNER'; rows: string[] }>([
    { when: 'the payer\'s address decides',          owner: { country: 'AT' },                      payer: {},                   by: 'PAYER', rows: ['GERMANY 19.00 10.00 1.90'] },
    { when: 'the owner\'s address decides',          owner: { country: 'AT' },                      payer: {},                   by: 'OWNER', rows: ['AUSTRIA 20.00 10.00 2.00'] },
    { when: 'the owner\'s region decides',           owner: { region: 'BY' },                       payer: {},                   by: 'OWNER', rows: ['BAVARIA 10.00 10.00 1.00'] },
    { when: 'the owner has no address',              owner: { country: null, taxRate: '3' },        payer: {},                   by: 'OWNER', rows: ['GERMANY 19.00 10.00 1.90'] },
    { when: 'the payer has a rate of its own',       owner: {},                                     payer: { taxRate: '8.000000' }, by: 'PAYER', rows: ['CUSTOMER 8.00 10.00 0.80'] },
    { when: 'that rate is 0',                        owner: {},                                     payer: { taxRate: '0.00' },  by: 'PAYER', rows: ['CUSTOMER 0.00 10.00 0.00'] },
    { when: 'the owner has one, unasked',            owner: { taxRate: '8' },                       payer: {},                   by: 'PAYER', rows: ['GERMANY 19.00 10.00 1.90'] },
    { when: 'the owner has one, asked',              owner: { taxRate: '8' },                       payer: { taxRate: '9' },     by: 'OWNER', rows: ['CUSTOMER 8.00 10.00 0.80'] },
    { when: 'the payer is exempt',                   owner: {},                                     payer: { taxExempt: true },  by: 'PAYER', rows: ['EXEMPT 0.00 10.00 0.00 EXEMPT'] },
    { when: 'the payer is exempt with a rate',       owner: {},                                     payer: { taxExempt: true, taxRate: '8' }, by: 'PAYER', rows: ['EXEMPT 0.00 10.00 0.00 EXEMPT'] },
    { when: 'an exempt payer is not asked',          owner: {},                                     payer: { taxExempt: true },  by: 'OWNER', rows: ['GERMANY 19.00 10.00 1.90'] },
    { when: 'an exempt owner is asked',              owner: { taxExempt: true },                    payer: {},                   by: 'OWNER', rows: ['EXEMPT 0.00 10.00 0.00 EXEMPT'] },
    { when: 'an exempt owner has no address',        owner: { taxExempt: true, country: null },     payer: {},                   by: 'OWNER', rows: ['GERMANY 19.00 10.00 1.90'] },
  ])('$rows when $when', ({ owner, payer, by, rows }) => {
    expect(rowsFor(ownerAt(owner), payerAt(payer), by)).toEqual(rows);
  });

  test('a gross price is what an exempt payer pays', () => {
    const result = tax([line('a', '11.90', gross)], [germany], { payer: payerAt({ taxExempt: true }) });
    expect(shown(result)).toEqual({ lines: ['11.90+0.00'], rows: ['EXEMPT 0.00 11.90 0.00 EXEMPT'] });
  });

  test('a credit keeps its rates even when the payer has become exempt', () => {
    const fixedRates = [{ code: 'GERMANY', name: 'Germany', percent: '19', reason: null }];
    const result = tax([line('a', '-10.00', { fixedRates })], [], { payer: payerAt({ taxExempt: true }) });
    expect(shown(result).rows).toEqual(['GERMANY 19.00 -10.00 -1.90']);
  });

  test('each tax address is rounded by itself, and the summary has one row for a rate', () => {
    // 19 % of 0.02 is 0.0038 at each address, which is 0.00; on the sum it would have been 0.0076, which is 0.01.
    const everywhere = rate('VAT', '19');
    const lines = [line('a', '0.02'), line('b', '0.02', { ownerId: 'owner' })];
    const apart = { taxAddress: 'OWNER' as const, owners: [ownerAt({ country: 'AT' })] };
    expect(shown(tax(lines, [everywhere], apart))).toEqual({
      lines: ['0.02+0.00', '0.02+0.00'],
      rows: ['VAT 19.00 0.04 0.00'],
    });
    expect(shown(tax(lines, [everywhere])).lines).toEqual(['0.02+0.01', '0.02+0.00']);
  });

  test('owners at one address are rounded together', () => {
    const lines = [line('a', '0.02'), line('b', '0.02', { ownerId: 'owner' })];
    const together = { taxAddress: 'OWNER' as const, owners: [ownerAt({})] };
    expect(shown(tax(lines, [vat], together)).lines).toEqual(['0.02+0.01', '0.02+0.00']);
  });

  test('an owner without a profile is refused', () => {
    expect(() => tax([of('stranger')], [], { taxAddress: 'OWNER' })).toThrow(
      expect.objectContaining({ code: 'tax.invalid' }),
    );
  });
});

describe('any lines at any rates', () => {
  const currencies = fc.constantFrom('EUR', 'JPY', 'KWD');
  const cents = fc.array(fc.tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.boolean(), fc.nat(2)), {
    minLength: 1,
    maxLength: 30,
  });
  const rates = ['0', '7', '19', '4.375', '8.999999'].map((percent, index) =>
    rate(`R${index}`, percent, { taxCode: ['a', 'b', 'b', 'c', 'c'][index] ?? null }),
  );
  const toLines = (given: [number, boolean, number][], currency: string) =>
    given.map(([units, inclusive, code], index) => {
      const digits = { EUR: 2, JPY: 0, KWD: 3 }[currency] ?? 2;
      const amount = toAmount(decimal(String(units)).div(10 ** digits), currency);
      return line(`l${index}`, amount, { inclusive, taxCode: 'abc'[code] ?? null });
    });

  test('lines add up to the summary; a gross line to its gross; a row to its base', () => {
    fc.assert(
      fc.property(cents, currencies, (given, currency) => {
        const lines = toLines(given, currency);
        const result = tax(lines, rates, { currency });
        for (const [index, taxed] of result.lines.entries()) {
          const { amount = '0', inclusive = false } = lines[index] ?? {};
          expect(toAmount(inclusive ? sum([taxed.taxable, taxed.tax]) : taxed.taxable, currency)).toBe(amount);
          expect(toAmount(sum(taxed.taxes.map((row) => row.amount)), currency)).toBe(taxed.tax);
        }
        for (const row of result.summary) {
          const own = result.lines.flatMap((taxed) => taxed.taxes).filter(({ code }) => code === row.code);
          expect(toPlain(sum(own.map(({ amount }) => amount)))).toBe(toPlain(row.amount));
          expect(toPlain(sum(own.map(({ base }) => base)))).toBe(toPlain(row.base));
        }
      }),
    );
  });

  test('without inclusive lines each tax is its base × its rate, rounded once', () => {
    fc.assert(
      fc.property(cents, currencies, (given, currency) => {
        const lines = toLines(given, currency).map((one) => ({ ...one, inclusive: false }));
        for (const { base, percent, amount } of tax(lines, rates, { currency }).summary) {
          const exact = decimal(base).times(percent).div(100);
          const digits = { EUR: 2, JPY: 0, KWD: 3 }[currency] ?? 2;
          expect(toPlain(exact.toDecimalPlaces(digits))).toBe(toPlain(amount));
        }
      }),
    );
  });

  test('the order of the lines moves no total', () => {
    fc.assert(
      fc.property(cents, currencies, (given, currency) => {
        const lines = toLines(given, currency);
        const byCode = (result: ReturnType<typeof tax>) =>
          result.summary.map(({ code, amount }) => `${code} ${amount}`).toSorted();
        expect(byCode(tax(lines.toReversed(), rates, { currency }))).toEqual(byCode(tax(lines, rates, { currency })));
      }),
    );
  });
});
