/**
 * Who and what the demo bills: request bodies as any client would send them. Customers are named by `externalId`, billing
 * entities by their code, groups by `key`; `set-up.ts` puts ids in their place.
 */

/** Before the first boundary in Tokyo, which is the evening of 31 December 2025 elsewhere. */
export const CLOCK_START = '2025-12-30T12:00:00.000Z';
/** After the first boundary of the next year in Los Angeles. */
export const CLOCK_END = '2027-01-02T00:00:00.000Z';

export const ENTITIES = [
  {
    entityCode: 'US',
    displayName: 'Kestrel US',
    legalName: 'Kestrel Works Inc.',
    baseCurrency: 'USD',
    countryCode: 'US',
    billingTimezone: 'America/Los_Angeles',
    taxRegistrationNumber: 'EIN 00-0000001',
    taxJurisdiction: 'US-WA',
    address: { line1: '800 Pike Street', city: 'Seattle', region: 'WA', postalCode: '98101', country: 'US' },
    invoiceNumberPrefix: 'US',
    invoiceNumberFormat: '{prefix}-{YYYY}-{seq:0000}',
    numberReset: 'YEARLY',
    footerText: 'Thank you for your business. Questions? billing@kestrel.example',
  },
  {
    entityCode: 'EU',
    displayName: 'Kestrel EU',
    legalName: 'Kestrel Works GmbH',
    baseCurrency: 'EUR',
    countryCode: 'DE',
    billingTimezone: 'Europe/Berlin',
    taxRegistrationNumber: 'DE000000001',
    taxJurisdiction: 'DE-VAT',
    address: { line1: 'Torstraße 100', city: 'Berlin', postalCode: '10119', country: 'DE' },
    invoiceNumberPrefix: 'EU',
    invoiceNumberFormat: '{prefix}-{seq:00000}',
    footerText: 'Zahlbar ohne Abzug.',
  },
  {
    entityCode: 'JP',
    displayName: 'Kestrel Japan',
    legalName: 'ケストレルワークス株式会社',
    baseCurrency: 'JPY',
    countryCode: 'JP',
    billingTimezone: 'Asia/Tokyo',
    taxRegistrationNumber: 'T0000000000001',
    taxJurisdiction: 'JP-CT',
    address: { line1: '丸の内1-1', city: '千代田区', region: '東京都', postalCode: '100-0005', country: 'JP' },
    invoiceNumberPrefix: 'JP',
    invoiceNumberFormat: '{prefix}{YY}{MM}-{seq:000}',
    numberReset: 'MONTHLY',
    footerText: 'ご利用ありがとうございます。',
  },
] as const;

export type EntityCode = (typeof ENTITIES)[number]['entityCode'];

/** State and city apply together in Seattle, and the city's rate rises in July; nothing applies where nothing matches. */
export const TAX_RATES = [
  { code: 'WA-STATE', name: 'Washington sales tax', percent: '6.50', country: 'US', region: 'WA' },
  { code: 'WA-CITY', name: 'Seattle sales tax', percent: '3.85', country: 'US', region: 'WA', validTo: '2026-07-01' },
  { code: 'WA-CITY', name: 'Seattle sales tax', percent: '4.05', country: 'US', region: 'WA', validFrom: '2026-07-01' },
  { code: 'DE-VAT', name: 'Umsatzsteuer', percent: '19', country: 'DE' },
  { code: 'AT-VAT', name: 'Umsatzsteuer (AT)', percent: '20', country: 'AT' },
  { code: 'JP-CT', name: '消費税', percent: '10', country: 'JP' },
] as const;

const MONTH = { interval: 'MONTH' } as const;
const QUARTER = { interval: 'QUARTER' } as const;
const YEAR = { interval: 'YEAR' } as const;

const flat = (code: string, amount: string, cadence: object = MONTH) =>
  ({ code, type: 'RECURRING', model: 'FLAT', amount, cadence }) as const;
