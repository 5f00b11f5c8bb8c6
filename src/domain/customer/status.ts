import { BillingError } from '../errors.ts';

export type CustomerStatus = 'ACTIVE' | 'ARCHIVED';
export type CustomerAction = 'archive' | 'reactivate';

/** Every legal move of a customer; null refuses. */
const MOVES: Readonly<Record<CustomerAction, Readonly<Record<CustomerStatus, CustomerStatus | null>>>> = {
  archive: { ACTIVE: 'ARCHIVED', ARCHIVED: null },
  reactivate: { ACTIVE: null, ARCHIVED: 'ACTIVE' },
};

/**
 * The status that an action leads to.
 *
 * @throws `customer.archived` for archiving twice, `conflict` for reactivating an active one.
 */
export function nextCustomerStatus(
  customer: { readonly name: string; readonly status: CustomerStatus },
  action: CustomerAction,
): CustomerStatus {
  const next = MOVES[action][customer.status];
  if (next !== null) return next;
  throw customer.status === 'ARCHIVED'
    ? new BillingError('customer.archived', `${customer.name} is archived already. Reactivate it to use it again.`)
    : new BillingError('conflict', `${customer.name} is active: there is nothing to ${action}.`);
}

/**
 * Refuses an archived customer as owner, payer or parent of anything new.
 *
 * @param path  the field that names it.
 * @throws `customer.archived`; `payer.inactive` in the words of delegated invoicing (D1).
 */
export function assertActive(
  customer: { readonly name: string; readonly status: CustomerStatus },
  role: 'owner' | 'payer' | 'parent',
  path: string,
): void {
  if (customer.status === 'ACTIVE') return;
  if (role === 'payer') {
    const message = `invoicing customer is not active: ${customer.name} is archived. Reactivate it, or name another payer.`;
    throw new BillingError('payer.inactive', message, [{ path, message }]);
  }
  const message = `${customer.name} is archived and cannot be the ${role} of anything new. Reactivate it first.`;
  throw new BillingError('customer.archived', message, [{ path, message }]);
}
