import { sql } from 'kysely';
import type { Instant } from '../domain/calendar.ts';
import type { PostalAddress } from '../domain/customer/address.ts';
import { type BillTo, resolvePayer } from '../domain/customer/hierarchy.ts';
import { assertActive, type CustomerStatus } from '../domain/customer/status.ts';
import { BillingError } from '../domain/errors.ts';
import type { Tx } from './database.ts';

/** A customer without what lies around it in the tree. */
export interface CustomerRow {
  readonly id: string;
  readonly externalId: string | null;
  readonly name: string;
  readonly email: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly currency: string | null;
  readonly address: PostalAddress | null;
  /** Per cent, six decimals as the column has them; null when `/tax-rates` decide. */
  readonly taxRate: string | null;
  readonly taxExempt: boolean;
  readonly taxId: string | null;
  readonly taxCountry: string | null;
  readonly billingEntityId: string | null;
  readonly billTo: BillTo;
  readonly paymentTermsDays: number;
  readonly autoPay: boolean;
  readonly invoicingFlow: 'AUTOMATIC' | 'REVIEW';
  readonly status: CustomerStatus;
  readonly testClockId: string | null;
  readonly createdAt: Instant;
}

export const customerColumns = [
  'c.id',
  'c.externalId',
  'c.name',
  'c.email',
  'c.firstName',
  'c.lastName',
  'c.currency',
  'c.address',
  'c.taxRate',
  'c.taxExempt',
  'c.taxId',
  'c.taxCountry',
  'c.billingEntityId',
  'c.billTo',
  'c.paymentTermsDays',
  'c.autoPay',
  'c.invoicingFlow',
  'c.status',
  'c.testClockId',
  'c.createdAt',
] as const satisfies readonly `c.${keyof CustomerRow}`[];

const EXTERNAL = 'externalId:';

/**
 * The id that a reference means: an id itself, or `externalId:<value>` for any alias of a customer.
 *
 * @param path the field that holds the reference, for the error; absent when it is the path of the URL.
 * @throws `not_found`, also for another tenant's.
 */
export async function resolveCustomerId(tx: Tx, reference: string, path?: string): Promise<string> {
  const [id] = await resolveCustomerIds(tx, [reference], path);
  if (id === undefined) throw missingCustomer(reference, path);
  return id;
}

/** The ids that references mean, in their order, found in two statements however many there are. */
export async function resolveCustomerIds(tx: Tx, references: readonly string[], path?: string): Promise<string[]> {
  const aliases = references.filter(isExternal).map(aliasOf);
  const ids = references.filter((reference) => !isExternal(reference));
  const byAlias =
    aliases.length === 0
      ? []
      : await tx.db
          .selectFrom('customer_aliases')
          .select(['alias', 'customerId'])
          .where('alias', 'in', aliases)
          .execute();
  const existing =
    ids.length === 0 ? [] : await tx.db.selectFrom('customers').select('id').where('id', 'in', ids).execute();
  const found = new Map([
    ...byAlias.map(({ alias, customerId }): [string, string] => [EXTERNAL + alias, customerId]),
    ...existing.map(({ id }): [string, string] => [id, id]),
  ]);
  return references.map((reference) => {
    const id = found.get(reference);
    if (id === undefined) throw missingCustomer(reference, path);
    return id;
  });
}

const isExternal = (reference: string): boolean => reference.startsWith(EXTERNAL);
const aliasOf = (reference: string): string => reference.slice(EXTERNAL.length);

function missingCustomer(reference: string, path: string | undefined): BillingError {
  const message = isExternal(reference)
    ? `There is no customer with the external id '${aliasOf(reference)}'.`
    : `There is no customer ${reference}.`;
  return new BillingError('not_found', message, path === undefined ? [] : [{ path, message }]);
}

/** @throws `not_found` */
export const readCustomerRow = (tx: Tx, id: string): Promise<CustomerRow> =>
  tx.db
    .selectFrom('customers as c')
    .select(customerColumns)
    .where('c.id', '=', id)
    .executeTakeFirstOrThrow(() => missingCustomer(id, undefined));

/** Reads a customer and keeps other changes of it waiting until this transaction is done. */
export const lockCustomer = (tx: Tx, id: string): Promise<CustomerRow> =>
  tx.db
    .selectFrom('customers as c')
    .select(customerColumns)
    .where('c.id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow(() => missingCustomer(id, undefined));

/**
 * Reads a customer to make it owner, payer or parent of something new, and keeps it from being archived meanwhile.
 *
 * @param path the field that names it, for the error.
 * @throws `not_found`, `customer.archived`, `payer.inactive`.
 */
export async function readCustomerForBinding(
  tx: Tx,
  reference: string,
  role: 'owner' | 'payer' | 'parent',
  path: string,
): Promise<CustomerRow> {
  const id = await resolveCustomerId(tx, reference, path);
  const customer = await tx.db
    .selectFrom('customers as c')
    .select(customerColumns)
    .where('c.id', '=', id)
    .forShare()
    .executeTakeFirstOrThrow(() => missingCustomer(reference, path));
  assertActive(customer, role, path);
  return customer;
}

/** An account on the way up a tree. */
export interface ChainAccount {
  readonly id: string;
  readonly name: string;
  readonly externalId: string | null;
  readonly billTo: BillTo;
  readonly status: CustomerStatus;
}

/** Beyond any legal depth: where a climb ends if the data were ever wrong. */
const CLIMB_MAX = 100;

/** For each customer: itself, its parent, and so on up to the root, as it is now. One recursive statement for all. */
export async function chainsOf(tx: Tx, customerIds: readonly string[]): Promise<Map<string, ChainAccount[]>> {
  const { rows } = await sql<ChainAccount & { startId: string }>`
    with recursive chain as (
      select c.tenant_id, c.id as start_id, c.id, 0 as level from customers c where c.id = any(${[...customerIds]}::text[])
      union all
      select p.tenant_id, chain.start_id, p.parent_customer_id, chain.level + 1
        from chain join customer_parents p on p.tenant_id = chain.tenant_id and p.customer_id = chain.id and p.valid_to is null
       where chain.level < ${CLIMB_MAX})
    select chain.start_id, c.id, c.name, c.external_id, c.bill_to, c.status
      from chain join customers c on c.tenant_id = chain.tenant_id and c.id = chain.id
     order by chain.start_id, chain.level`.execute(tx.db);
  return Map.groupBy(rows, ({ startId }) => startId);
}

/**
 * Who pays for a new subscription of a customer unless it says otherwise (C5).
 *
 * @returns the payer's id: the customer's own when it bills itself or has no parent.
 * @throws `not_found`
 */
export async function payerOf(tx: Tx, customerId: string): Promise<string> {
  const chain = (await chainsOf(tx, [customerId])).get(customerId);
  if (chain === undefined) throw missingCustomer(customerId, undefined);
  return resolvePayer(chain).id;
}
