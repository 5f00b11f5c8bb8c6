/**
 * Whom the demo bills, and for what: request bodies as any client would send them. Customers are named by `externalId`,
 * billing entities by their code, groups by `key`; `set-up.ts` puts ids in their place.
 */
import type { EntityCode } from './offer.ts';

/** Before the first boundary in Tokyo, which is the afternoon of 31 December 2025 in London. */
export const CLOCK_START = '2025-12-30T12:00:00.000Z';
/** After the first boundary of the next year in Los Angeles. */
export const CLOCK_END = '2027-01-02T00:00:00.000Z';

const MONTH = { interval: 'MONTH' } as const;

interface CustomerEntry {
  readonly entity?: EntityCode;
  /** The rest of the body; a child names its parent, and then inherits clock and payer. */
  readonly body: { readonly externalId: string; readonly name: string; readonly parentCustomerId?: string } & Record<
    string,
    unknown
  >;
}

const seattle = { line1: '1 Alaskan Way', city: 'Seattle', region: 'WA', postalCode: '98101', country: 'US' };
const hamburg = { line1: 'Am Sandtorkai 5', city: 'Hamburg', postalCode: '20457', country: 'DE' };
const under = (parent: string, externalId: string, name: string, more: object = {}): CustomerEntry => ({
  body: { externalId, name, parentCustomerId: `externalId:${parent}`, ...more },
});

export const CUSTOMERS: readonly CustomerEntry[] = [
  { entity: 'US', body: { externalId: 'cascade', name: 'Cascade LLC', address: seattle, paymentTermsDays: 15 } },
  under('cascade', 'north', 'North'),
  under('north', 'fjord', 'Fjord Outdoor'),
  under('north', 'pine', 'Pine Dental'),
  under('north', 'harbor', 'Harbor Café'),
  under('cascade', 'south', 'South'),
  under('south', 'redwood', 'Redwood Law'),
  under('south', 'sage', 'Sage Studio'),
  under('south', 'tidal', 'Tidal Surf'),
  under('cascade', 'east', 'East'),
  under('east', 'prairie', 'Prairie Foods'),
  under('east', 'summit', 'Summit Labs'),
  under('east', 'canyon', 'Canyon Tours'),
  { entity: 'US', body: { externalId: 'puget', name: 'Puget College', address: seattle, taxExempt: true } },
  { entity: 'EU', body: { externalId: 'aurelia', name: 'Aurelia SE', address: hamburg, paymentTermsDays: 14 } },
  under('aurelia', 'audio', 'Aurelia Audio'),
  under('aurelia', 'books', 'Aurelia Books'),
  under('aurelia', 'cinema', 'Aurelia Cinema'),
  under('aurelia', 'design', 'Aurelia Design', {
    address: { line1: 'Lindengasse 8', city: 'Wien', postalCode: '1070', country: 'AT' },
  }),
  { entity: 'EU', body: { externalId: 'ostwind', name: 'Ostwind AG', address: hamburg, taxRate: '7.00' } },
  { entity: 'EU', body: { externalId: 'lumen', name: 'Lumen Lab', address: hamburg } },
  {
    entity: 'JP',
    body: { externalId: 'koyo', name: '光洋商事', address: { city: '大阪市', region: '大阪府', country: 'JP' } },
  },
  under('koyo', 'osaka', '大阪支店'),
  under('koyo', 'sapporo', '札幌支店'),
  {
    entity: 'JP',
    body: { externalId: 'sakura', name: 'さくら書店', address: { city: '京都市', region: '京都府', country: 'JP' } },
  },
];

/** One payer, two dates: the holding with its children C and D at the end of the month, A and B on the 15th. */
export const GROUPS = [
  {
    key: 'month-end',
    entity: 'EU',
    body: {
      payerCustomerId: 'externalId:aurelia',
      currency: 'EUR',
      name: 'Holding, Cinema, Design',
      cadence: MONTH,
      anchorDate: '2026-01-31',
      taxAddress: 'OWNER',
    },
  },
  {
    key: 'mid-month',
    entity: 'EU',
    body: {
      payerCustomerId: 'externalId:aurelia',
      currency: 'EUR',
      name: 'Audio, Books',
      cadence: MONTH,
      anchorDate: '2026-01-15',
    },
  },
] as const;

