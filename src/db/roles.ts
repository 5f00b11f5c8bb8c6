import { createHmac } from 'node:crypto';
import pg from 'pg';
import { CONNECT_MS } from './orm-options.ts';

export type DatabaseRole = 'tributary_app' | 'tributary_system';

const ROLES: readonly DatabaseRole[] = ['tributary_app', 'tributary_system'];

/** duplicate_object, unique_violation: another instance made the role at the same moment. */
const ALREADY_THERE = new Set(['42710', '23505']);

/**
 * The password of a role, derived from the owner's URL: every instance that is given the same URL finds the same one,
 * and there is no second secret to keep.
 */
const passwordOf = (ownerUrl: string, role: DatabaseRole): string =>
  createHmac('sha256', new URL(ownerUrl).password || 'trust')
    .update(role)
    .digest('hex');

/** The connection string of a role on the owner's database. */
export function roleUrl(ownerUrl: string, role: DatabaseRole): string {
  const url = new URL(ownerUrl);
  url.username = role;
  url.password = passwordOf(ownerUrl, role);
  return url.toString();
}

/** Creates the roles that the product connects as: no superuser, bound by row-level security. Safe to repeat. */
export async function ensureRoles(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: CONNECT_MS });
  await client.connect();
  try {
    for (const role of ROLES) {
      const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
      if (rowCount === 0) await createRole(client, role, passwordOf(ownerUrl, role));
    }
  } finally {
    await client.end();
  }
}

async function createRole(client: pg.Client, role: DatabaseRole, password: string): Promise<void> {
  try {
    await client.query(
      `create role ${role} login nosuperuser nobypassrls nocreatedb nocreaterole password '${password}'`,
    );
  } catch (error) {
    if (!ALREADY_THERE.has((error as { code?: string }).code ?? '')) throw error;
  }
}

/** What the relay, the sweep and sign-in do with the tables that they see across tenants (O7). */
const SYSTEM_RIGHTS = {
  api_keys: 'select',
  billing_entities: 'select',
  billing_groups: 'select',
  billing_runs: 'select',
  idempotency_keys: 'select, delete',
  outbox_messages: 'select, update, delete',
  tenants: 'select',
  test_clocks: 'select',
} as const;

/**
 * The statements that give each role its rights on the tables there are, and no others: the migrator's own table is the
 * owner's, and the system role cannot write what is billed, not even where it names a tenant.
 */
export const grants = (): string =>
  [
    'grant select, insert, update, delete on all tables in schema public to tributary_app',
    'revoke all on mikro_orm_migrations from tributary_app',
    'revoke all on all tables in schema public from tributary_system',
    ...Object.entries(SYSTEM_RIGHTS).map(([table, rights]) => `grant ${rights} on ${table} to tributary_system`),
  ].join('; ');
