import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plusDays } from '../../../src/domain/calendar.ts';
import { decimal, sum } from '../../../src/domain/money.ts';
import { type ChargedLine, creditUnused } from '../../../src/domain/subscription/unused-credit.ts';

const midnight = (date: string) => `${date}T00:00:00.000Z`;

/** March, charged 31.00: one a day; changed as told. */
const march = (changes: Partial<ChargedLine> = {}): ChargedLine => ({
  lineId: 'lin_1',
  itemId: 'itm_1',
  invoiceNumber: 'INV-0007',
  description: 'Team: seat',
  period: { start: midnight('2026-03-01'), end: midnight('2026-04-01') },
  charged: '31.00',
  credited: '0',
  credits: 0,
  taxInclusive: false,
  taxCode: null,
  taxPoint: '2026-03-01',
  ...changes,
});

const credit = (line: ChargedLine, endAt: string, changes: Partial<Parameters<typeof creditUnused>[0]> = {}) =>
  creditUnused({ line, endAt, proration: 'DAY', timezone: 'UTC', currency: 'USD', rounding: 'HALF_UP', ...changes });

describe('the unused rest of a line is given back (RP5)', () => {
  //   1 March              11 March                             1 April
  //   |--------------------x------------------------------------|--->
  //   [ used: 10 days      [ unused: 21 of 31 days              [
  // prettier-ignore
  test.each([
    { what: 'from the end on',                             line: march(),                                        end: midnight('2026-03-11'), amount: '-21.00', from: '2026-03-11', to: '2026-04-01' },
    { what: 'all of it when nothing was used',             line: march(),                                        end: midnight('2026-03-01'), amount: '-31.00', from: '2026-03-01', to: '2026-04-01' },
    { what: 'all of it when the end lies before it',       line: march(),                                        end: midnight('2026-02-10'), amount: '-31.00', from: '2026-03-01', to: '2026-04-01' },
    { what: 'the last day',                                line: march(),                                        end: midnight('2026-03-31'), amount: '-1.00',  from: '2026-03-31', to: '2026-04-01' },
    { what: 'net of its discount',                         line: march({ charged: '15.50' }),                    end: midnight('2026-03-11'), amount: '-10.50', from: '2026-03-11', to: '2026-04-01' },
    { what: 'rounded once: 10.00 × 21 ÷ 31 = 6.774…',      line: march({ charged: '10.00' }),                    end: midnight('2026-03-11'), amount: '-6.77',  from: '2026-03-11', to: '2026-04-01' },
    { what: 'a stub by the days it was billed for',        line: march({ period: { start: midnight('2026-03-10'), end: midnight('2026-04-01') }, charged: '22.00' }), end: midnight('2026-03-21'), amount: '-11.00', from: '2026-03-21', to: '2026-04-01' },
    { what: 'the lesser, after a credit note over most',   line: march({ credited: '25.00', credits: 1 }),       end: midnight('2026-03-11'), amount: '-6.00',  from: '2026-03-11', to: '2026-04-01' },
    { what: 'the whole share, after a small credit note',  line: march({ credited: '10.00', credits: 1 }),       end: midnight('2026-03-11'), amount: '-21.00', from: '2026-03-11', to: '2026-04-01' },
    { what: 'a second time: only what was not given back', line: march({ credited: '11.00', credits: 1, creditedFrom: midnight('2026-03-21') }), end: midnight('2026-03-11'), amount: '-10.00', from: '2026-03-11', to: '2026-03-21' },
  ])('$what', ({ line, end, amount, from, to }) => {
    const given = credit(line, end);
    expect(given?.amount).toBe(amount);
    expect(given?.period).toEqual({ start: midnight(from), end: midnight(to) });
    expect(given?.line).toBe(line);
  });

  // prettier-ignore
  test.each([
    { what: 'when all was used',                  line: march(),                                                                            end: midnight('2026-04-01') },
    { what: 'when it ends later',                 line: march(),                                                                            end: midnight('2026-04-02') },
    { what: 'when all was credited',              line: march({ credited: '31.00', credits: 1 }),                                           end: midnight('2026-03-11') },
    { what: 'when nothing was charged',           line: march({ charged: '0.00' }),                                                         end: midnight('2026-03-11') },
    { what: 'when the share rounds to nothing',   line: march({ charged: '0.01' }),                                                         end: midnight('2026-03-31') },
    { what: 'when that time was given back',      line: march({ credited: '21.00', credits: 1, creditedFrom: midnight('2026-03-11') }),     end: midnight('2026-03-21') },
    { what: 'when just that time was given back', line: march({ credited: '21.00', credits: 1, creditedFrom: midnight('2026-03-11') }),     end: midnight('2026-03-11') },
  ])('nothing $what', ({ line, end }) => {
    expect(credit(line, end)).toBeNull();
  });

  // By SECOND: from 11 March 12:00 on there are 20.5 of 31 days.
  test('by SECOND to the instant', () => {
    expect(credit(march(), '2026-03-11T12:00:00.000Z', { proration: 'SECOND' })?.amount).toBe('-20.50');
  });

  // March in Berlin has a day of 23 hours: by DAY it counts as one.
  test('by DAY in the pinned zone', () => {
    const period = { start: '2026-02-28T23:00:00.000Z', end: '2026-03-31T22:00:00.000Z' };
    expect(credit(march({ period }), '2026-03-29T22:00:00.000Z', { timezone: 'Europe/Berlin' })?.amount).toBe('-2.00');
  });

  // prettier-ignore
  test.each([
    { currency: 'JPY', rounding: 'HALF_UP',   charged: '1000',  amount: '-677'   },
    { currency: 'KWD', rounding: 'HALF_UP',   charged: '1.000', amount: '-0.677' },
    { currency: 'KWD', rounding: 'HALF_EVEN', charged: '1.000', amount: '-0.677' },
  ] as const)('in the minor units of $currency: $amount of $charged', ({ currency, rounding, charged, amount }) => {
    expect(credit(march({ charged }), midnight('2026-03-11'), { currency, rounding })?.amount).toBe(amount);
  });

  // One of two days of 0.05: 0.025.
  test('at the half as the entity rounds', () => {
    const line = march({ charged: '0.05', period: { start: midnight('2026-03-30'), end: midnight('2026-04-01') } });
    expect(credit(line, midnight('2026-03-31'), { rounding: 'HALF_UP' })?.amount).toBe('-0.03');
    expect(credit(line, midnight('2026-03-31'), { rounding: 'HALF_EVEN' })?.amount).toBe('-0.02');
  });
});

