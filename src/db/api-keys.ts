import { createHash, randomBytes } from 'node:crypto';
import type { Instant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import type { Database, Tx } from './database.ts';
import { newId } from './ids.ts';
import { listPage } from './listing.ts';

export type KeyScope = 'read' | 'write' | 'admin';

/** A key as it may be shown: never its secret. */
export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  /** The secret's last four characters. */
  readonly hint: string;
  readonly scopes: KeyScope[];
  readonly createdAt: Instant;
  readonly revokedAt: Instant | null;
}

/** Whose key it is. */
export interface KeyOwner {
  readonly keyId: string;
  readonly scopes: readonly KeyScope[];
  readonly tenant: { readonly id: string; readonly name: string; readonly mode: 'TEST' | 'LIVE' };
}

/** Only this is stored: a secret of 256 random bits needs no salt. */
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const apiKeyColumns = ['id', 'name', 'hint', 'scopes', 'createdAt', 'revokedAt'] as const;

/**
 * Makes a key. The secret is in the answer and nowhere else.
 *
 * @param mode shows in the secret, so that a live key is not taken for a test one.
 */
export async function createApiKey(
  tx: Tx,
  input: { name: string; scopes: readonly KeyScope[]; mode: 'TEST' | 'LIVE' },
): Promise<ApiKeyView & { secret: string }> {
  const secret = `trb_${input.mode.toLowerCase()}_${randomBytes(32).toString('base64url')}`;
  const view = {
    id: newId('key'),
    name: input.name,
    hint: secret.slice(-4),
    scopes: [...new Set(input.scopes)],
    createdAt: tx.now(),
    revokedAt: null,
  };
  await tx.db
    .insertInto('api_keys')
    .values({ ...view, tenantId: tx.tenantId, secretHash: hashOf(secret) })
    .execute();
  return { ...view, secret };
}

/** Finds the owner of a secret; null when there is none, or the key was revoked. */
export async function findKeyOwner(database: Database, secret: string): Promise<KeyOwner | null> {
  const row = await database.acrossTenants((tx) =>
    tx.db
      .selectFrom('api_keys')
      .innerJoin('tenants', 'tenants.id', 'api_keys.tenantId')
      .select(['api_keys.id as keyId', 'api_keys.scopes', 'tenants.id', 'tenants.name', 'tenants.mode'])
      .where('api_keys.secretHash', '=', hashOf(secret))
      .where('api_keys.revokedAt', 'is', null)
      .executeTakeFirst(),
  );
  if (row === undefined) return null;
  return { keyId: row.keyId, scopes: row.scopes, tenant: { id: row.id, name: row.name, mode: row.mode } };
}

/** A tenant by its id, for the platform key; null when there is none. */
export async function findTenant(database: Database, tenantId: string): Promise<KeyOwner['tenant'] | null> {
  const row = await database.acrossTenants((tx) =>
    tx.db.selectFrom('tenants').select(['id', 'name', 'mode']).where('id', '=', tenantId).executeTakeFirst(),
  );
  return row ?? null;
}

/** The tenant's keys, revoked ones too. */
export function listApiKeys(
  tx: Tx,
  request: { page: number; size: number; sort: { column: 'createdAt' | 'name'; descending: boolean } },
) {
  const order = { by: request.sort.column, id: 'id', descending: request.sort.descending };
  return listPage(tx.db.selectFrom('api_keys').select(apiKeyColumns), { ...request, order });
}

/**
 * Revokes a key; one revoked before stays as it is.
 *
 * @returns whether it was live until now.
 * @throws  `not_found`; `conflict` when no admin key would be left.
 */
export async function revokeApiKey(tx: Tx, keyId: string): Promise<boolean> {
  const live = await tx.db
    .selectFrom('api_keys')
    .select(['id', 'scopes', 'revokedAt'])
    .where((where) => where.or([where('id', '=', keyId), where('revokedAt', 'is', null)]))
    .orderBy('id')
    .forUpdate()
    .execute();
  const key = live.find(({ id }) => id === keyId);
  if (key === undefined) throw new BillingError('not_found', `There is no API key ${keyId}.`);
  if (key.revokedAt !== null) return false;
  if (!live.some(({ id, scopes }) => id !== keyId && scopes.includes('admin'))) {
    throw new BillingError('conflict', 'This is the last admin key. Make another one before you revoke it.');
  }
  await tx.db.updateTable('api_keys').set({ revokedAt: tx.now() }).where('id', '=', keyId).execute();
  return true;
}
