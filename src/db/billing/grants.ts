import { sql } from 'kysely';
import type { AppliedCredit, Grant } from '../../domain/credit/apply-credits.ts';
import { decimal } from '../../domain/money.ts';
import type { Tx } from '../database.ts';

/** The unspent grants of payers, by payer (RO5); with `lock` held in order of their ids (RN1). */
export async function loadGrants(
  tx: Tx,
  payerIds: readonly string[],
  options: { lock: boolean },
): Promise<Map<string, Grant[]>> {
  const query = tx.db
    .selectFrom('credit_grants')
    .where('customerId', '=', sql<string>`any(${payerIds}::text[])`)
    .where('remaining', '>', '0')
    .orderBy('id')
    .select(['id', 'customerId', 'kind', 'currency', 'remaining', 'priority', 'expiresAt', 'createdAt']);
  const rows = await (options.lock ? query.forUpdate() : query).execute();
  return Map.groupBy(rows, ({ customerId }) => customerId);
}

/** What grants have left for the payer's next invoice of the same run. */
export function afterSpending(grants: readonly Grant[], applied: readonly AppliedCredit[]): Grant[] {
  const spent = new Map(applied.map(({ grantId, amount }) => [grantId, amount]));
  return grants.map((grant) => ({
    ...grant,
    remaining: decimal(grant.remaining)
      .minus(spent.get(grant.id) ?? '0')
      .toFixed(),
  }));
}
