import { expect, test } from 'vitest';
import { priceCharge } from '../../../src/domain/charge/price-charge.ts';
import { BillingError } from '../../../src/domain/errors.ts';

const usd = { currency: 'USD', rounding: 'HALF_UP' } as const;

// prettier-ignore
test.each([
  { when: 'an amount is sent',           sent: { amount: '19.5' },                          by: usd,                                          gives: { quantity: '1',   unitAmount: '19.5',  amount: '19.50' } },
  { when: 'it is a credit',              sent: { amount: '-3' },                            by: usd,                                          gives: { quantity: '1',   unitAmount: '-3',    amount: '-3.00' } },
  { when: 'a unit amount alone is sent', sent: { unitAmount: '0.10' },                      by: usd,                                          gives: { quantity: '1',   unitAmount: '0.1',   amount: '0.10'  } },
  { when: 'the product is a half',       sent: { quantity: '2.5', unitAmount: '0.25' },     by: usd,                                          gives: { quantity: '2.5', unitAmount: '0.25',  amount: '0.63'  } },
  { when: 'a half goes to the even',     sent: { quantity: '2.5', unitAmount: '0.25' },     by: { ...usd, rounding: 'HALF_EVEN' as const },   gives: { quantity: '2.5', unitAmount: '0.25',  amount: '0.62'  } },
  { when: 'a half is below 0',           sent: { quantity: '-2.5', unitAmount: '0.25' },    by: usd,                                          gives: { quantity: '-2.5', unitAmount: '0.25', amount: '-0.63' } },
  { when: 'the currency has no cents',   sent: { quantity: '3', unitAmount: '33.5' },       by: { ...usd, currency: 'JPY' },                  gives: { quantity: '3',   unitAmount: '33.5',  amount: '101'   } },
  { when: 'it has three decimals',       sent: { amount: '0.125' },                         by: { ...usd, currency: 'KWD' },                  gives: { quantity: '1',   unitAmount: '0.125', amount: '0.125' } },
  { when: 'trailing zeros are too fine', sent: { amount: '5.000' },                         by: usd,                                          gives: { quantity: '1',   unitAmount: '5',     amount: '5.00'  } },
  { when: 'it is as large as can be',    sent: { quantity: '1', unitAmount: '999999999999999' }, by: usd,                                     gives: { quantity: '1',   unitAmount: '999999999999999', amount: '999999999999999.00' } },
])('comes to $gives.amount when $when', ({ sent, by, gives }) => {
  expect(priceCharge(sent, by)).toEqual(gives);
});

// prettier-ignore
test.each([
  { when: 'the amount is finer than its currency', sent: { amount: '0.001' },                                     code: 'money.scale',     path: 'amount'     },
  { when: 'the product is too large',              sent: { quantity: '10', unitAmount: '100000000000000' },       code: 'money.invalid',   path: 'unitAmount' },
  { when: 'it is too large below 0',               sent: { quantity: '-10', unitAmount: '100000000000000' },      code: 'money.invalid',   path: 'unitAmount' },
  { when: 'both are sent',                         sent: { amount: '1', unitAmount: '1' },                        code: 'request.invalid', path: 'amount'     },
  { when: 'a quantity goes with an amount',        sent: { amount: '1', quantity: '2' },                          code: 'request.invalid', path: 'amount'     },
  { when: 'neither is sent',                       sent: {},                                                      code: 'request.invalid', path: 'amount'     },
])('is refused when $when', ({ sent, code, path }) => {
  const refusal = refusalOf(() => priceCharge(sent, usd));
  expect(refusal).toMatchObject({ code, faults: [{ path }] });
});

function refusalOf(work: () => unknown): BillingError {
  try {
    work();
  } catch (error) {
    if (error instanceof BillingError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
