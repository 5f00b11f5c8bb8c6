import fc from 'fast-check';

/** A tenant drawn at random, as numbers and places in lists: what a run depends on, and little else. */
export interface World {
  readonly timezone: string;
  readonly currency: 'EUR' | 'JPY' | 'KWD';
  readonly roundingMode: 'HALF_UP' | 'HALF_EVEN';
  readonly zeroInvoices: 'ISSUE' | 'SKIP';
  readonly taxAddress: 'PAYER' | 'OWNER';
  readonly customers: readonly CustomerPlan[];
  readonly rates: readonly RatePlan[];
  readonly coupons: readonly CouponPlan[];
  readonly subscriptions: readonly SubscriptionPlan[];
  readonly credits: readonly CreditPlan[];
  readonly charges: readonly ChargePlan[];
  readonly cancellations: readonly CancelPlan[];
}

export interface CustomerPlan {
  /** Place of its parent among those before it; the first is the root. At most three deep. */
  readonly parent: number;
  readonly place: 'DE' | 'DE-BY' | 'JP' | 'nowhere';
  readonly taxRate: string | null;
  readonly taxExempt: boolean;
}

export interface RatePlan {
  readonly percent: string;
  readonly place: 'anywhere' | 'DE' | 'DE-BY' | 'JP';
  readonly taxCode: 'books' | null;
  readonly validFrom: string | null;
}

export interface CouponPlan {
  readonly type: 'PERCENT' | 'FIXED';
  /** Per cent, or hundreds of minor units. */
  readonly value: number;
  readonly inCurrency: boolean;
  readonly duration: 'ONCE' | 'REPEATING' | 'FOREVER';
  readonly carryRemainder: boolean;
  readonly on: 'customer' | 'subscription';
  readonly target: number;
}

