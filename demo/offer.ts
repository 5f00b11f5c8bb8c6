/**
 * Who sells in the demo, what, and under which taxes and coupons: request bodies as any client would send them. Billing
 * entities are named by their code; `set-up.ts` puts ids in their place.
 */

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
    creditNoteFormat: '{prefix}-{YYYY}-{seq:0000}',
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
    creditNoteFormat: '{prefix}{YY}{MM}-{seq:000}',
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
  {
    entity: 'US',
    body: {
      code: 'HUB',
      name: 'Reseller hub',
      currency: 'USD',
      prices: [flat('hub', '240'), flat('programme', '1200', YEAR)],
    },
  },
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
    body: {
      code: 'CAMPUS',
      name: 'Campus',
      currency: 'USD',
      prices: [{ ...perUnit('student', '0.85'), billing: 'ARREARS' }],
    },
  },
  {
    entity: 'EU',
    body: {
      code: 'GROUP',
      name: 'Konzern',
      currency: 'EUR',
      prices: [flat('platform', '900'), flat('support', '450', QUARTER)],
    },
  },
  { entity: 'EU', body: { code: 'STUDIO', name: 'Studio', currency: 'EUR', prices: [perUnit('seat', '39.90')] } },
  {
    entity: 'JP',
    body: {
      code: 'KIHON',
      name: '基本プラン',
      currency: 'JPY',
      prices: [{ ...flat('kihon', '11000'), taxInclusive: true }],
    },
  },
  {
    entity: 'JP',
    body: {
      code: 'SEKI',
      name: '席プラン',
      currency: 'JPY',
      prices: [{ ...perUnit('seki', '1980'), billing: 'ARREARS' }],
    },
  },
];

export const COUPONS = [
  { code: 'SUMMIT20', name: '20 % for six months', type: 'PERCENT', percent: '20', duration: 'REPEATING', cycles: 6 },
  {
    code: 'WELCOME40',
    name: '40 USD off, three times',
    type: 'FIXED',
    amount: '40',
    currency: 'USD',
    duration: 'REPEATING',
    cycles: 3,
  },
  { code: 'AUDIO10', name: '10 % for good', type: 'PERCENT', percent: '10', duration: 'FOREVER' },
  { code: 'LAUNCH50', name: 'Half off, once', type: 'PERCENT', percent: '50', duration: 'ONCE' },
] as const;
