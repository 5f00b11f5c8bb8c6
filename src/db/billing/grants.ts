import type { Grant } from '../../domain/credit/apply-credits.ts';
import type { Tx } from '../database.ts';

/** The payer's unspent grants in a currency (RO5); with `lock` held in order of their ids (RN1). */
export async function loadGrants(
  tx: Tx,
  payer: { customerId: string; currency: string },
  options: { lock: boolean },
): Promise<Grant[]> {
  const query = tx.db
    .selectFrom('credit_grants')
    .where('customerId', '=', payer.customerId)
    .where('currency', '=', payer.currency)
    .where('remaining', '>', '0')
    .orderBy('id')
    .select(['id', 'kind', 'currency', 'remaining', 'priority', 'expiresAt', 'createdAt']);
  return options.lock ? query.forUpdate().execute() : query.execute();
}
