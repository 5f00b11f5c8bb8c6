import type { Instant } from '../domain/calendar.ts';
import { clockOfNewCustomer } from '../domain/customer/clock.ts';
import { type CustomerAction, nextCustomerStatus } from '../domain/customer/status.ts';
import { assertParent } from '../domain/customer/hierarchy.ts';
import { BillingError } from '../domain/errors.ts';
import { audit } from './audit.ts';
import { readEntityForBinding } from './billing-entities.ts';
import { addAliases, replaceAliases } from './customer-aliases.ts';
import { addContacts, type ContactFields, replaceContacts } from './customer-contacts.ts';
import { lockTrees, moveInTree, setParent } from './customer-tree.ts';
import { type CustomerView, readCustomer } from './customer-views.ts';
import { chainsOf, type CustomerRow, lockCustomer, readCustomerForBinding } from './customers.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { onlySent, type Sent } from './sent.ts';
import { nowOf } from './time.ts';

/** Columns that a caller sets as they are. */
type PlainFields = Omit<CustomerRow, 'id' | 'status' | 'createdAt' | 'testClockId'>;

/** What a caller may send of a customer; what is undefined was not sent. */
export type CustomerChange = Sent<PlainFields> & {
  readonly parentCustomerId?: string | null | undefined;
  readonly testClockId?: string | null | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly contacts?: readonly ContactFields[] | undefined;
};

export interface Actor {
  readonly actor: string;
  readonly mode: 'TEST' | 'LIVE';
}

const CUSTOMER_DEFAULTS = {
  externalId: null,
  email: null,
  firstName: null,
  lastName: null,
  currency: null,
  address: null,
  taxRate: null,
  taxExempt: false,
  taxId: null,
  taxCountry: null,
  billingEntityId: null,
  billTo: 'PARENT',
  paymentTermsDays: 30,
  autoPay: false,
  invoicingFlow: 'AUTOMATIC',
} as const satisfies Omit<PlainFields, 'name'>;

/**
 * Makes a customer. Without `externalId` the first of its aliases is its external id.
 *
 * @throws `customer.alias_taken`, `customer.archived`, `customer.too_deep`, `clock.mismatch`, `clock.live_tenant`,
 *         `entity.archived`, `not_found`.
 */
export async function createCustomer(
  tx: Tx,
  input: CustomerChange & { readonly name: string },
  by: Actor,
): Promise<CustomerView> {
  const { parentCustomerId, testClockId: sentClock, aliases = [], contacts = [], ...fields } = input;
  const id = newId('cus');
  const parent =
    parentCustomerId == null ? undefined : await parentOfNew(tx, parentCustomerId, { id, name: input.name });
  const testClockId = clockOfNewCustomer({ mode: by.mode, sent: sentClock, parent });
  const now = await clockTime(tx, testClockId);
  if (fields.billingEntityId != null) await bindEntity(tx, fields.billingEntityId);
  const externalId = fields.externalId === undefined ? (aliases[0] ?? null) : fields.externalId;

  const row = { ...CUSTOMER_DEFAULTS, ...onlySent(fields), name: input.name, externalId, id, testClockId };
  await tx.db
    .insertInto('customers')
    .values({ ...row, tenantId: tx.tenantId, status: 'ACTIVE', createdAt: tx.now() })
    .execute();
  await addAliases(tx, id, externalId === null ? [] : [externalId], 'externalId');
  await addAliases(tx, id, aliases, 'aliases');
  await addContacts(tx, id, contacts);
  if (parent !== undefined) await setParent(tx, id, parent.id, now);
  await record(tx, by, 'customer.created', id, now, { name: input.name, parentCustomerId: parent?.id ?? null });
  return readCustomer(tx, id);
}

/** A leaf closes no circle, so that no lock on the trees is needed; its parent stays active meanwhile. */
async function parentOfNew(tx: Tx, reference: string, leaf: { id: string; name: string }): Promise<CustomerRow> {
  const parent = await readCustomerForBinding(tx, reference, 'parent', 'parentCustomerId');
  assertParent(leaf, (await chainsOf(tx, [parent.id])).get(parent.id) ?? [], 1);
  return parent;
}

/** The instant on a clock that the request names; an unknown one is told by its field. */
async function clockTime(tx: Tx, testClockId: string | null): Promise<Instant> {
  try {
    return await nowOf(tx, { testClockId });
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
    throw new BillingError(error.code, error.message, [{ path: 'testClockId', message: error.message }]);
  }
}

const bindEntity = async (tx: Tx, entityId: string): Promise<void> => {
  try {
    await readEntityForBinding(tx, entityId);
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
    throw new BillingError(error.code, error.message, [{ path: 'billingEntityId', message: error.message }]);
  }
};

/**
 * Changes what is sent (C6: future subscriptions alone notice a new parent). A new `externalId` becomes one more alias; the
 * one before stays an alias until it is removed.
 *
 * @throws those of creation, `customer.cycle`, `clock.immutable`.
 */
export async function changeCustomer(tx: Tx, id: string, input: CustomerChange, by: Actor): Promise<CustomerView> {
  const { parentCustomerId, testClockId, aliases, contacts, ...fields } = input;
  if (parentCustomerId !== undefined) await lockTrees(tx);
  const before = await lockCustomer(tx, id);
  if (testClockId !== undefined && testClockId !== before.testClockId) throw clockImmutable();
  const now = await nowOf(tx, before);
  const change = onlySent(fields);
  if (change.billingEntityId != null && change.billingEntityId !== before.billingEntityId) {
    await bindEntity(tx, change.billingEntityId);
  }
  if (typeof change.externalId === 'string') await addAliases(tx, id, [change.externalId], 'externalId');
  if (Object.keys(change).length > 0) await tx.db.updateTable('customers').set(change).where('id', '=', id).execute();
  if (aliases !== undefined) await replaceAliases(tx, { ...before, ...change }, aliases);
  if (contacts !== undefined) await replaceContacts(tx, id, contacts);
  if (parentCustomerId !== undefined) await moveInTree(tx, { ...before, ...change }, parentCustomerId, now);
  await record(tx, by, 'customer.updated', id, now, { ...onlySent(input) });
  return readCustomer(tx, id);
}

function clockImmutable(): BillingError {
  const message = 'The test clock of a customer is set when it is created and cannot change. Create another customer.';
  return new BillingError('clock.immutable', message, [{ path: 'testClockId', message }]);
}

/** Archives or reactivates: see `nextCustomerStatus` for what is refused. What runs goes on. */
export async function moveCustomer(tx: Tx, id: string, action: CustomerAction, by: Actor): Promise<CustomerView> {
  const before = await lockCustomer(tx, id);
  const status = nextCustomerStatus(before, action);
  await tx.db.updateTable('customers').set({ status }).where('id', '=', id).execute();
  const now = await nowOf(tx, before);
  await record(tx, by, `customer.${action === 'archive' ? 'archived' : 'reactivated'}`, id, now, {});
  return readCustomer(tx, id);
}

const record = (
  tx: Tx,
  by: Actor,
  action: string,
  id: string,
  now: Instant,
  detail: Record<string, unknown>,
): Promise<void> =>
  audit(tx, { actor: by.actor, action, subjectType: 'customer', subjectId: id, detail, happenedAt: now });
