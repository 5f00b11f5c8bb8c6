import type { Instant } from '../domain/calendar.ts';
import { DEFAULT_PRIORITY } from '../domain/credit/apply-credits.ts';
import { isExpired, type Wallet, type WalletGrant, walletOf } from '../domain/credit/wallet.ts';
import { minorDigits } from '../domain/currency.ts';
import { BillingError } from '../domain/errors.ts';
import { type GrantKind, postingsOfGrant } from '../domain/ledger/grant-postings.ts';
import { decimal, type DecimalString, toAmount } from '../domain/money.ts';
import { audit } from './audit.ts';
import { readEntity } from './billing-entities.ts';
import { readCustomerForBinding, resolveCustomerId } from './customers.ts';
import type { Tx } from './database.ts';
import { readDefaultEntity } from './default-entity.ts';
import { newId } from './ids.ts';
import { listPage, type Page } from './listing.ts';
import { postEntry } from './post-entry.ts';
import { nowOf } from './time.ts';

/** A credit grant as the API shows it. */
export interface GrantView extends WalletGrant {
  readonly kind: GrantKind;
  readonly customerId: string;
}

export interface GrantRequest {
  /** An id or `externalId:<value>`. */
  readonly customerId: string;
  /** Major units, > 0. */
  readonly amount: DecimalString;
  /** The customer's, else its entity's base, unless given. */
  readonly currency?: string | undefined;
  readonly kind: GrantKind;
  /** Lower ones are spent first; 100 unless given. */
  readonly priority?: number | undefined;
  readonly expiresAt?: Instant | null | undefined;
}

export interface GrantFilter {
  readonly customerId?: string | undefined;
  readonly currency?: string | undefined;
  readonly kind?: GrantKind | undefined;
}

const grantColumns = [
  ...(['id', 'customerId', 'kind', 'currency', 'amount', 'remaining', 'priority', 'expiresAt'] as const),
  ...(['sourceInvoiceId', 'createdAt'] as const),
] as const;

/**
 * Gives a customer credit, and posts it to the books of the customer's entity, else of the default one (A2, RN6).
 *
 * @throws `money.scale` for an amount finer than its currency, `request.refused` for one that has expired,
 *         `customer.archived`, `not_found`.
 */
export async function grantCredit(tx: Tx, request: GrantRequest, actor: string): Promise<GrantView> {
  const customer = await readCustomerForBinding(tx, request.customerId, 'owner', 'customerId');
  const entityId = customer.billingEntityId;
  const entity = entityId === null ? await readDefaultEntity(tx) : await readEntity(tx, entityId);
  const currency = request.currency ?? customer.currency ?? entity.baseCurrency;
  const amount = wholeUnits(request.amount, currency);
  const now = await nowOf(tx, customer);
  const { kind, priority = DEFAULT_PRIORITY, expiresAt = null } = request;
  if (isExpired({ expiresAt }, now)) {
    throw refused(
      'request.refused',
      'expiresAt',
      `It has expired: the customer's clock says ${now}. Send a later instant.`,
    );
  }

  const id = newId('crd');
  const row = { id, customerId: customer.id, kind, currency, amount, priority, expiresAt };
  await tx.db
    .insertInto('credit_grants')
    .values({ ...row, tenantId: tx.tenantId, remaining: amount, sourceInvoiceId: null, createdAt: now })
    .execute();
  const postings = postingsOfGrant({ kind, currency, amount });
  await postEntry(tx, { event: 'CREDIT_GRANTED', subjectId: id, entity, currency, postings, postedAt: now });
  const detail = { customerId: customer.id, kind, currency, amount, priority, expiresAt };
  await audit(tx, { actor, action: 'credit.granted', subjectType: 'credit', subjectId: id, detail, happenedAt: now });
  return readGrant(tx, id);
}

/** @throws `money.scale` */
function wholeUnits(amount: DecimalString, currency: string): DecimalString {
  const digits = minorDigits(currency);
  if (decimal(amount).decimalPlaces() <= digits) return toAmount(amount, currency);
  throw refused(
    'money.scale',
    'amount',
    `${amount} is finer than ${currency}, which has ${digits} decimals. Round it first.`,
  );
}

const refused = (code: 'request.refused' | 'money.scale', path: string, message: string): BillingError =>
  new BillingError(code, message, [{ path, message }]);

/** @throws `not_found` */
export async function readGrant(tx: Tx, id: string): Promise<GrantView> {
  const row = await tx.db
    .selectFrom('credit_grants')
    .select(grantColumns)
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => new BillingError('not_found', `There is no credit grant ${id}.`));
  return toView(row);
}

export async function listGrants(
  tx: Tx,
  request: GrantFilter & {
    page: number;
    size: number;
    sort: { column: 'createdAt' | 'expiresAt'; descending: boolean };
  },
): Promise<Page<GrantView>> {
  const { currency, kind, sort } = request;
  const customerId =
    request.customerId === undefined ? undefined : await resolveCustomerId(tx, request.customerId, 'customerId');
  const query = tx.db
    .selectFrom('credit_grants')
    .select(grantColumns)
    .$if(customerId !== undefined, (found) => found.where('customerId', '=', customerId ?? ''))
    .$if(currency !== undefined, (found) => found.where('currency', '=', currency ?? ''))
    .$if(kind !== undefined, (found) => found.where('kind', '=', kind ?? 'PAID'));
  const order = { by: sort.column, id: 'id', descending: sort.descending };
  const found = await listPage(query, { ...request, order });
  return { ...found, items: found.items.map(toView) };
}

/** A customer's wallet at its *now*: what can be spent, every grant, and how it came to that (A2). */
export async function readWallet(tx: Tx, customerId: string): Promise<Wallet & { grants: GrantView[] }> {
  const asOf = await nowOf(tx, { customerId });
  const grants = await tx.db
    .selectFrom('credit_grants')
    .select(grantColumns)
    .where('customerId', '=', customerId)
    .orderBy('createdAt')
    .orderBy('id')
    .execute();
  const uses = await tx.db
    .selectFrom('credit_reservations as r')
    .innerJoin('credit_grants as g', (join) =>
      join.onRef('g.tenantId', '=', 'r.tenantId').onRef('g.id', '=', 'r.grantId'),
    )
    .select(['r.grantId', 'r.invoiceId', 'r.amount', 'r.status', 'r.reservedAt', 'r.settledAt'])
    .where('g.customerId', '=', customerId)
    .orderBy('r.reservedAt')
    .orderBy('r.invoiceId')
    .execute();
  return { ...walletOf({ grants, uses, asOf }), grants: grants.map(toView) };
}

const toView = (row: GrantView): GrantView => ({
  ...row,
  amount: toAmount(row.amount, row.currency),
  remaining: toAmount(row.remaining, row.currency),
});
