import { rowsOf } from '../activities/dump.ts';
import type { Reply } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import type { FullTenant } from '../support/full-tenant.ts';

/** What of a tenant an answer tells, beyond what was sent to get it. */
export type Betrayal = (reply: Reply, sent: readonly string[]) => string[];

const ID = /\b[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}\b/g;
/** Drawn at random, or made of what is secret: each is the tenant's alone. */
const DRAWN = ['hosted_token', 'secret_hash', 'body_hash'];

/** Knows a tenant by every id in its rows, and by every text that it chose itself. */
export async function namesHeldBy(db: TestDatabase, tenant: FullTenant): Promise<Betrayal> {
  const held = new Set<string>([tenant.mark]);
  JSON.stringify(await rowsOf(db, tenant.tenantId), (key, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (DRAWN.includes(key) || value.toLowerCase().includes(tenant.mark.toLowerCase())) held.add(value);
    for (const id of value.match(ID) ?? []) held.add(id);
    return value;
  });
  const names = [...held].map((name) => name.toLowerCase());
  return (reply, sent) => {
    const told = `${JSON.stringify(reply.body)} ${JSON.stringify([...reply.headers])}`.toLowerCase();
    const asked = sent.join(' ').toLowerCase();
    return names.filter((name) => told.includes(name) && !asked.includes(name));
  };
}

/** A body with another value at one place (`customerId`, `coupons[]`), and what stood there; `found` is undefined where nothing did. */
export function replaced(body: object, field: string, value: string): { body: object; found: unknown } {
  const name = field.replace(/\[\]$/, '');
  const present = (body as Record<string, unknown>)[name];
  const isList = Array.isArray(present);
  return {
    body: { ...body, [name]: isList ? [value] : value },
    found: isList ? (present as unknown[])[0] : present,
  };
}