interface SubscriptionEntry {
  readonly owner: string;
  readonly group?: (typeof GROUPS)[number]['key'];
  readonly body: { readonly planCode: string; readonly startDate: string } & Record<string, unknown>;
}

const team = (owner: string, quantity: number, startDate = '2026-01-01', more: object = {}): SubscriptionEntry => ({
  owner,
  body: { planCode: 'TEAM', quantity, startDate, ...more },
});

export const SUBSCRIPTIONS: readonly SubscriptionEntry[] = [
  { owner: 'cascade', body: { planCode: 'HUB', startDate: '2026-01-01' } },
  { owner: 'north', body: { planCode: 'BRANCH', startDate: '2026-01-01' } },
  { owner: 'south', body: { planCode: 'BRANCH', startDate: '2026-01-01' } },
  { owner: 'east', body: { planCode: 'BRANCH', startDate: '2026-01-01' } },
  team('fjord', 12),
  team('pine', 8),
  team('harbor', 5, '2026-02-01', { trialDays: 14 }),
  team('redwood', 20),
  team('sage', 6),
  team('tidal', 9),
  team('prairie', 15),
  team('summit', 30),
  team('canyon', 10, '2026-04-13'),
  { owner: 'puget', body: { planCode: 'CAMPUS', quantity: 2400, startDate: '2026-01-15' } },
  { owner: 'aurelia', group: 'month-end', body: { planCode: 'GROUP', startDate: '2026-01-31' } },
  { owner: 'cinema', group: 'month-end', body: { planCode: 'STUDIO', quantity: 4, startDate: '2026-01-31' } },
  { owner: 'design', group: 'month-end', body: { planCode: 'STUDIO', quantity: 7, startDate: '2026-03-10' } },
  { owner: 'audio', group: 'mid-month', body: { planCode: 'STUDIO', quantity: 9, startDate: '2026-01-15' } },
  { owner: 'books', group: 'mid-month', body: { planCode: 'STUDIO', quantity: 3, startDate: '2026-01-15' } },
  {
    owner: 'lumen',
    body: {
      planCode: 'STUDIO',
      quantity: 6,
      startDate: '2026-02-10',
      invoicingCustomerId: 'externalId:ostwind',
      coupons: ['LAUNCH50'],
    },
  },
  { owner: 'koyo', body: { planCode: 'KIHON', startDate: '2026-01-01' } },
  { owner: 'osaka', body: { planCode: 'KIHON', startDate: '2026-01-01' } },
  { owner: 'sapporo', body: { planCode: 'KIHON', startDate: '2026-01-01' } },
  { owner: 'sakura', body: { planCode: 'SEKI', quantity: 14, startDate: '2026-01-20' } },
];

/** Percent on a child, fixed on a subscription (named by its owner), for good on another child. */
export const REDEMPTIONS = [
  { couponCode: 'SUMMIT20', customer: 'summit' },
  { couponCode: 'WELCOME40', subscriptionOf: 'redwood' },
  { couponCode: 'AUDIO10', customer: 'audio' },
] as const;

/** The promotional one is spent first, and what is left of it in mid-February is lost. */
export const GRANTS = [
  { customerId: 'externalId:cascade', amount: '2500.00', currency: 'USD', kind: 'PAID', priority: 100 },
  {
    customerId: 'externalId:cascade',
    amount: '7500.00',
    currency: 'USD',
    kind: 'PROMOTIONAL',
    priority: 10,
    expiresAt: '2026-02-15T00:00:00-08:00',
  },
] as const;

/** Known before the year begins; it waits for the first invoice after its date. */
export const PLANNED_CHARGE = {
  customerId: 'externalId:redwood',
  description: 'On-site training, two days',
  quantity: '2',
  unitAmount: '350.00',
  currency: 'USD',
  chargeOn: '2026-03-10',
} as const;
