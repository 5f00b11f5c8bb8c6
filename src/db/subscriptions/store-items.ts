import type { Instant } from '../../domain/calendar.ts';
import type { Price } from '../../domain/catalog/price.ts';
import { BillingError } from '../../domain/errors.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { insertRows } from '../rows.ts';

/**
 * Stores the items of a subscription with their first terms, in the order of the prices.
 *
 * @throws `request.refused` when `quantities` names a price that there is not.
 */
export async function storeItems(
  tx: Tx,
  input: {
    subscriptionId: string;
    request: {
      readonly quantity?: string | undefined;
      readonly quantities?: Readonly<Record<string, string>> | undefined;
    };
    prices: readonly { readonly priceId: string; readonly price: Price }[];
    startAt: Instant;
    now: Instant;
  },
): Promise<void> {
  const { subscriptionId, request, prices, startAt, now } = input;
  assertKnown(
    Object.keys(request.quantities ?? {}),
    prices.map(({ price }) => price.code),
  );
  const items = prices.map(({ priceId, price }, position) => ({ id: newId('itm'), priceId, price, position }));
  const { tenantId } = tx;
  await insertRows(
    tx.db,
    'subscription_items',
    items.map(({ id, price, position }) => ({
      tenantId,
      id,
      subscriptionId,
      priceCode: price.code,
      position,
      billedThroughAt: null,
      finished: false,
      phaseKey: null,
      phaseIndex: null,
      createdAt: now,
    })),
  );
  await insertRows(
    tx.db,
    'item_terms',
    items.map(({ id, priceId, price }) => ({
      tenantId,
      itemId: id,
      validFrom: startAt,
      validTo: null,
      version: 1,
      priceId,
      quantity: request.quantities?.[price.code] ?? request.quantity ?? '1',
    })),
  );
}

function assertKnown(named: readonly string[], codes: readonly string[]): void {
  const unknown = named.find((code) => !codes.includes(code));
  if (unknown === undefined) return;
  const message = `There is no price '${unknown}'. Its prices are ${codes.join(', ')}.`;
  throw new BillingError('request.refused', message, [{ path: `quantities.${unknown}`, message }]);
}
