import type { InvoiceEntitySnapshot, InvoicePayerSnapshot } from '../../domain/invoice/snapshot.ts';
import type { Tx } from '../database.ts';
import type { InvoiceHead } from './view.ts';

/** Invoices with what their entity, payer and group say at this moment, for drafts. */
export const selectInvoices = (tx: Tx) =>
  tx.db
    .selectFrom('invoices as v')
    .innerJoin('billing_entities as e', (join) =>
      join.onRef('e.tenantId', '=', 'v.tenantId').onRef('e.id', '=', 'v.billingEntityId'),
    )
    .innerJoin('customers as p', (join) =>
      join.onRef('p.tenantId', '=', 'v.tenantId').onRef('p.id', '=', 'v.payerCustomerId'),
    )
    .leftJoin('billing_groups as g', (join) =>
      join.onRef('g.tenantId', '=', 'v.tenantId').onRef('g.id', '=', 'v.billingGroupId'),
    )
    .select([
      ...(['v.id', 'v.number', 'v.status', 'v.kind', 'v.runId', 'v.billingGroupId', 'v.splitSubscriptionId'] as const),
      ...(['v.currency', 'v.timezone', 'v.boundaryAt', 'v.issuedAt', 'v.issueDate', 'v.issueDateText'] as const),
      ...(['v.dueDate', 'v.purchaseOrder', 'v.entitySnapshot', 'v.payerSnapshot', 'v.subtotal'] as const),
      ...(['v.discountTotal', 'v.taxTotal', 'v.total', 'v.creditGranted', 'v.creditsApplied', 'v.amountPaid'] as const),
      ...(['v.amountDue', 'v.replacesInvoiceId', 'v.replacedByInvoiceId'] as const),
      ...(['v.createdAt', 'v.paidAt', 'v.voidedAt', 'g.purchaseOrder as groupPurchaseOrder'] as const),
      ...entityColumns,
      ...payerColumns,
    ]);

/** What a document says of the entity that issues it. */
export const entityColumns = [
  ...(['e.id as entityId', 'e.entityCode', 'e.displayName', 'e.legalName', 'e.countryCode'] as const),
  ...([
    'e.address as entityAddress',
    'e.taxRegistrationNumber',
    'e.taxJurisdiction',
    'e.logoUrl',
    'e.footerText',
  ] as const),
] as const;

/** What a document says of its payer. */
export const payerColumns = [
  ...(['p.id as payerId', 'p.externalId as payerExternalId', 'p.name as payerName'] as const),
  ...(['p.email as payerEmail', 'p.taxId as payerTaxId', 'p.address as payerAddress'] as const),
] as const;

export type InvoiceRow = Awaited<ReturnType<ReturnType<typeof selectInvoices>['execute']>>[number];

/** What was sealed (RN3); a draft has no snapshot yet and shows what would be copied in now. */
export function toHead(row: InvoiceRow): InvoiceHead {
  const isDraft = row.status === 'DRAFT';
  return {
    ...row,
    entity: row.entitySnapshot ?? presentEntity(row),
    payer: row.payerSnapshot ?? presentPayer(row),
    purchaseOrder: isDraft ? (row.purchaseOrder ?? row.groupPurchaseOrder) : row.purchaseOrder,
  };
}

/** The entity as a document issued now would say. */
export const presentEntity = (
  row: Pick<
    InvoiceRow,
    | 'entityId'
    | 'entityCode'
    | 'displayName'
    | 'legalName'
    | 'countryCode'
    | 'entityAddress'
    | 'taxRegistrationNumber'
    | 'taxJurisdiction'
    | 'logoUrl'
    | 'footerText'
  >,
): InvoiceEntitySnapshot => ({
  id: row.entityId,
  entityCode: row.entityCode,
  displayName: row.displayName,
  legalName: row.legalName,
  countryCode: row.countryCode,
  address: row.entityAddress,
  taxRegistrationNumber: row.taxRegistrationNumber,
  taxJurisdiction: row.taxJurisdiction,
  logoUrl: row.logoUrl,
  footerText: row.footerText,
});

/** The payer as a document issued now would say. */
export const presentPayer = (
  row: Pick<InvoiceRow, 'payerId' | 'payerExternalId' | 'payerName' | 'payerEmail' | 'payerTaxId' | 'payerAddress'>,
): InvoicePayerSnapshot => ({
  id: row.payerId,
  externalId: row.payerExternalId,
  name: row.payerName,
  email: row.payerEmail,
  taxId: row.payerTaxId,
  address: row.payerAddress,
});
