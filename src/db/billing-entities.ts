import { sql } from 'kysely';
import type { Instant } from '../domain/calendar.ts';
import type { PostalAddress } from '../domain/customer/address.ts';
import type { EntityStatus } from '../domain/entity/status.ts';
import { BillingError } from '../domain/errors.ts';
import type { RoundingMode } from '../domain/money.ts';
import type { Tx } from './database.ts';
import { refuseOn } from './failures.ts';
import { listPage } from './listing.ts';

/** What may be said when an entity is made; code and base currency are for ever. */
export interface EntityFields {
  readonly displayName: string;
  readonly legalName: string;
  readonly reportingCurrency: string | null;
  readonly countryCode: string;
  /** IANA, known to PostgreSQL and Intl. */
  readonly billingTimezone: string;
  readonly taxRegistrationNumber: string | null;
  readonly taxJurisdiction: string | null;
  readonly address: PostalAddress | null;
  readonly invoiceNumberPrefix: string;
  readonly invoiceNumberFormat: string;
  readonly creditNotePrefix: string;
  readonly creditNoteFormat: string;
  readonly numberReset: 'NEVER' | 'YEARLY' | 'MONTHLY';
  /** Of each stream, >= 1. */
  readonly firstNumber: number;
  readonly roundingMode: RoundingMode;
  readonly zeroInvoices: 'ISSUE' | 'SKIP';
  readonly logoUrl: string | null;
  readonly footerText: string | null;
}

export interface EntityView extends EntityFields {
  readonly id: string;
  readonly entityCode: string;
  readonly baseCurrency: string;
  readonly isDefault: boolean;
  readonly status: EntityStatus;
  readonly createdAt: Instant;
}

/** What holds unless it is said otherwise. */
export const ENTITY_DEFAULTS = {
  reportingCurrency: null,
  billingTimezone: 'UTC',
  taxRegistrationNumber: null,
  taxJurisdiction: null,
  address: null,
  invoiceNumberPrefix: 'INV',
  invoiceNumberFormat: '{prefix}-{seq:0000}',
  creditNotePrefix: 'CN',
  creditNoteFormat: '{prefix}-{seq:0000}',
  numberReset: 'NEVER',
  firstNumber: 1,
  roundingMode: 'HALF_UP',
  zeroInvoices: 'ISSUE',
  logoUrl: null,
  footerText: null,
} as const satisfies Partial<EntityFields>;

/** What an entity cannot do without. */
export type EntityEssentials = Pick<EntityFields, 'displayName' | 'countryCode'> & {
  readonly entityCode: string;
  readonly baseCurrency: string;
};
export type NewEntity = EntityFields & EntityEssentials & { readonly id: string };

/** @throws `entity.code_taken` */
export async function insertEntity(tx: Tx, entity: NewEntity): Promise<void> {
  const row = { ...entity, tenantId: tx.tenantId, status: 'ACTIVE', createdAt: tx.now() } as const;
  await refuseOn({ billing_entities_code_unique: () => codeTaken(entity.entityCode) }, () =>
    tx.db.insertInto('billing_entities').values(row).execute(),
  );
}

const codeTaken = (code: string) =>
  new BillingError('entity.code_taken', `There is an entity with the code ${code} already. Choose another code.`);

export async function updateEntity(
  tx: Tx,
  id: string,
  change: Partial<EntityFields & { status: EntityStatus }>,
): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await tx.db.updateTable('billing_entities').set(change).where('id', '=', id).execute();
}

const entityColumns = [
  'e.id',
  'e.entityCode',
  'e.displayName',
  'e.legalName',
  'e.baseCurrency',
  'e.reportingCurrency',
  'e.countryCode',
  'e.billingTimezone',
  'e.taxRegistrationNumber',
  'e.taxJurisdiction',
  'e.address',
  'e.invoiceNumberPrefix',
  'e.invoiceNumberFormat',
  'e.creditNotePrefix',
  'e.creditNoteFormat',
  'e.numberReset',
  'e.firstNumber',
  'e.roundingMode',
  'e.zeroInvoices',
  'e.logoUrl',
  'e.footerText',
  'e.status',
  'e.createdAt',
] as const;

