import { sql } from 'kysely';
import type { CalendarDate, Instant } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import type { Tx } from '../database.ts';
import { type Feed, listFeed } from '../listing.ts';
import type { InvoiceKind, InvoiceStatus } from '../schema/invoices.table.ts';
import { type InvoiceRow, selectInvoices, toHead } from './heads.ts';
import { loadParts, selectLines, withTaxes } from './parts.ts';
import { type InvoiceView, type LineView, renderInvoice, renderLine } from './view.ts';

/** Which invoices; what is undefined matches all. Every `From` and `To` is inclusive. */
export interface InvoiceFilters {
  readonly payerCustomerId?: string | undefined;
  readonly billingGroupId?: string | undefined;
  readonly billingEntityId?: string | undefined;
  /** Those with a line of the subscription. */
  readonly subscriptionId?: string | undefined;
  readonly status?: InvoiceStatus | undefined;
  readonly kind?: InvoiceKind | undefined;
  readonly number?: string | undefined;
  /** An instant, or a local date in the invoice's zone. */
  readonly boundaryFrom?: BoundaryLimit | undefined;
  readonly boundaryTo?: BoundaryLimit | undefined;
  readonly issueDateFrom?: CalendarDate | undefined;
  readonly issueDateTo?: CalendarDate | undefined;
}

export type BoundaryLimit = { readonly at: Instant } | { readonly on: CalendarDate };

export interface FeedRequest {
  readonly page: number;
  readonly size: number;
  readonly cursor?: string | undefined;
  readonly descending: boolean;
}

/** @throws `not_found` */
export async function readInvoice(tx: Tx, id: string): Promise<InvoiceView> {
  const [view] = await toViews(tx, [await readInvoiceRow(tx, id)], { lines: true });
  return view as InvoiceView;
}

/** A stretch of invoices, in the order of their creation, in a handful of statements whatever its size. */
export async function listInvoices(
  tx: Tx,
  request: FeedRequest & InvoiceFilters & { lines: boolean },
): Promise<Feed<InvoiceView>> {
  const isClustered = DATES.some((name) => request[name] !== undefined);
  const order = { by: 'v.created_at', id: 'v.id', descending: request.descending, isClustered };
  const feed = { ...request, cursor: request.cursor, order, keys: filtered(tx, request) };
  const found = await listFeed(selectInvoices(tx), feed, (row) => [row.createdAt, row.id]);
  return { ...found, items: await toViews(tx, found.items, { lines: request.lines }) };
}

/**
 * The lines of an invoice, all of them, in the order of the document.
 *
 * @throws `not_found`
 */
export async function listInvoiceLines(tx: Tx, id: string, request: FeedRequest): Promise<Feed<LineView>> {
  const { currency, timezone, payer } = toHead(await readInvoiceRow(tx, id));
  const keys = tx.db.selectFrom('invoice_lines as l').where('l.invoiceId', '=', id);
  const order = { by: 'l.position', id: 'l.id', descending: request.descending };
  const feed = { ...request, cursor: request.cursor, order, keys };
  const found = await listFeed(selectLines(tx), feed, (row) => [String(row.position), row.id]);
  const lines = await withTaxes(tx, found.items);
  return { ...found, items: lines.map((line) => renderLine(line, { currency, timezone, payer })) };
}

const readInvoiceRow = (tx: Tx, id: string): Promise<InvoiceRow> =>
  selectInvoices(tx).where('v.id', '=', id).executeTakeFirstOrThrow(missingInvoice(id));

/** The refusal of an id that is not there, or is another tenant's. */
export const missingInvoice = (id: string) => () => new BillingError('not_found', `There is no invoice ${id}.`);

async function toViews(tx: Tx, rows: readonly InvoiceRow[], options: { lines: boolean }): Promise<InvoiceView[]> {
  const parts = await loadParts(
    tx,
    rows.map(({ id }) => id),
    options,
  );
  return rows.map((row) => renderInvoice(toHead(row), parts.get(row.id) ?? { taxes: [], credits: [], accounts: [] }));
}

const DATES = ['boundaryFrom', 'boundaryTo', 'issueDateFrom', 'issueDateTo'] as const;
const EQUAL = ['payerCustomerId', 'billingGroupId', 'billingEntityId', 'status', 'kind', 'number'] as const;

function filtered(tx: Tx, filters: InvoiceFilters) {
  let query = tx.db.selectFrom('invoices as v');
  for (const column of EQUAL) {
    const wanted = filters[column];
    if (wanted !== undefined) query = query.where(`v.${column}`, '=', wanted);
  }
  const { subscriptionId, boundaryFrom, boundaryTo, issueDateFrom, issueDateTo } = filters;
  if (subscriptionId !== undefined) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('invoice_lines as l')
          .select('l.id')
          .whereRef('l.tenantId', '=', 'v.tenantId')
          .whereRef('l.invoiceId', '=', 'v.id')
          .where('l.subscriptionId', '=', subscriptionId),
      ),
    );
  }
  if (boundaryFrom !== undefined) query = query.where(boundary('>=', boundaryFrom));
  if (boundaryTo !== undefined) query = query.where(boundary('<=', boundaryTo));
  if (issueDateFrom !== undefined) query = query.where('v.issueDate', '>=', issueDateFrom);
  if (issueDateTo !== undefined) query = query.where('v.issueDate', '<=', issueDateTo);
  return query;
}

/** A local date is compared in each invoice's zone; no zone is a day off from UTC, which lets an index find the rows. */
function boundary(comparison: '>=' | '<=', limit: BoundaryLimit) {
  const compare = sql.raw(comparison);
  if ('at' in limit) return sql<boolean>`v.boundary_at ${compare} ${limit.at}::timestamptz`;
  return sql<boolean>`(v.boundary_at at time zone v.timezone)::date ${compare} ${limit.on}::date
    and v.boundary_at ${compare} (${limit.on}::date ${sql.raw(comparison === '>=' ? '- 1' : '+ 2')})::timestamptz`;
}
