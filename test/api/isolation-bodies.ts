import { flat } from '../support/billing-shapes.ts';
import type { Names } from '../support/full-tenant.ts';

type Body = Readonly<Record<string, unknown>>;

const NONE: (of: Names) => Body[] = () => [{}];

/**
 * For each operation that takes a body, bodies that a tenant may send with the names of its own things: between them they
 * hold every field that names something. `PATCH` sends what `PUT` does. `mark` stands in what must not be there yet.
 */
export const BODIES: Readonly<Record<string, (of: Names, mark: string) => readonly Body[]>> = {
  'PUT /tenant': () => [{ name: 'Renamed' }],
  'POST /api-keys': () => [{ name: 'Another', scopes: ['read'] }],
  'POST /billing-entities': (_, mark) => [
    { entityCode: mark.toUpperCase(), displayName: mark, baseCurrency: 'EUR', countryCode: 'DE' },
  ],
  'PUT /billing-entities/{entityId}': () => [{ footerText: 'Changed' }],
  'POST /customers': (of) => [
    { name: 'New', billingEntityId: of.entityId, testClockId: of.testClockId },
    { name: 'New child', parentCustomerId: of.customerId },
  ],
  'PUT /customers/{customerId}': (of) => [
    { billingEntityId: of.entityId },
    { parentCustomerId: of.otherCustomerId },
    { testClockId: of.testClockId },
  ],
  'POST /customers/{customerId}/contacts': () => [{ name: 'New', email: 'new@payer.example' }],
  'PUT /customers/{customerId}/contacts/{contactId}': () => [{ name: 'Renamed' }],
  'POST /customers/{customerId}/aliases': (_, mark) => [{ alias: `alias-of-${mark}` }],
  'POST /subscriptions': subscriptions,
  'PUT /subscriptions/{subscriptionId}': (of) => [
    { billingGroupId: of.namedGroupId },
    { invoicingCustomerId: of.customerId },
  ],
  'POST /subscriptions/{subscriptionId}/cancel': NONE,
  'POST /billing-groups': (of) => [{ payerCustomerId: of.customerId, billingEntityId: of.entityId }],
  'PUT /billing-groups/{billingGroupId}': () => [{ name: 'Renamed' }],
  'POST /billing-groups/{billingGroupId}/skip': NONE,
  'POST /billing-groups/{billingGroupId}/realign': () => [{ anchorDate: '2026-05-05', effective: '2026-05-05' }],
  'POST /charges': (of) => {
    const charge = { customerId: of.customerId, description: 'New', amount: '1.00' };
    return [
      { ...charge, billingGroupId: of.namedGroupId },
      { ...charge, invoicingCustomerId: of.customerId },
      { ...charge, billingEntityId: of.entityId },
    ];
  },
  'POST /plans': (of, mark) => [
    { code: `plan-of-${mark}`, prices: [flat('x', '1.00')], billingEntityId: of.entityId, taxCode: of.taxCode },
  ],
  'PUT /plans/{planId}': (of) => [{ billingEntityId: of.entityId }],
  'POST /prices/preview': () => [{ price: flat('x', '1.00'), currency: 'EUR' }],
  'POST /schedules/preview': () => [
    { anchorDate: '2026-03-01', timezone: 'UTC', cadence: { interval: 'MONTH', count: 1 } },
  ],
  'POST /coupons': (_, mark) => [{ code: `coupon-of-${mark}`, type: 'PERCENT', percent: '1' }],
  'POST /coupon-redemptions': (of) => [
    { couponCode: of.couponCode, customerId: of.otherCustomerId },
    { couponCode: of.couponCode, subscriptionId: of.subscriptionId },
  ],
  'POST /credits': (of) => [{ customerId: of.customerId, amount: '1.00' }],
  'POST /tax-rates': (of, mark) => [{ code: `rate-of-${mark}`, percent: '1', billingEntityId: of.entityId }],
  'PUT /tax-rates/{taxRateId}': (of) => [{ billingEntityId: of.entityId }],
  'POST /test-clocks': () => [{ now: '2026-03-01T00:00:00Z' }],
  'POST /test-clocks/{testClockId}/advance': () => [{ to: '2026-03-01T00:00:00Z' }],
};

function subscriptions(of: Names): Body[] {
  const own = { customerId: of.customerId, prices: [flat('x', '1.00')] };
  return [
    { customerId: of.customerId, planCode: of.planCode },
    { ...own, billingEntityId: of.entityId },
    { ...own, invoicingCustomerId: of.otherCustomerId },
    { ...own, billingGroupId: of.namedGroupId },
    { ...own, groupedSubscriptionIds: [of.otherSubscriptionId] },
    { ...own, coupons: [of.couponCode] },
  ];
}

/** Fields that name something by a code that people chose. */
export const CODE_REFERENCES = ['planCode', 'couponCode', 'coupons[]'];

/** Fields that take any text, and name nothing that there is: what their last part may be. */
export const PLAIN_FIELDS = new Set(
  `name displayName legalName firstName lastName email taxId footerText description purchaseOrder alias aliases[] externalId
   entityCode code taxCode meter invoiceNumberPrefix invoiceNumberFormat creditNotePrefix creditNoteFormat logoUrl
   taxRegistrationNumber taxJurisdiction line1 line2 city region postalCode country
   currency baseCurrency reportingCurrency countryCode taxCountry billingTimezone timezone effective start end
   amount unitAmount flatAmount percent taxRate minimumAmount maximumAmount freeAmount perEventMinimum perEventMaximum
   quantity quantities{} upTo packageSize freeUnits freeEvents`.split(/\s+/),
);

/** Fields that can never be changed: refused whatever they name, in the same words. */
export const IMMUTABLE_FIELDS = [
  'PUT /customers/{customerId} testClockId',
  'PUT /subscriptions/{subscriptionId} invoicingCustomerId',
];

/** Filters that compare with what is no name: nothing of another tenant can be asked for with them. */
export const PLAIN_FILTERS = [
  'sort',
  'currency',
  'country',
  'region',
  'subjectType',
  'action',
  'boundaryFrom',
  'boundaryTo',
  'issueDateFrom',
  'issueDateTo',
];
