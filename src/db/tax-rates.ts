import type { Instant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { toPercent } from '../domain/money.ts';
import { type TaxRate, validateTaxRate } from '../domain/tax/rates.ts';
import { audit } from './audit.ts';
import type { Tx } from './database.ts';
import { bindEntity } from './entity-binding.ts';
import { newId } from './ids.ts';
import { listPage, type Page } from './listing.ts';
import { onlySent, type Sent } from './sent.ts';

/** What may be said of a rate; an absent (null) place, code, entity or date matches everything. */
export type TaxRateFields = Omit<TaxRate, 'id'>;

export interface TaxRateView extends TaxRate {
  readonly archivedAt: Instant | null;
  readonly createdAt: Instant;
}

export interface TaxRateFilter {
  readonly code?: string | undefined;
  readonly country?: string | undefined;
  readonly region?: string | undefined;
  readonly taxCode?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly archived?: boolean | undefined;
}

const FILTERS = ['code', 'country', 'region', 'taxCode', 'billingEntityId'] as const;

const columns = [
  ...(['id', 'code', 'name', 'percent', 'country', 'region', 'taxCode', 'billingEntityId'] as const),
  ...(['validFrom', 'validTo', 'archivedAt', 'createdAt'] as const),
] as const;

/** @throws `tax.invalid` with every fault; `entity.archived` and `not_found` for its entity. */
export async function createTaxRate(tx: Tx, fields: TaxRateFields, actor: string): Promise<TaxRateView> {
  assertValid(fields);
  if (fields.billingEntityId !== null) await bindEntity(tx, fields.billingEntityId);
  const id = newId('tax');
  await tx.db
    .insertInto('tax_rates')
    .values({ ...fields, tenantId: tx.tenantId, id, archivedAt: null, createdAt: tx.now() })
    .execute();
  await record(tx, actor, 'tax_rate.created', id, { ...fields });
  return readTaxRate(tx, id);
}

/**
 * Changes what is sent. Issued invoices keep what they were taxed with; drafts are taxed anew when they are sealed.
 *
 * @throws those of creation; `conflict` when it is archived.
 */
export async function changeTaxRate(
  tx: Tx,
  id: string,
  sent: Sent<TaxRateFields>,
  actor: string,
): Promise<TaxRateView> {
  const { archivedAt, ...before } = await lockTaxRate(tx, id);
  if (archivedAt !== null) throw archived(before.code, 'changed');
  const change = onlySent(sent);
  assertValid({ ...before, ...change });
  if (change.billingEntityId != null && change.billingEntityId !== before.billingEntityId) {
    await bindEntity(tx, change.billingEntityId);
  }
  if (Object.keys(change).length > 0) {
    await tx.db.updateTable('tax_rates').set(change).where('id', '=', id).execute();
    await record(tx, actor, 'tax_rate.updated', id, change);
  }
  return readTaxRate(tx, id);
}

/** Withdraws a rate, for good: it matches no line any more. @throws `not_found`, `conflict` when it is archived already. */
export async function archiveTaxRate(tx: Tx, id: string, actor: string): Promise<TaxRateView> {
  const { archivedAt, code } = await lockTaxRate(tx, id);
  if (archivedAt !== null) throw archived(code, 'archived again');
  await tx.db.updateTable('tax_rates').set({ archivedAt: tx.now() }).where('id', '=', id).execute();
  await record(tx, actor, 'tax_rate.archived', id, { code });
  return readTaxRate(tx, id);
}

/** @throws `not_found` */
export async function readTaxRate(tx: Tx, id: string): Promise<TaxRateView> {
  return toView(
    await tx.db
      .selectFrom('tax_rates')
      .select(columns)
      .where('id', '=', id)
      .executeTakeFirstOrThrow(() => missing(id)),
  );
}

export async function listTaxRates(
  tx: Tx,
  request: TaxRateFilter & { page: number; size: number; sort: { column: 'createdAt' | 'code'; descending: boolean } },
): Promise<Page<TaxRateView>> {
  let query = tx.db.selectFrom('tax_rates').select(columns);
  for (const column of FILTERS) {
    const wanted = request[column];
    if (wanted !== undefined) query = query.where(column, '=', wanted);
  }
  const { archived: isArchived, sort } = request;
  if (isArchived !== undefined) query = query.where('archivedAt', isArchived ? 'is not' : 'is', null);
  const found = await listPage(query, {
    ...request,
    order: { by: sort.column, id: 'id', descending: sort.descending },
  });
  return { ...found, items: found.items.map(toView) };
}

const lockTaxRate = (tx: Tx, id: string): Promise<TaxRateView> =>
  tx.db
    .selectFrom('tax_rates')
    .select(columns)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow(() => missing(id));

/** @throws `tax.invalid` */
function assertValid(fields: TaxRateFields): void {
  const faults = validateTaxRate(fields);
  if (faults.length === 0) return;
  throw new BillingError('tax.invalid', faults.map(({ message }) => message).join(' '), faults);
}

const toView = (row: TaxRateView): TaxRateView => ({ ...row, percent: toPercent(row.percent) });

const missing = (id: string): BillingError => new BillingError('not_found', `There is no tax rate ${id}.`);

const archived = (code: string, verb: string): BillingError =>
  new BillingError('conflict', `The tax rate ${code} is archived and cannot be ${verb}. Create another one.`);

const record = (tx: Tx, actor: string, action: string, id: string, detail: Record<string, unknown>): Promise<void> =>
  audit(tx, { actor, action, subjectType: 'tax_rate', subjectId: id, detail });
