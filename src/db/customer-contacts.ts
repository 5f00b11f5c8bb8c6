import type { Instant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { listPage } from './listing.ts';
import { insertRows } from './rows.ts';
import type { ContactPreference } from './schema/customers.table.ts';
import { onlySent, type Sent } from './sent.ts';

/** A person to write to (C2). */
export interface ContactFields {
  readonly name: string;
  readonly email: string;
  readonly preferences: ContactPreference[];
}

export interface ContactView extends ContactFields {
  readonly id: string;
  readonly createdAt: Instant;
}

export const contactColumns = ['id', 'name', 'email', 'preferences', 'createdAt'] as const;

/** Adds contacts, in the order given. */
export async function addContacts(
  tx: Tx,
  customerId: string,
  contacts: readonly ContactFields[],
): Promise<ContactView[]> {
  const rows = contacts.map((contact) => ({ ...contact, id: newId('con'), createdAt: tx.now() }));
  await insertRows(
    tx.db,
    'customer_contacts',
    rows.map((row) => ({ ...row, tenantId: tx.tenantId, customerId })),
  );
  return rows;
}

/** Puts these contacts in the place of all there were. */
export async function replaceContacts(tx: Tx, customerId: string, contacts: readonly ContactFields[]): Promise<void> {
  await tx.db.deleteFrom('customer_contacts').where('customerId', '=', customerId).execute();
  await addContacts(tx, customerId, contacts);
}

export const listContacts = (
  tx: Tx,
  customerId: string,
  request: { page: number; size: number; sort: { descending: boolean } },
) =>
  listPage(tx.db.selectFrom('customer_contacts').select(contactColumns).where('customerId', '=', customerId), {
    ...request,
    order: { by: 'createdAt', id: 'id', descending: request.sort.descending },
  });

/** @throws `not_found`, also for another customer's. */
export const readContact = (tx: Tx, customerId: string, contactId: string): Promise<ContactView> =>
  tx.db
    .selectFrom('customer_contacts')
    .select(contactColumns)
    .where('customerId', '=', customerId)
    .where('id', '=', contactId)
    .executeTakeFirstOrThrow(() => new BillingError('not_found', `There is no contact ${contactId} of this customer.`));

/** Changes what is sent. */
export async function updateContact(
  tx: Tx,
  customerId: string,
  contactId: string,
  sent: Sent<ContactFields>,
): Promise<ContactView> {
  const before = await readContact(tx, customerId, contactId);
  const change = onlySent(sent);
  if (Object.keys(change).length > 0) {
    await tx.db.updateTable('customer_contacts').set(change).where('id', '=', contactId).execute();
  }
  return { ...before, ...change };
}

/** @throws `not_found` */
export async function deleteContact(tx: Tx, customerId: string, contactId: string): Promise<void> {
  await readContact(tx, customerId, contactId);
  await tx.db.deleteFrom('customer_contacts').where('id', '=', contactId).execute();
}
