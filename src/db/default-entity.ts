import { type EntityView, readEntity } from './billing-entities.ts';
import type { Tx } from './database.ts';

/** The tenant's default entity: what holds where nothing names another (E4, E12). */
export async function readDefaultEntity(tx: Tx): Promise<EntityView> {
  const tenant = await tx.db
    .selectFrom('tenants')
    .select('defaultEntityId')
    .where('id', '=', tx.tenantId)
    .executeTakeFirstOrThrow();
  return readEntity(tx, tenant.defaultEntityId);
}
