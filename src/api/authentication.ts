import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { findKeyOwner, findTenant, type KeyScope } from '../db/api-keys.ts';
import type { Database } from '../db/database.ts';
import { ApiProblem } from './problem.ts';
import type { RequestTenant, Scope } from './route.ts';

/** Who asks, and for which tenant. */
export interface Caller {
  readonly tenant: RequestTenant;
  readonly actor: string;
}

/** Stands for the tenant where there is none yet; no row of the database carries it but stored answers. */
const PLATFORM: RequestTenant = { id: 'platform', name: 'Platform', mode: 'TEST' };

/** Each scope with what it includes. */
const INCLUDES: Readonly<Record<KeyScope, readonly Scope[]>> = {
  read: ['read'],
  write: ['read', 'write'],
  admin: ['read', 'write', 'admin'],
};

/**
 * Finds out who asks and whether the key's scope reaches the route.
 *
 * @throws 401 without a key or with an unknown or revoked one, 403 when its scope does not reach, 404 for another tenant.
 */
export async function authenticate(
  request: Request,
  scope: Scope,
  deps: { database: Database; platformApiKey: string },
): Promise<Caller> {
  if (scope === 'public') return { tenant: PLATFORM, actor: 'public' };
  const secret = bearer(request);
  const wanted = request.get('x-tenant-id');
  if (isSame(secret, deps.platformApiKey)) return platformCaller(scope, wanted, deps.database);

  const owner = await findKeyOwner(deps.database, secret);
  if (owner === null) throw unauthenticated('The API key is unknown or revoked.', 'error="invalid_token"');
  if (wanted !== undefined && wanted !== owner.tenant.id) throw noSuchTenant();
  if (!owner.scopes.some((held) => INCLUDES[held].includes(scope))) {
    throw new ApiProblem(403, 'forbidden', `This needs a key with scope '${scope}'. Ask an admin key for one.`);
  }
  return { tenant: owner.tenant, actor: `key:${owner.keyId}` };
}

async function platformCaller(scope: Scope, wanted: string | undefined, database: Database): Promise<Caller> {
  if (scope === 'platform') return { tenant: PLATFORM, actor: 'platform' };
  if (wanted === undefined) {
    throw new ApiProblem(400, 'request.tenant', 'Send X-Tenant-Id: the platform key acts in the tenant that it names.');
  }
  const tenant = await findTenant(database, wanted);
  if (tenant === null) throw noSuchTenant();
  return { tenant, actor: 'platform' };
}

function bearer(request: Request): string {
  const [, secret] = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(request.get('authorization') ?? '') ?? [];
  if (secret === undefined) throw unauthenticated('Send the API key as "Authorization: Bearer <key>".');
  return secret;
}

/** Takes the same time wherever two secrets differ. */
const isSame = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));

const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const unauthenticated = (detail: string, reason?: string): ApiProblem =>
  new ApiProblem(401, 'unauthenticated', detail, {
    headers: { 'WWW-Authenticate': `Bearer realm="tributary"${reason === undefined ? '' : `, ${reason}`}` },
  });

/** The same for a tenant that is not there and one that is another's: nobody learns which (E6). */
const noSuchTenant = (): ApiProblem => new ApiProblem(404, 'not_found', 'There is no such tenant for this key.');