const perUnit = (code: string, amount: string) =>
  ({ code, type: 'RECURRING', model: 'PER_UNIT', amount, cadence: MONTH }) as const;

export const PLANS: readonly { entity: EntityCode; body: object }[] = [
  { entity: 'US', body: { code: 'HUB', name: 'Reseller hub', currency: 'USD', prices: [flat('hub', '240'), flat('programme', '1200', YEAR)] } },
  { entity: 'US', body: { code: 'BRANCH', name: 'Branch office', currency: 'USD', prices: [flat('office', '49')] } },
  {
    entity: 'US',
    body: {
      code: 'TEAM',
      name: 'Team',
      currency: 'USD',
      prices: [{ code: 'onboarding', type: 'SETUP', model: 'FLAT', amount: '99' }, perUnit('seat', '15')],
    },
  },
  {
    entity: 'US',
    body: { code: 'CAMPUS', name: 'Campus', currency: 'USD', prices: [{ ...perUnit('student', '0.85'), billing: 'ARREARS' }] },
  },
  {
    entity: 'EU',
    body: { code: 'GROUP', name: 'Konzern', currency: 'EUR', prices: [flat('platform', '900'), flat('support', '450', QUARTER)] },
  },
  { entity: 'EU', body: { code: 'STUDIO', name: 'Studio', currency: 'EUR', prices: [perUnit('seat', '39.90')] } },
  {
    entity: 'JP',
    body: { code: 'KIHON', name: '基本プラン', currency: 'JPY', prices: [{ ...flat('kihon', '11000'), taxInclusive: true }] },
  },
  {
    entity: 'JP',
    body: { code: 'SEKI', name: '席プラン', currency: 'JPY', prices: [{ ...perUnit('seki', '1980'), billing: 'ARREARS' }] },
  },
];

export const COUPONS = [
  { code: 'SUMMIT20', name: '20 % for six months', type: 'PERCENT', percent: '20', duration: 'REPEATING', cycles: 6 },
  { code: 'WELCOME40', name: '40 USD off, three times', type: 'FIXED', amount: '40', currency: 'USD', duration: 'REPEATING', cycles: 3 },
  { code: 'AUDIO10', name: '10 % for good', type: 'PERCENT', percent: '10', duration: 'FOREVER' },
  { code: 'LAUNCH50', name: 'Half off, once', type: 'PERCENT', percent: '50', duration: 'ONCE' },
] as const;

interface CustomerEntry {
  readonly entity?: EntityCode;
  /** The rest of the body; a child names its parent, and then inherits clock and payer. */
  readonly body: { readonly externalId: string; readonly name: string; readonly parentCustomerId?: string } & Record<string, unknown>;
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
  under('aurelia', 'design', 'Aurelia Design', { address: { line1: 'Lindengasse 8', city: 'Wien', postalCode: '1070', country: 'AT' } }),
  { entity: 'EU', body: { externalId: 'ostwind', name: 'Ostwind AG', address: hamburg, taxRate: '7.00' } },
  { entity: 'EU', body: { externalId: 'lumen', name: 'Lumen Lab', address: hamburg } },
  { entity: 'JP', body: { externalId: 'koyo', name: '光洋商事', address: { city: '大阪市', region: '大阪府', country: 'JP' } } },
  under('koyo', 'osaka', '大阪支店'),
  under('koyo', 'sapporo', '札幌支店'),
  { entity: 'JP', body: { externalId: 'sakura', name: 'さくら書店', address: { city: '京都市', region: '京都府', country: 'JP' } } },
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
    body: { payerCustomerId: 'externalId:aurelia', currency: 'EUR', name: 'Audio, Books', cadence: MONTH, anchorDate: '2026-01-15' },
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
    body: { planCode: 'STUDIO', quantity: 6, startDate: '2026-02-10', invoicingCustomerId: 'externalId:ostwind', coupons: ['LAUNCH50'] },
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