export interface PricePlan {
  readonly model: 'FLAT' | 'PER_UNIT';
  readonly amount: string;
  readonly billing: 'ADVANCE' | 'ARREARS';
  readonly cadence: { readonly interval: 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR'; readonly count: number } | null;
  readonly taxInclusive: boolean;
  readonly taxCode: 'books' | null;
  readonly setup: boolean;
}

export interface SubscriptionPlan {
  readonly owner: number;
  readonly payer: number | null;
  readonly startDay: number;
  readonly trialDays: number;
  readonly endDay: number | null;
  readonly prices: readonly PricePlan[];
  readonly quantity: string;
  readonly ships: boolean;
  readonly align: boolean;
  readonly proration: 'DAY' | 'SECOND';
  readonly midCycleCharges: 'NEXT_INVOICE' | 'IMMEDIATE';
}

export interface CreditPlan {
  readonly customer: number;
  readonly amount: number;
  readonly inCurrency: boolean;
  readonly priority: number;
  readonly expiresDay: number | null;
}

/** What happens after some events, in the middle of a cycle. */
export interface ChargePlan {
  readonly afterEvent: number;
  readonly subscription: number;
  readonly unitAmount: number;
  readonly quantity: string;
  readonly inDays: number;
  readonly taxCode: 'books' | null;
  /** IMMEDIATE is billed at once by a run outside any group, today. */
  readonly timing: 'NEXT_INVOICE' | 'IMMEDIATE';
}

export interface CancelPlan {
  readonly afterEvent: number;
  readonly subscription: number;
  readonly effective: 'NOW' | 'PERIOD_END';
  readonly prorate: boolean;
}

/** How many events of a world are carried out. */
export const EVENTS = 5;

const eventIndex = fc.integer({ min: 0, max: EVENTS - 2 });
const rarely = fc.boolean().chain((first) => (first ? fc.boolean() : fc.constant(false)));
const amount = fc.oneof(
  fc.integer({ min: 0, max: 20_000 }).map((minor) => (minor / 100).toFixed(2)),
  fc.integer({ min: 1, max: 99_999 }).map((tiny) => (tiny / 10_000).toFixed(4)),
);

const price: fc.Arbitrary<PricePlan> = fc.record({
  model: fc.constantFrom('FLAT', 'PER_UNIT'),
  amount,
  billing: fc.constantFrom('ADVANCE', 'ADVANCE', 'ARREARS'),
  cadence: fc.constantFrom(
    null,
    null,
    { interval: 'MONTH', count: 1 },
    { interval: 'MONTH', count: 2 },
    { interval: 'QUARTER', count: 1 },
    { interval: 'YEAR', count: 1 },
    { interval: 'WEEK', count: 2 },
  ),
  taxInclusive: rarely,
  taxCode: fc.constantFrom(null, null, 'books'),
  setup: rarely,
});

const place = fc.nat({ max: 100 });

const subscription: fc.Arbitrary<SubscriptionPlan> = fc.record({
  owner: place,
  payer: fc.option(place, { freq: 5 }),
  startDay: fc.integer({ min: -70, max: 40 }),
  trialDays: fc.constantFrom(0, 0, 0, 10, 31),
  endDay: fc.option(fc.integer({ min: 41, max: 150 }), { freq: 4 }),
  prices: fc.array(price, { minLength: 1, maxLength: 3 }),
  quantity: fc.constantFrom('1', '3', '2.5', '0', '1000'),
  ships: rarely,
  align: fc.constantFrom(true, true, true, false),
  proration: fc.constantFrom('DAY', 'DAY', 'SECOND'),
  midCycleCharges: fc.constantFrom('NEXT_INVOICE', 'NEXT_INVOICE', 'IMMEDIATE'),
});

/** Worlds of up to six customers and six subscriptions, in zones that change their clocks at night, at midnight, and never. */
export const worlds: fc.Arbitrary<World> = fc.record({
  timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'Africa/Cairo', 'America/Havana', 'Asia/Tokyo'),
  currency: fc.constantFrom('EUR', 'EUR', 'JPY', 'KWD'),
  roundingMode: fc.constantFrom('HALF_UP', 'HALF_EVEN'),
  zeroInvoices: fc.constantFrom('ISSUE', 'SKIP'),
  taxAddress: fc.constantFrom('PAYER', 'OWNER'),
  customers: fc.array(
    fc.record({
      parent: place,
      place: fc.constantFrom('DE', 'DE-BY', 'JP', 'nowhere'),
      taxRate: fc.constantFrom(null, null, null, '0', '7.7'),
      taxExempt: rarely,
    }),
    { minLength: 1, maxLength: 6 },
  ),
  rates: fc.array(
    fc.record({
      percent: fc.constantFrom('19', '8.875', '0.333333', '10'),
      place: fc.constantFrom('anywhere', 'DE', 'DE-BY', 'JP'),
      taxCode: fc.constantFrom(null, null, 'books'),
      validFrom: fc.constantFrom(null, null, '2026-04-01'),
    }),
    { maxLength: 5 },
  ),
  coupons: fc.array(
    fc.record({
      type: fc.constantFrom('PERCENT', 'FIXED'),
      value: fc.integer({ min: 1, max: 100 }),
      inCurrency: fc.constantFrom(true, true, true, false),
      duration: fc.constantFrom('ONCE', 'REPEATING', 'FOREVER'),
      carryRemainder: fc.boolean(),
      on: fc.constantFrom('customer', 'subscription'),
      target: place,
    }),
    { maxLength: 4 },
  ),
  subscriptions: fc.array(subscription, { minLength: 1, maxLength: 6 }),
  credits: fc.array(
    fc.record({
      customer: place,
      amount: fc.integer({ min: 1, max: 40_000 }),
      inCurrency: fc.constantFrom(true, true, true, false),
      priority: fc.constantFrom(100, 100, 1),
      expiresDay: fc.option(fc.integer({ min: 1, max: 120 })),
    }),
    { maxLength: 3 },
  ),
  charges: fc.array(
    fc.record({
      afterEvent: eventIndex,
      subscription: place,
      unitAmount: fc.integer({ min: -30_000, max: 30_000 }),
      quantity: fc.constantFrom('1', '2', '0.5'),
      inDays: fc.integer({ min: -5, max: 40 }),
      taxCode: fc.constantFrom(null, 'books'),
      timing: fc.constant('NEXT_INVOICE'),
    }),
    { maxLength: 4 },
  ),
  cancellations: fc.array(
    fc.record({
      afterEvent: eventIndex,
      subscription: place,
      effective: fc.constantFrom('NOW', 'NOW', 'PERIOD_END'),
      prorate: fc.constantFrom(true, true, false),
    }),
    { maxLength: 3 },
  ),
}) as fc.Arbitrary<World>;

/** One that chance seldom draws: a run of two invoices that share a fixed coupon of the customer and a credit. */
export const sharedOverASplit: World = {
  timezone: 'Europe/Berlin',
  currency: 'EUR',
  roundingMode: 'HALF_UP',
  zeroInvoices: 'ISSUE',
  taxAddress: 'PAYER',
  customers: [{ parent: 0, place: 'DE', taxRate: null, taxExempt: false }],
  rates: [{ percent: '19', place: 'DE', taxCode: null, validFrom: null }],
  coupons: [
    {
      type: 'FIXED',
      value: 25,
      inCurrency: true,
      duration: 'FOREVER',
      carryRemainder: false,
      on: 'customer',
      target: 0,
    },
  ],
  subscriptions: [false, true].map((ships) => ({
    owner: 0,
    payer: null,
    startDay: 5,
    trialDays: 0,
    endDay: null,
    prices: [
      {
        model: 'FLAT',
        amount: '20.00',
        billing: 'ADVANCE',
        cadence: null,
        taxInclusive: false,
        taxCode: null,
        setup: false,
      },
    ],
    quantity: '1',
    ships,
    align: true,
    proration: 'DAY',
    midCycleCharges: 'NEXT_INVOICE',
  })),
  credits: [{ customer: 0, amount: 1000, inCurrency: true, priority: 100, expiresDay: null }],
  charges: [],
  cancellations: [],
};
