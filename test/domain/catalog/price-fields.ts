import type { PriceFields } from '../../../src/domain/catalog/price.ts';

/** A flat recurring price of 10, changed as told. */
export const priceFields = (changes: Partial<PriceFields> = {}): PriceFields => ({
  code: 'seat',
  type: 'RECURRING',
  model: 'FLAT',
  amount: '10',
  tiers: null,
  packageSize: null,
  freeUnits: null,
  percent: null,
  freeEvents: null,
  freeAmount: null,
  perEventMinimum: null,
  perEventMaximum: null,
  minimumAmount: null,
  maximumAmount: null,
  billing: 'ADVANCE',
  cadence: null,
  meter: null,
  taxCode: null,
  taxInclusive: false,
  ...changes,
});
