import { describe, expect, test } from 'vitest';
import { firstTerms, nextTerms, type PlanTerms, repeatedCodes } from '../../../src/domain/catalog/plan.ts';
import { asPrice, type PriceFields } from '../../../src/domain/catalog/price.ts';
import { priceFields } from './price-fields.ts';

const price = (code: string, taxCode: string | null, changes: Partial<PriceFields> = {}) =>
  asPrice(priceFields({ code, taxCode, ...changes }));
const terms = (changes: Partial<PlanTerms> = {}): PlanTerms => ({
  name: 'Pro',
  currency: 'EUR',
  billingEntityId: 'ent_1',
  taxCode: null,
  prices: [price('seat', null)],
  ...changes,
});
const taxCodes = ({ prices }: PlanTerms) => prices.map(({ taxCode }) => taxCode);

test('in the first version a price without a tax code has that of the plan', () => {
  const first = firstTerms(terms({ taxCode: 'SAAS', prices: [price('seat', null), price('book', 'BOOKS')] }));
  expect(taxCodes(first)).toEqual(['SAAS', 'BOOKS']);
});

describe('the next version', () => {
  const before = terms({ taxCode: 'SAAS', prices: [price('seat', 'SAAS'), price('book', 'BOOKS')] });

  // prettier-ignore
  test.each<{ when: string; change: Parameters<typeof nextTerms>[1]; expected: Partial<PlanTerms> }>([
    { when: 'nothing is sent',          change: {},                        expected: {} },
    { when: 'what is sent is undefined', change: { name: undefined },      expected: {} },
    { when: 'a name is sent',           change: { name: 'Gold' },          expected: { name: 'Gold' } },
    { when: 'a currency is sent',       change: { currency: 'USD' },       expected: { currency: 'USD' } },
    { when: 'the currency is cleared',  change: { currency: null },        expected: { currency: null } },
    { when: 'an entity is sent',        change: { billingEntityId: 'ent_2' }, expected: { billingEntityId: 'ent_2' } },
    { when: 'the entity is cleared',    change: { billingEntityId: null }, expected: { billingEntityId: null } },
    { when: 'prices are sent',          change: { prices: [price('day', null)] }, expected: { prices: [price('day', 'SAAS')] } },
    { when: 'a tax code is sent',       change: { taxCode: 'NEW' },        expected: { taxCode: 'NEW', prices: [price('seat', 'NEW'), price('book', 'BOOKS')] } },
    { when: 'the tax code is cleared',  change: { taxCode: null },         expected: { taxCode: null, prices: [price('seat', null), price('book', 'BOOKS')] } },
    { when: 'tax code and prices are sent', change: { taxCode: 'NEW', prices: [price('seat', 'SAAS'), price('day', null)] }, expected: { taxCode: 'NEW', prices: [price('seat', 'SAAS'), price('day', 'NEW')] } },
  ])('when $when', ({ change, expected }) => {
    expect(nextTerms(before, change)).toEqual({ ...before, ...expected });
  });

  test('a first tax code reaches the prices that had none', () => {
    expect(taxCodes(nextTerms(terms(), { taxCode: 'SAAS' }))).toEqual(['SAAS']);
  });
});

// prettier-ignore
test.each([
  { codes: [],                        repeated: []     },
  { codes: ['a', 'b'],                repeated: []     },
  { codes: ['a', 'b', 'a'],           repeated: [2]    },
  { codes: ['a', 'a', 'b', 'b', 'a'], repeated: [1, 3, 4] },
  { codes: ['a', 'A'],                repeated: []     },
])('of the codes $codes those at $repeated stand there already', ({ codes, repeated }) => {
  expect(repeatedCodes(codes.map((code) => ({ code })))).toEqual(repeated);
});
