import { sql } from 'kysely';
import type { Tx } from '../database.ts';
import {
  type AccountPart,
  type CreditPart,
  INLINE_LINES_MAX,
  type InvoiceParts,
  type LinePart,
  type TaxPart,
} from './view.ts';

/**
 * What hangs on invoices, in three statements however many they are, and two more with their lines.
 *
 * @returns by invoice id; of lines the first `INLINE_LINES_MAX` and one more, which tells that there are more.
 */
export async function loadParts(
  tx: Tx,
  invoiceIds: readonly string[],
  options: { lines: boolean },
): Promise<Map<string, InvoiceParts>> {
  if (invoiceIds.length === 0) return new Map();
  const taxes = Map.groupBy(await taxRows(tx, invoiceIds), ({ invoiceId }) => invoiceId);
  const credits = Map.groupBy(await creditRows(tx, invoiceIds), ({ invoiceId }) => invoiceId);
  const accounts = Map.groupBy(await accountRows(tx, invoiceIds), ({ invoiceId }) => invoiceId);
  const lines = options.lines ? await firstLines(tx, invoiceIds) : undefined;
  return new Map(
    invoiceIds.map((id) => [
      id,
      {
        taxes: taxes.get(id) ?? [],
        credits: (credits.get(id) ?? []).map(({ invoiceId: _, ...credit }) => credit),
        accounts: accounts.get(id) ?? [],
        ...(lines === undefined ? {} : { lines: lines.get(id) ?? [] }),
      },
    ]),
  );
}

const among = (ids: readonly string[]) => sql<string>`any(${ids}::text[])`;

const taxRows = (tx: Tx, invoiceIds: readonly string[]): Promise<(TaxPart & { invoiceId: string })[]> =>
  tx.db
    .selectFrom('invoice_taxes')
    .where('invoiceId', '=', among(invoiceIds))
    .orderBy('invoiceId')
    .orderBy('position')
    .select(['invoiceId', 'code', 'name', 'percent', 'base', 'amount', 'reason'])
    .execute();

/** What grants pay of invoices, in the order in which they are spent (RO5); what was given back is not shown. */
const creditRows = (tx: Tx, invoiceIds: readonly string[]): Promise<(CreditPart & { invoiceId: string })[]> =>
  tx.db
    .selectFrom('credit_reservations as r')
    .innerJoin('credit_grants as g', (join) =>
      join.onRef('g.tenantId', '=', 'r.tenantId').onRef('g.id', '=', 'r.grantId'),
    )
    .where('r.invoiceId', '=', among(invoiceIds))
    .where('r.status', '<>', 'RELEASED')
    .orderBy('r.invoiceId')
    .orderBy('g.priority')
    .orderBy('g.expiresAt', (order) => order.asc().nullsLast())
    .orderBy('g.createdAt')
    .orderBy('g.id')
    .select(['r.invoiceId', 'r.grantId', 'g.kind', 'r.amount'])
    .execute();

const accountRows = (tx: Tx, invoiceIds: readonly string[]): Promise<(AccountPart & { invoiceId: string })[]> =>
  tx.db
    .selectFrom('invoice_accounts')
    .where('invoiceId', '=', among(invoiceIds))
    .orderBy('invoiceId')
    .orderBy('position')
    .select(['invoiceId', 'customerId', 'externalId', 'name', 'label', 'subtotal', 'discount', 'tax', 'total'])
    .execute();

/** Lines with the account that each is billed from, under the name sealed with the invoice where it is. */
export const selectLines = (tx: Tx) =>
  tx.db
    .selectFrom('invoice_lines as l')
    .innerJoin('customers as o', (join) =>
      join.onRef('o.tenantId', '=', 'l.tenantId').onRef('o.id', '=', 'l.ownerCustomerId'),
    )
    .leftJoin('invoice_accounts as a', (join) =>
      join
        .onRef('a.tenantId', '=', 'l.tenantId')
        .onRef('a.invoiceId', '=', 'l.invoiceId')
        .onRef('a.customerId', '=', 'l.ownerCustomerId'),
    )
    .select([
      ...(['l.id', 'l.invoiceId', 'l.position', 'l.kind', 'l.description', 'l.subscriptionId', 'l.priceCode'] as const),
      ...(['l.chargeId', 'l.ownerCustomerId', 'l.periodStart', 'l.periodEnd', 'l.quantity', 'l.unitAmount'] as const),
      ...(['l.amount', 'l.discount', 'l.taxable', 'l.taxPercent', 'l.tax', 'l.total', 'l.creditsLineId'] as const),
      ...(['a.customerId as accountId', 'a.name as accountName', 'a.externalId as accountExternalId'] as const),
      ...(['o.name as ownerName', 'o.externalId as ownerExternalId'] as const),
    ]);

type LineRow = Awaited<ReturnType<ReturnType<typeof selectLines>['execute']>>[number];

async function firstLines(tx: Tx, invoiceIds: readonly string[]): Promise<Map<string, LinePart[]>> {
  const ranked = tx.db
    .selectFrom('invoice_lines')
    .where('invoiceId', '=', among(invoiceIds))
    .select(['id', sql<number>`row_number() over (partition by invoice_id order by position)`.as('place')])
    .as('first');
  const rows = await selectLines(tx)
    .innerJoin(ranked, 'first.id', 'l.id')
    .where('l.invoiceId', '=', among(invoiceIds))
    .where('first.place', '<=', INLINE_LINES_MAX + 1)
    .orderBy('l.invoiceId')
    .orderBy('l.position')
    .execute();
  const lines = await withTaxes(tx, rows);
  return Map.groupBy(lines, ({ invoiceId }) => invoiceId);
}

/** Completes line rows with what each rate put on them, in one statement. */
export async function withTaxes(
  tx: Tx,
  rows: readonly LineRow[],
): Promise<(LinePart & { invoiceId: string; position: number })[]> {
  const taxes = await tx.db
    .selectFrom('line_taxes')
    .where('lineId', '=', among(rows.map(({ id }) => id)))
    .orderBy('lineId')
    .orderBy('position')
    .select(['lineId', 'code', 'name', 'percent', 'base', 'amount', 'reason'])
    .execute();
  const taxesOf = Map.groupBy(taxes, ({ lineId }) => lineId);
  return rows.map((row) => ({ ...row, owner: ownerOf(row), taxes: taxesOf.get(row.id) ?? [] }));
}

const ownerOf = (row: LineRow): LinePart['owner'] => {
  const isNamed = row.accountId !== null;
  return {
    customerId: row.ownerCustomerId,
    externalId: isNamed ? row.accountExternalId : row.ownerExternalId,
    name: isNamed ? (row.accountName ?? row.ownerName) : row.ownerName,
  };
};
