import { asPrice, type PriceFields } from '../../../src/domain/catalog/price.ts';
import { daysBetween, type Instant, localDate } from '../../../src/domain/calendar.ts';
import type { BillableItem, PeriodCharge, Terms } from '../../../src/domain/subscription/collect-item.ts';
import { priceFields } from '../catalog/price-fields.ts';

/** Terms of one unit that hold for ever, at a price changed as told. */
export const terms = (price: Partial<PriceFields> = {}, changes: Partial<Terms> = {}): Terms => ({
  version: 1,
  validFrom: '2026-01-01T00:00:00.000Z',
  validTo: null,
  price: asPrice(priceFields(price)),
  quantity: '1',
  ...changes,
});

/** An item that starts at an instant, never billed, by DAY; changed as told. */
export const item = (
  startAt: Instant,
  changes: Partial<BillableItem> & { price?: Partial<PriceFields> } = {},
): BillableItem => {
  const { price, ...rest } = changes;
  return {
    itemId: 'itm_1',
    startAt,
    endAt: null,
    billedThroughAt: null,
    phase: null,
    proration: 'DAY',
    terms: [terms(price, { validFrom: startAt })],
    ...rest,
  };
};

/** Charges as a table shows them: `2026-03-10 2026-04-01 22/31`, local dates and days over the days of the whole. */
export const shown = (charges: readonly PeriodCharge[], timezone = 'UTC'): string[] =>
  charges.map(({ period, whole }) => {
    const on = (instant: Instant) => localDate(instant, timezone);
    const days = (of: { start: Instant; end: Instant }) => daysBetween(on(of.start), on(of.end));
    return `${on(period.start)} ${on(period.end)} ${days(period)}/${days(whole)}`;
  });
