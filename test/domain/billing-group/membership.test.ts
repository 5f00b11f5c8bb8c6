import { describe, expect, test } from 'vitest';
import { assertFits, cadenceForGroup, fitsUnasked } from '../../../src/domain/billing-group/membership.ts';
import { cadence } from './schedules.ts';

const terms = { payerCustomerId: 'cus_1', billingEntityId: 'ent_1', currency: 'EUR', timezone: 'Europe/Berlin' };
const group = { ...terms, id: 'grp_1', cadence: cadence('MONTH') };

// prettier-ignore
test.each([
  { what: 'its own cadence',          cadences: [cadence('MONTH')],                    fits: true  },
  { what: 'whole multiples of it',    cadences: [cadence('QUARTER'), cadence('YEAR')], fits: true  },
  { what: 'nothing that recurs',      cadences: [],                                    fits: true  },
  { what: 'one that is shorter',      cadences: [cadence('QUARTER'), cadence('WEEK')], fits: false },
  { what: 'one of another unit',      cadences: [cadence('DAY', 90)],                  fits: false },
])('a default group takes unasked $what: $fits (RP6)', ({ cadences, fits }) => {
  expect(fitsUnasked(group.cadence, cadences)).toBe(fits);
});

describe('a group that was named (D3)', () => {
  // prettier-ignore
  test.each([
    { what: 'the same terms',            cadences: [cadence('MONTH'), cadence('YEAR')] },
    { what: 'a shorter cadence',         cadences: [cadence('WEEK'), cadence('DAY', 10)] },
  ])('takes $what', ({ cadences }) => {
    expect(() => assertFits(group, terms, cadences)).not.toThrow();
  });

  // prettier-ignore
  test.each([
    { what: 'another payer',             changes: { payerCustomerId: 'cus_2' },                cadences: [],                    says: 'payerCustomerId is cus_1 there and cus_2 here' },
    { what: 'another entity',            changes: { billingEntityId: 'ent_2' },                cadences: [],                    says: 'billingEntityId is ent_1 there and ent_2 here' },
    { what: 'another currency and zone', changes: { currency: 'USD', timezone: 'Asia/Tokyo' }, cadences: [],                    says: 'currency is EUR there and USD here; timezone is Europe/Berlin there and Asia/Tokyo here' },
    { what: 'a longer odd cadence',      changes: {},                                          cadences: [cadence('DAY', 45)],  says: 'every 45 DAY is no whole multiple of its every 1 MONTH' },
  ])('refuses $what, and says what differs', ({ changes, cadences, says }) => {
    const refusal = expect.objectContaining({ code: 'group.mismatch', message: expect.stringContaining(says) });
    expect(() => assertFits(group, { ...terms, ...changes }, cadences)).toThrow(refusal);
  });
});

// prettier-ignore
test.each([
  { cadences: [cadence('YEAR'), cadence('MONTH'), cadence('QUARTER')], every: cadence('MONTH') },
  { cadences: [cadence('YEAR'), cadence('DAY', 10)],                   every: cadence('DAY', 10) },
  { cadences: [],                                                      every: cadence('MONTH') },
])('a group opened for $cadences is billed every $every', ({ cadences, every }) => {
  expect(cadenceForGroup(cadences)).toEqual(every);
});
