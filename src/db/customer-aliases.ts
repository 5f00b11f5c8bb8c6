import { BillingError } from '../domain/errors.ts';
import type { Tx } from './database.ts';
import { refuseOn } from './failures.ts';
import { listPage } from './listing.ts';
import { insertRows } from './rows.ts';

/**
 * Adds external ids to a customer (C3). One that it has already changes nothing.
 *
 * @param path the field that holds them, for the error.
 * @throws `customer.alias_taken` naming the alias that another customer has.
 */
export async function addAliases(tx: Tx, customerId: string, aliases: readonly string[], path: string): Promise<void> {
  const wanted = [...new Set(aliases)];
  if (wanted.length === 0) return;
  const owned = await tx.db
    .selectFrom('customer_aliases')
    .select(['alias', 'customerId'])
    .where('alias', 'in', wanted)
    .execute();
  const foreign = owned.find((row) => row.customerId !== customerId);
  if (foreign !== undefined) throw aliasTaken(foreign.alias, path);
  const missing = wanted.filter((alias) => !owned.some((row) => row.alias === alias));
  const rows = missing.map((alias) => ({ tenantId: tx.tenantId, alias, customerId, createdAt: tx.now() }));
  await refuseOn({ customer_aliases_pkey: () => aliasTaken(missing[0] ?? '', path) }, () =>
    insertRows(tx.db, 'customer_aliases', rows),
  );
}

function aliasTaken(alias: string, path: string): BillingError {
  const message = `Another customer has the external id '${alias}'. Remove it there first, or choose another.`;
  return new BillingError('customer.alias_taken', message, [{ path, message }]);
}

/** Puts these aliases in the place of all there were, the main one kept. */
export async function replaceAliases(
  tx: Tx,
  customer: { id: string; externalId: string | null },
  aliases: readonly string[],
): Promise<void> {
  const kept = customer.externalId === null ? aliases : [customer.externalId, ...aliases];
  await tx.db
    .deleteFrom('customer_aliases')
    .where('customerId', '=', customer.id)
    .$if(kept.length > 0, (found) => found.where('alias', 'not in', [...kept]))
    .execute();
  await addAliases(tx, customer.id, kept, 'aliases');
}

/**
 * Removes an alias. Where it was the `externalId`, the customer has none afterwards.
 *
 * @throws `not_found`
 */
export async function removeAlias(tx: Tx, customerId: string, alias: string): Promise<void> {
  const { numDeletedRows } = await tx.db
    .deleteFrom('customer_aliases')
    .where('customerId', '=', customerId)
    .where('alias', '=', alias)
    .executeTakeFirst();
  if (numDeletedRows === 0n) throw new BillingError('not_found', `This customer has no alias '${alias}'.`);
  await tx.db
    .updateTable('customers')
    .set({ externalId: null })
    .where('id', '=', customerId)
    .where('externalId', '=', alias)
    .execute();
}

export const listAliases = (
  tx: Tx,
  customerId: string,
  request: { page: number; size: number; sort: { descending: boolean } },
) =>
  listPage(tx.db.selectFrom('customer_aliases').select(['alias', 'createdAt']).where('customerId', '=', customerId), {
    ...request,
    order: { by: 'createdAt', id: 'alias', descending: request.sort.descending },
  });
