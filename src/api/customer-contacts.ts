import { z } from 'zod';
import { audit } from '../db/audit.ts';
import { addContacts, deleteContact, listContacts, readContact, updateContact } from '../db/customer-contacts.ts';
import { resolveCustomerId } from '../db/customers.ts';
import type { Tx } from '../db/database.ts';
import { nowOf } from '../db/time.ts';
import { listOf, listQuery } from './listing.ts';
import { noContent, route } from './route.ts';
import { email, shown, text } from './schemas.ts';

const preference = z.enum(['BILLING', 'UPDATES', 'LEGAL']);
const preferences = z
  .array(preference)
  .max(10)
  .transform((sent) => [...new Set(sent)]);

export const contactBody = z
  .strictObject({ name: text(200), email: email(), preferences: preferences.default(['BILLING']) })
  .meta({ id: 'NewContact' });

export const contact = z
  .object({
    id: shown.id(),
    name: z.string(),
    email: z.string(),
    preferences: z.array(preference),
    createdAt: shown.instant(),
  })
  .meta({ id: 'Contact' });

const tag = 'Customers';

const record = async (tx: Tx, actor: string, verb: string, customerId: string, contactId: string): Promise<void> =>
  audit(tx, {
    actor,
    action: `customer.contact_${verb}`,
    subjectType: 'customer',
    subjectId: customerId,
    detail: { contactId },
    happenedAt: await nowOf(tx, { customerId }),
  });

export const customerContactRoutes = [
  route({
    method: 'GET',
    path: '/customers/:customerId/contacts',
    tag,
    summary: 'List the contacts of a customer',
    scope: 'read',
    query: listQuery(['createdAt'], {}),
    response: listOf(contact),
    handler: async ({ tx, params, query }) => listContacts(tx, await resolveCustomerId(tx, params.customerId), query),
  }),
  route({
    method: 'POST',
    path: '/customers/:customerId/contacts',
    tag,
    summary: 'Add a contact',
    description: 'Billing mail goes to contacts with the preference BILLING.',
    scope: 'write',
    status: 201,
    body: contactBody,
    response: contact,
    handler: async ({ tx, params, body, actor }) => {
      const customerId = await resolveCustomerId(tx, params.customerId);
      const [added] = await addContacts(tx, customerId, [body]);
      await record(tx, actor, 'added', customerId, added?.id ?? '');
      return added as NonNullable<typeof added>;
    },
  }),
  route({
    method: 'GET',
    path: '/customers/:customerId/contacts/:contactId',
    tag,
    summary: 'Read a contact',
    scope: 'read',
    response: contact,
    handler: async ({ tx, params }) =>
      readContact(tx, await resolveCustomerId(tx, params.customerId), params.contactId),
  }),
  route({
    method: 'PUT',
    path: '/customers/:customerId/contacts/:contactId',
    tag,
    summary: 'Change a contact',
    scope: 'write',
    body: z.strictObject({ name: text(200), email: email(), preferences }).partial(),
    response: contact,
    handler: async ({ tx, params, body, actor }) => {
      const customerId = await resolveCustomerId(tx, params.customerId);
      const changed = await updateContact(tx, customerId, params.contactId, body);
      await record(tx, actor, 'changed', customerId, params.contactId);
      return changed;
    },
  }),
  route({
    method: 'DELETE',
    path: '/customers/:customerId/contacts/:contactId',
    tag,
    summary: 'Remove a contact',
    scope: 'write',
    status: 204,
    response: noContent,
    handler: async ({ tx, params, actor }) => {
      const customerId = await resolveCustomerId(tx, params.customerId);
      await deleteContact(tx, customerId, params.contactId);
      await record(tx, actor, 'removed', customerId, params.contactId);
    },
  }),
];