test('says how it came about', () => {
  expect(credit(march(), midnight('2026-03-11'))?.explanation).toEqual([
    'Charged 31.00 USD on INV-0007',
    'Unused: 21 of 31 days',
  ]);
  expect(credit(march({ invoiceNumber: null }), midnight('2026-03-11'))?.explanation[0]).toBe('Charged 31.00 USD');
  expect(credit(march({ credited: '25.000000' }), midnight('2026-03-11'))?.explanation[2]).toBe(
    'Credited before: 25.00 USD',
  );
  expect(credit(march({ credited: '10.00' }), midnight('2026-03-11'))?.explanation.length).toBe(2);
});

test('whatever is given back, in whatever steps, never exceeds what was charged for that time', () => {
  const ends = fc.array(fc.integer({ min: -5, max: 35 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(20_000), ends, (cents, noted, days) => {
      const charged = decimal(String(cents)).div(100);
      let line = march({
        charged: charged.toFixed(2),
        credited: decimal(String(Math.min(noted, cents)))
          .div(100)
          .toFixed(2),
      });
      for (const day of days) {
        const given = credit(line, midnight(plusDays('2026-03-01', day)));
        if (given === null) continue;
        expect(given.period.end).toBe(line.creditedFrom ?? line.period.end);
        line = {
          ...line,
          credited: sum([line.credited, decimal(given.amount).negated()]).toFixed(2),
          credits: line.credits + 1,
          creditedFrom: given.period.start,
        };
        expect(charged.minus(line.credited).gte(0)).toBe(true);
      }
      const unusedDays = Math.min(31, Math.max(0, 31 - Math.min(...days)));
      const byTime = sum([line.credited]).minus(Math.min(noted, cents) / 100);
      const most = charged.times(unusedDays).div(31).plus(decimal('0.005').times(line.credits));
      expect(byTime.lte(most)).toBe(true);
    }),
  );
});