const selectEntities = (tx: Tx) =>
  tx.db
    .selectFrom('billing_entities as e')
    .innerJoin('tenants as t', 't.id', 'e.tenantId')
    .select(entityColumns)
    .select((e) => e('t.defaultEntityId', '=', e.ref('e.id')).$castTo<boolean>().as('isDefault'));

/** @throws `not_found` */
export const readEntity = (tx: Tx, id: string): Promise<EntityView> =>
  selectEntities(tx).where('e.id', '=', id).executeTakeFirstOrThrow(missing(id));

/**
 * Reads an entity to bind something new to it, and keeps it from being archived meanwhile (E5).
 *
 * @throws `not_found`; `entity.archived`.
 */
export async function readEntityForBinding(tx: Tx, id: string): Promise<EntityView> {
  const entity = await selectEntities(tx).where('e.id', '=', id).forShare('e').executeTakeFirstOrThrow(missing(id));
  if (entity.status !== 'ARCHIVED') return entity;
  throw new BillingError(
    'entity.archived',
    `${entity.entityCode} is archived: nothing new can be bound to it. Name another entity.`,
  );
}

/** Reads an entity and keeps every other change of it, and of the default, waiting until this transaction is done. */
export async function lockEntity(tx: Tx, id: string): Promise<EntityView> {
  await lockDefault(tx);
  return selectEntities(tx).where('e.id', '=', id).forNoKeyUpdate('e').executeTakeFirstOrThrow(missing(id));
}

/** The tenant's row holds the default: locked first, so that two flips, or a flip and a suspension, go one by one. */
export const lockDefault = (tx: Tx): Promise<unknown> =>
  tx.db.selectFrom('tenants').select('id').where('id', '=', tx.tenantId).forNoKeyUpdate().execute();

/** Makes an entity the default; the one before is it no more, in the same statement (E4). */
export const setDefaultEntity = (tx: Tx, id: string): Promise<unknown> =>
  tx.db.updateTable('tenants').set({ defaultEntityId: id }).where('id', '=', tx.tenantId).execute();

export function listEntities(
  tx: Tx,
  request: {
    page: number;
    size: number;
    sort: { column: 'createdAt' | 'entityCode' | 'displayName'; descending: boolean };
    status?: EntityStatus | undefined;
    entityCode?: string | undefined;
  },
) {
  const { status, entityCode, sort } = request;
  const query = selectEntities(tx)
    .$if(status !== undefined, (found) => found.where('e.status', '=', status ?? 'ACTIVE'))
    .$if(entityCode !== undefined, (found) => found.where('e.entityCode', '=', entityCode ?? ''));
  return listPage(query, { ...request, order: { by: `e.${sort.column}`, id: 'e.id', descending: sort.descending } });
}

/** Whether a first invoice was numbered: from then on `firstNumber` stands (RN1). */
export async function hasNumbered(tx: Tx, entityId: string): Promise<boolean> {
  const stream = await tx.db
    .selectFrom('number_streams')
    .select('nextNumber')
    .where('billingEntityId', '=', entityId)
    .limit(1)
    .executeTakeFirst();
  return stream !== undefined;
}

/** Whether PostgreSQL lists a zone by exactly this name; its own arithmetic, as for E8's abbreviations, relies on it (E2). */
export async function isDatabaseTimezone(tx: Tx, name: string): Promise<boolean> {
  const { rows } = await sql`select 1 from pg_timezone_names where name = ${name}`.execute(tx.db);
  return rows.length > 0;
}

const missing = (id: string) => () => new BillingError('not_found', `There is no billing entity ${id}.`);
