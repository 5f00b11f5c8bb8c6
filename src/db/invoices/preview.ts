import { sql } from 'kysely';
import type { Instant } from '../../domain/calendar.ts';
import { previewGroup, type PreviewedInvoice } from '../billing/preview.ts';
import type { LoadedGroup } from '../billing/group-state.ts';
import type { Tx } from '../database.ts';
import { entityColumns, payerColumns, presentEntity, presentPayer } from './heads.ts';
import {
  type AccountPart,
  type InvoiceHead,
  type InvoiceView,
  type LinePart,
  type NamedAccount,
  renderInvoice,
} from './view.ts';

/** What a group's next boundary would issue. */
export interface GroupPreview {
  readonly boundaryAt: Instant;
  readonly invoices: InvoiceView<null>[];
}

/**
 * RN8, I3: the invoices of a group's next boundary as things stand, drawn by what draws stored ones. Without id, number
 * and issue date: it is not issued. Writes nothing.
 *
 * @throws `not_found`; `group.status` when nothing is to be billed.
 */
export async function previewInvoices(tx: Tx, groupId: string): Promise<GroupPreview> {
  const { group, boundaryAt, invoices } = await previewGroup(tx, groupId);
  const head = await headOf(tx, group, boundaryAt);
  const names = await namesOf(tx, invoices);
  return { boundaryAt, invoices: invoices.map((invoice) => render(head, invoice, names)) };
}

type SharedHead = Omit<InvoiceHead<null>, 'splitSubscriptionId' | keyof PreviewedInvoice['settlement']>;

/** What all invoices of the event have in common. */
async function headOf(tx: Tx, group: LoadedGroup, boundaryAt: Instant): Promise<SharedHead> {
  const row = await tx.db
    .selectFrom('billing_groups as g')
    .innerJoin('billing_entities as e', (join) =>
      join.onRef('e.tenantId', '=', 'g.tenantId').onRef('e.id', '=', 'g.billingEntityId'),
    )
    .innerJoin('customers as p', (join) =>
      join.onRef('p.tenantId', '=', 'g.tenantId').onRef('p.id', '=', 'g.payerCustomerId'),
    )
    .where('g.id', '=', group.groupId)
    .select(['g.timezone', 'g.purchaseOrder', ...entityColumns, ...payerColumns])
    .executeTakeFirstOrThrow();
  return {
    ...NOT_ISSUED,
    entity: presentEntity(row),
    payer: presentPayer(row),
    billingGroupId: group.groupId,
    currency: group.currency,
    timezone: row.timezone,
    boundaryAt,
    purchaseOrder: row.purchaseOrder,
  };
}

const NOT_ISSUED = {
  id: null,
  number: null,
  status: 'DRAFT',
  kind: 'RECURRING',
  runId: null,
  issuedAt: null,
  issueDate: null,
  issueDateText: null,
  dueDate: null,
  amountPaid: '0',
  replacesInvoiceId: null,
  replacedByInvoiceId: null,
  createdAt: null,
  paidAt: null,
  voidedAt: null,
} as const satisfies Partial<InvoiceHead<null>>;

/** The names that each owner of a line has now. */
async function namesOf(tx: Tx, invoices: readonly PreviewedInvoice[]): Promise<Map<string, NamedAccount>> {
  const owners = new Set(invoices.flatMap(({ lines }) => lines.map(({ ownerId }) => ownerId)));
  const rows = await tx.db
    .selectFrom('customers')
    .where('id', '=', sql<string>`any(${[...owners]}::text[])`)
    .select(['id as customerId', 'externalId', 'name'])
    .execute();
  return new Map(rows.map((row) => [row.customerId, row]));
}

function render(
  shared: SharedHead,
  invoice: PreviewedInvoice,
  names: ReadonlyMap<string, NamedAccount>,
): InvoiceView<null> {
  const { settlement, splitSubscriptionId } = invoice;
  const head: InvoiceHead<null> = { ...shared, ...settlement, splitSubscriptionId };
  const accounts = settlement.accounts.map((account): AccountPart => ({
    ...account,
    ...nameOf(account.customerId, names),
  }));
  return renderInvoice(head, {
    taxes: settlement.taxes,
    credits: settlement.credits,
    accounts,
    lines: linesOf(invoice, names),
  });
}

/** A collected line and its settled figures, side by side in one order. */
const linesOf = ({ lines, settlement }: PreviewedInvoice, names: ReadonlyMap<string, NamedAccount>): LinePart<null>[] =>
  lines.map((line, index) => {
    const figures = settlement.lines[index];
    if (figures === undefined) throw new Error(`Line ${index} was not settled.`);
    return { ...line, ...figures, id: null, owner: nameOf(line.ownerId, names) };
  });

function nameOf(customerId: string, names: ReadonlyMap<string, NamedAccount>): NamedAccount {
  const named = names.get(customerId);
  if (named === undefined) throw new Error(`Customer ${customerId} has a line and no name.`);
  return named;
}
