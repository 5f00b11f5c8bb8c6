import { expect, test } from 'vitest';
import { INLINE_LINES_MAX, type InvoiceHead, type LinePart, renderInvoice } from '../../src/db/invoices/view.ts';

const entity = {
  id: 'ent',
  entityCode: 'KW',
  displayName: 'KW',
  legalName: 'KW',
  countryCode: 'KW',
  address: null,
  taxRegistrationNumber: null,
  taxJurisdiction: null,
  logoUrl: null,
  footerText: null,
};
const payer = { id: 'cus', externalId: null, name: 'Payer', email: null, taxId: null, address: null };
const head: InvoiceHead = {
  ...{
    id: 'inv',
    number: null,
    status: 'DRAFT',
    kind: 'RECURRING',
    entity,
    payer,
    billingGroupId: null,
    splitSubscriptionId: null,
  },
  ...{
    runId: null,
    currency: 'KWD',
    timezone: 'Asia/Kathmandu',
    boundaryAt: '2026-03-01T18:15:00.000Z',
    issuedAt: null,
  },
  ...{
    issueDate: null,
    issueDateText: null,
    dueDate: null,
    purchaseOrder: null,
    subtotal: '1.500000000000',
    discountTotal: '0',
  },
  ...{ taxTotal: '0', total: '1.5', creditGranted: '0', creditsApplied: '0', amountPaid: '0', amountDue: '1.5' },
  ...{ replacesInvoiceId: null, replacedByInvoiceId: null, createdAt: null, paidAt: null, voidedAt: null },
};
const line: LinePart = {
  ...{ id: 'lin', kind: 'RECURRING', description: 'x', subscriptionId: null, priceCode: 'x', chargeId: null },
  ...{ owner: { customerId: 'cus', externalId: null, name: 'Payer' }, periodStart: null, periodEnd: null },
  ...{
    quantity: '2.500000000000',
    unitAmount: '0.600000000000',
    amount: '1.500000000000',
    discount: '0',
    taxable: '1.5',
  },
  ...{ taxPercent: '8.875000', tax: '0', total: '1.5', creditsLineId: null, taxes: [] },
};
const none = { taxes: [], credits: [], accounts: [] };

test('amounts have the digits of their currency, unit amounts and quantities none too many, per cents two at least', () => {
  const view = renderInvoice(head, { ...none, lines: [line] });
  expect([view.subtotal, view.discountTotal, view.boundaryAt]).toEqual([
    '1.500',
    '0.000',
    '2026-03-02T00:00:00.000+05:45',
  ]);
  expect(view.lines?.[0]).toMatchObject({ quantity: '2.5', unitAmount: '0.6', amount: '1.500', taxPercent: '8.875' });
});

test.each([
  { lines: 0, shown: 0, truncated: false },
  { lines: INLINE_LINES_MAX, shown: 500, truncated: false },
  { lines: INLINE_LINES_MAX + 1, shown: 500, truncated: true },
])('of $lines lines it shows $shown', ({ lines, shown, truncated }) => {
  const view = renderInvoice(head, { ...none, lines: Array.from({ length: lines }, () => line) });
  expect([view.lines?.length, view.linesTruncated]).toEqual([shown, truncated]);
});

test('lines that were not asked for are absent, not empty', () => {
  const view = renderInvoice(head, none);
  expect('lines' in view || 'linesTruncated' in view).toBe(false);
});
