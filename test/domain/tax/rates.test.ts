import { describe, expect, test } from 'vitest';
import { selectRates, validateTaxRate, type TaxRate } from '../../../src/domain/tax/rates.ts';

const rate = (code: string, changes: Partial<TaxRate> = {}): TaxRate => ({
  id: `tax_${code}`,
  code,
  name: code,
  percent: '10',
  country: null,
  region: null,
  taxCode: null,
  billingEntityId: null,
  validFrom: null,
  validTo: null,
  ...changes,
});
const us = { country: 'US' };
const ny = { country: 'US', region: 'NY' };
const situation = { ...ny, taxCode: 'saas', billingEntityId: 'ent_us', taxPoint: '2026-07-01' };

describe('selectRates', () => {
  // prettier-ignore
  test.each<{ when: string; rates: TaxRate[]; picked: string[] }>([
    { when: 'there are none',                rates: [],                                                              picked: []         },
    { when: 'absent fields match',           rates: [rate('any')],                                                   picked: ['any']    },
    { when: 'the country matches',           rates: [rate('any'), rate('us', us)],                                   picked: ['us']     },
    { when: 'the region matches',            rates: [rate('us', us), rate('ny', ny), rate('any')],                   picked: ['ny']     },
    { when: 'capitals differ in a region',   rates: [rate('ny', { ...us, region: 'ny' })],                           picked: ['ny']     },
    { when: 'state and county both match',   rates: [rate('state', ny), rate('us', us), rate('county', ny)],         picked: ['state', 'county'] },
    { when: 'the country is another',        rates: [rate('de', { country: 'DE' })],                                 picked: []         },
    { when: 'the region is another',         rates: [rate('ca', { ...us, region: 'CA' }), rate('us', us)],           picked: ['us']     },
    { when: 'the tax code matches',          rates: [rate('us', us), rate('saas', { ...us, taxCode: 'saas' })],      picked: ['saas']   },
    { when: 'the tax code is another',       rates: [rate('us', us), rate('book', { ...us, taxCode: 'book' })],      picked: ['us']     },
    { when: 'a place outweighs all else',    rates: [rate('ny', ny), rate('saas', { ...us, taxCode: 'saas', billingEntityId: 'ent_us' })], picked: ['ny'] },
    { when: 'the entity matches',            rates: [rate('us', us), rate('own', { ...us, billingEntityId: 'ent_us' })], picked: ['own'] },
    { when: 'the entity is another',         rates: [rate('us', us), rate('own', { ...us, billingEntityId: 'ent_eu' })], picked: ['us'] },
    { when: 'a tax code outweighs an entity', rates: [rate('own', { ...us, billingEntityId: 'ent_us' }), rate('saas', { ...us, taxCode: 'saas' })], picked: ['saas'] },
    { when: 'it begins that day',            rates: [rate('new', { validFrom: '2026-07-01' })],                      picked: ['new']    },
    { when: 'it begins the next day',        rates: [rate('new', { validFrom: '2026-07-02' })],                      picked: []         },
    { when: 'that day is its first without', rates: [rate('old', { validTo: '2026-07-01' })],                        picked: []         },
    { when: 'that day is its last',          rates: [rate('old', { validTo: '2026-07-02' })],                        picked: ['old']    },
    { when: 'one rate gives way to another', rates: [rate('old', { validTo: '2026-07-01' }), rate('new', { validFrom: '2026-07-01' })], picked: ['new'] },
    { when: 'the specific one has expired',  rates: [rate('ny', { ...ny, validTo: '2026-01-01' }), rate('us', us)],  picked: ['us']     },
  ])('picks $picked when $when', ({ rates, picked }) => {
    expect(selectRates(rates, situation).map(({ code }) => code)).toEqual(picked);
  });

  test('without an address only a rate for everywhere matches', () => {
    const rates = [rate('any'), rate('us', us), rate('ny', ny)];
    expect(selectRates(rates, { ...situation, country: null, region: null }).map(({ code }) => code)).toEqual(['any']);
    expect(selectRates(rates, { ...situation, region: null }).map(({ code }) => code)).toEqual(['us']);
  });

  test('a line without a tax code takes no rate for one', () => {
    const rates = [rate('any'), rate('saas', { taxCode: 'saas' })];
    expect(selectRates(rates, { ...situation, taxCode: null }).map(({ code }) => code)).toEqual(['any']);
  });
});

// prettier-ignore
test.each<{ when: string; changes: Partial<TaxRate>; at: string[] }>([
  { when: 'nothing special',        changes: {},                                                 at: []          },
  { when: 'no tax',                 changes: { percent: '0' },                                   at: []          },
  { when: 'all fields',             changes: { ...ny, validFrom: '2026-01-01', validTo: '2026-01-02' }, at: []   },
  { when: 'a negative per cent',    changes: { percent: '-1' },                                  at: ['percent'] },
  { when: 'more than all',          changes: { percent: '100.1' },                               at: ['percent'] },
  { when: '7 decimals',             changes: { percent: '1.0000001' },                           at: ['percent'] },
  { when: 'no number',              changes: { percent: '19 %' },                                at: ['percent'] },
  { when: 'no such country',        changes: { country: 'UK' },                                  at: ['country'] },
  { when: 'a region of no country', changes: { region: 'NY' },                                   at: ['region']  },
  { when: 'no day at all',          changes: { validFrom: '2026-01-01', validTo: '2026-01-01' }, at: ['validTo'] },
])('validateTaxRate finds fault at $at with $when', ({ changes, at }) => {
  expect(validateTaxRate(rate('x', changes)).map((fault) => fault.path)).toEqual(at);
});
