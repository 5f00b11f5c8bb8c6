import type { Instant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import { createApiKey } from './api-keys.ts';
import { audit } from './audit.ts';
import { ENTITY_DEFAULTS, insertEntity } from './billing-entities.ts';
import type { Tx } from './database.ts';
import { newId } from './ids.ts';
import { actAs } from './savepoint.ts';
import { onlySent } from './sent.ts';

export interface TenantView {
  readonly id: string;
  readonly name: string;
  readonly mode: 'TEST' | 'LIVE';
  readonly defaultEntityId: string;
  readonly logoUrl: string | null;
  readonly createdAt: Instant;
}

const tenantColumns = ['id', 'name', 'mode', 'defaultEntityId', 'logoUrl', 'createdAt'] as const;

/**
 * Signs a tenant up: the tenant, its default entity (E1) and one admin key.
 *
 * @param tx of the platform; afterwards it is bound to the platform again.
 */
export async function createTenant(
  platformTx: Tx,
  input: { name: string; mode: 'TEST' | 'LIVE'; actor: string },
): Promise<Omit<TenantView, 'logoUrl'> & { apiKey: string }> {
  const { name, mode, actor } = input;
  const tx = await actAs(platformTx, newId('ten'));
  const tenant = { id: tx.tenantId, name, mode, defaultEntityId: newId('ent'), createdAt: tx.now() };
  await tx.db.insertInto('tenants').values(tenant).execute();
  await insertEntity(tx, { ...FIRST_ENTITY, id: tenant.defaultEntityId, displayName: name, legalName: name });
  const { secret } = await createApiKey(tx, { name: 'First key', scopes: ['admin'], mode });
  const subject = { subjectType: 'tenant', subjectId: tenant.id };
  await audit(tx, { actor, action: 'tenant.created', ...subject, detail: { name, mode } });
  await actAs(tx, platformTx.tenantId);
  return { ...tenant, apiKey: secret };
}

/** What every tenant begins with (E1). */
const FIRST_ENTITY = {
  ...ENTITY_DEFAULTS,
  entityCode: 'DEFAULT',
  baseCurrency: 'USD',
  countryCode: 'US',
  billingTimezone: 'UTC',
  invoiceNumberFormat: 'INV-{seq:0000}',
} as const;

/** The tenant of the transaction. */
export const readTenant = (tx: Tx): Promise<TenantView> =>
  tx.db.selectFrom('tenants').select(tenantColumns).where('id', '=', tx.tenantId).executeTakeFirstOrThrow(missing);

/** Changes what is sent. The mode is for ever: a test tenant's invoices have no place among legal numbers. */
export async function updateTenant(
  tx: Tx,
  change: { readonly name?: string | undefined; readonly logoUrl?: string | null | undefined },
): Promise<TenantView> {
  if (Object.keys(change).length > 0) {
    await tx.db.updateTable('tenants').set(onlySent(change)).where('id', '=', tx.tenantId).execute();
  }
  return readTenant(tx);
}

const missing = () => new BillingError('not_found', 'There is no such tenant.');
