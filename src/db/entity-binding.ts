import { BillingError } from '../domain/errors.ts';
import { type EntityView, readEntityForBinding } from './billing-entities.ts';
import type { Tx } from './database.ts';

/**
 * Reads the entity that a field of a request names, to bind something new to it.
 *
 * @param path the field, for the error.
 * @throws `not_found`, `entity.archived`, told by the field.
 */
export async function bindEntity(tx: Tx, entityId: string, path = 'billingEntityId'): Promise<EntityView> {
  try {
    return await readEntityForBinding(tx, entityId);
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
    throw new BillingError(error.code, error.message, [{ path, message: error.message }]);
  }
}
