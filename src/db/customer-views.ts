import { type BillingNotice, billingNotice } from '../domain/customer/notice.ts';
import { resolvePayer } from '../domain/customer/hierarchy.ts';
import type { CustomerStatus } from '../domain/customer/status.ts';
import { toPercent } from '../domain/money.ts';
import { type ContactView, contactColumns } from './customer-contacts.ts';
import { chainsOf, customerColumns, type CustomerRow, readCustomerRow, resolveCustomerId } from './customers.ts';
import type { Tx } from './database.ts';
import { listPage, type Page } from './listing.ts';

interface NamedCustomer {
  readonly id: string;
  readonly externalId: string | null;
  readonly name: string;
}

/** A customer as the API shows it: with its place in the tree, who pays for it, its aliases and contacts. */
export interface CustomerView extends CustomerRow {
  readonly parentCustomerId: string | null;
  readonly parent: NamedCustomer | null;
  /** Who pays for its new subscriptions unless they say otherwise. */
  readonly payerCustomerId: string;
  readonly billingNotice: BillingNotice | null;
  readonly aliases: string[];
  readonly contacts: ContactView[];
}

/** @throws `not_found` */
export async function readCustomer(tx: Tx, id: string): Promise<CustomerView> {
  const [view] = await viewsOf(tx, [await readCustomerRow(tx, id)]);
  return view as CustomerView;
}

export interface CustomerFilter {
  readonly status?: CustomerStatus | undefined;
  /** A customer's reference: its direct children. */
  readonly parentCustomerId?: string | undefined;
  /** Any alias. */
  readonly externalId?: string | undefined;
  readonly email?: string | undefined;
  readonly currency?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly testClockId?: string | undefined;
  /** Part of a name, an e-mail address or an alias, in any case. */
  readonly search?: string | undefined;
}

export async function listCustomers(
  tx: Tx,
  request: CustomerFilter & { page: number; size: number; sort: { column: 'createdAt' | 'name'; descending: boolean } },
): Promise<Page<CustomerView>> {
  const { parentCustomerId, sort } = request;
  const parentId =
    parentCustomerId === undefined ? undefined : await resolveCustomerId(tx, parentCustomerId, 'parentCustomerId');
  const found = await listPage(filtered(tx, { ...request, parentCustomerId: parentId }), {
    ...request,
    order: { by: `c.${sort.column}`, id: 'c.id', descending: sort.descending },
  });
  return { ...found, items: await viewsOf(tx, found.items) };
}

function filtered(tx: Tx, filter: CustomerFilter) {
  let query = tx.db.selectFrom('customers as c').select(customerColumns);
  for (const column of ['status', 'email', 'currency', 'billingEntityId', 'testClockId'] as const) {
    const wanted = filter[column];
    if (wanted !== undefined) query = query.where(`c.${column}`, '=', wanted);
  }
  const { parentCustomerId, externalId, search } = filter;
  if (parentCustomerId !== undefined) {
    query = query.where((where) =>
      where.exists(
        where
          .selectFrom('customer_parents as p')
          .select('p.customerId')
          .whereRef('p.customerId', '=', 'c.id')
          .where('p.parentCustomerId', '=', parentCustomerId)
          .where('p.validTo', 'is', null),
      ),
    );
  }
  if (externalId !== undefined) query = query.where('c.id', 'in', aliasOwners(tx).where('alias', '=', externalId));
  if (search !== undefined) {
    const pattern = `%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    query = query.where((where) =>
      where.or([
        where('c.name', 'ilike', pattern),
        where('c.email', 'ilike', pattern),
        where('c.id', 'in', aliasOwners(tx).where('alias', 'ilike', pattern)),
      ]),
    );
  }
  return query;
}

const aliasOwners = (tx: Tx) => tx.db.selectFrom('customer_aliases').select('customerId');

/** Completes rows, with a fixed number of statements however many there are. */
async function viewsOf(tx: Tx, rows: readonly CustomerRow[]): Promise<CustomerView[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const chains = await chainsOf(tx, ids);
  const aliases = await tx.db
    .selectFrom('customer_aliases')
    .select(['customerId', 'alias'])
    .where('customerId', 'in', ids)
    .orderBy('createdAt')
    .orderBy('alias')
    .execute();
  const contacts = await tx.db
    .selectFrom('customer_contacts')
    .select([...contactColumns, 'customerId'])
    .where('customerId', 'in', ids)
    .orderBy('createdAt')
    .orderBy('id')
    .execute();
  const aliasesOf = Map.groupBy(aliases, ({ customerId }) => customerId);
  const contactsOf = Map.groupBy(contacts, ({ customerId }) => customerId);
  return rows.map((row) => {
    const chain = chains.get(row.id) ?? [];
    const [, parent] = chain;
    const payer = resolvePayer(chain);
    return {
      ...row,
      taxRate: row.taxRate === null ? null : toPercent(row.taxRate),
      parentCustomerId: parent?.id ?? null,
      parent: parent === undefined ? null : { id: parent.id, externalId: parent.externalId, name: parent.name },
      payerCustomerId: payer.id,
      billingNotice: billingNotice(row, payer),
      aliases: (aliasesOf.get(row.id) ?? []).map(({ alias }) => alias),
      contacts: (contactsOf.get(row.id) ?? []).map(({ customerId: _owner, ...contact }) => contact),
    };
  });
}
