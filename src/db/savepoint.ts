import { sql } from 'kysely';
import type { Tx } from './database.ts';
import { camelCase, type Sql } from './kysely.ts';

/** Runs work that may be undone by itself: when it throws, nothing of it stays, and the transaction goes on. */
export const inSavepoint = <T>(tx: Tx, work: (tx: Tx) => Promise<T>): Promise<T> =>
  tx.em.transactional((em) => work({ ...tx, em, db: em.getKysely().withPlugin(camelCase) as unknown as Sql }), {
    clear: true,
  });

/**
 * Binds the rest of the transaction to another tenant. For calls that find out, or make, the tenant on their way.
 *
 * @returns the same transaction, of that tenant.
 */
export async function actAs(tx: Tx, tenantId: string): Promise<Tx> {
  await sql`select set_config('app.tenant_id', ${tenantId}, true)`.execute(tx.db);
  return { ...tx, tenantId };
}
