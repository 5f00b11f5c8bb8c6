import { describe, expect, test } from 'vitest';
import { asPrice, defaultBilling, validatePrice, type PriceFields } from '../../../src/domain/catalog/price.ts';
import { priceFields } from './price-fields.ts';

const paths = (fields: Partial<PriceFields>) => validatePrice(priceFields(fields)).map((fault) => fault.path);

describe('validatePrice', () => {
  // prettier-ignore
  test.each<{ when: string; fields: Partial<PriceFields> }>([
    { when: 'flat and recurring',        fields: { model: 'FLAT' }                                        },
    { when: 'per unit with free units',  fields: { model: 'PER_UNIT', freeUnits: '2.5' }                  },
    { when: 'a setup fee',               fields: { type: 'SETUP', model: 'FLAT' }                         },
    { when: 'a setup fee per unit',      fields: { type: 'SETUP', model: 'PER_UNIT' }                     },
    { when: 'free of charge',            fields: { amount: '0.00' }                                       },
    { when: 'of 12 decimals',            fields: { amount: '0.000000000001' }                             },
    { when: 'in arrears, on its own cadence', fields: { billing: 'ARREARS', cadence: { interval: 'YEAR', count: 1 } } },
  ])('accepts a price $when', ({ fields }) => {
    expect(validatePrice(priceFields(fields))).toEqual([]);
    expect(asPrice(priceFields(fields))).toEqual(priceFields(fields));
  });

  // prettier-ignore
  test.each<{ when: string; fields: Partial<PriceFields>; at: string[] }>([
    { when: 'of usage',                fields: { type: 'USAGE', meter: 'calls', billing: 'ARREARS' },   at: ['type']          },
    { when: 'in tiers',                fields: { model: 'GRADUATED' },                                  at: ['model']         },
    { when: 'without an amount',       fields: { amount: null },                                        at: ['amount']        },
    { when: 'below 0',                 fields: { amount: '-1' },                                        at: ['amount']        },
    { when: 'in words',                fields: { amount: 'ten' },                                       at: ['amount']        },
    { when: 'of 13 decimals',          fields: { amount: '0.0000000000001' },                           at: ['amount']        },
    { when: 'of 16 digits',            fields: { amount: '1000000000000000' },                          at: ['amount']        },
    { when: 'flat with free units',    fields: { model: 'FLAT', freeUnits: '1' },                       at: ['freeUnits']     },
    { when: 'with free units below 0', fields: { model: 'PER_UNIT', freeUnits: '-1' },                  at: ['freeUnits']     },
    { when: 'per unit with tiers',     fields: { model: 'PER_UNIT', tiers: [] },                        at: ['tiers']         },
    { when: 'with a percentage',       fields: { percent: '5' },                                        at: ['percent']       },
    { when: 'with a minimum',          fields: { minimumAmount: '5' },                                  at: ['minimumAmount'] },
    { when: 'with a maximum',          fields: { maximumAmount: '5' },                                  at: ['maximumAmount'] },
    { when: 'recurring on a meter',    fields: { meter: 'calls' },                                      at: ['meter']         },
    { when: 'of setup with a cadence', fields: { type: 'SETUP', cadence: { interval: 'DAY', count: 1 } }, at: ['cadence']     },
    { when: 'of setup in arrears',     fields: { type: 'SETUP', billing: 'ARREARS' },                   at: ['billing']       },
    { when: 'wrong in several ways',   fields: { type: 'USAGE', model: 'VOLUME', amount: '-1' },        at: ['type', 'model', 'amount'] },
  ])('refuses a price $when', ({ fields, at }) => {
    expect(paths(fields)).toEqual(at);
    expect(() => asPrice(priceFields(fields))).toThrow(expect.objectContaining({ code: 'price.invalid' }));
  });
});

test('usage is billed in arrears, everything else in advance, unless told otherwise', () => {
  expect([defaultBilling('USAGE'), defaultBilling('RECURRING'), defaultBilling('SETUP')]).toEqual([
    'ARREARS',
    'ADVANCE',
    'ADVANCE',
  ]);
});
