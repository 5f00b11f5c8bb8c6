import { p } from '@mikro-orm/core';
import type { CalendarDate, Instant } from '../../domain/calendar.ts';
import type { DecimalString } from '../../domain/money.ts';

/** Opaque id with a readable prefix, such as `cus_01J…`. */
export const id = () => p.string().columnType('text');
export const text = () => p.string().columnType('text');
/** An instant: ISO 8601 in UTC with milliseconds on the way out. */
export const instant = () => p.string().columnType('timestamptz(3)').$type<Instant>();
/** A calendar date in a pinned timezone, `YYYY-MM-DD`. */
export const day = () => p.string().columnType('date').$type<CalendarDate>();
/** Exact decimal with up to 12 places: amounts in major units, unit prices, quantities. */
export const exact = () => p.string().columnType('numeric(38,12)').$type<DecimalString>();
/** Per cent with up to 6 places. */
export const percentage = () => p.string().columnType('numeric(12,6)').$type<DecimalString>();
export const int = () => p.integer();
export const flag = () => p.boolean();
export const strings = () => p.array().columnType('text[]');

/** RLS (O7): a row is seen and written only under its own tenant. The setting is local to the transaction. */
export const ownTenant = {
  name: 'own_tenant',
  using: `tenant_id = current_setting('app.tenant_id', true)`,
  check: `tenant_id = current_setting('app.tenant_id', true)`,
};

/** Lets the relay, the sweep and platform calls see a table across tenants. Given only where they need it. */
export const acrossTenants = {
  name: 'across_tenants',
  roles: ['tributary_system'],
  using: 'true',
  check: 'true',
};

/** The span of a dated fact, for its temporal key: kept by the database from `valid_from` and `valid_to`. */
export const validity = () =>
  p.string().columnType('tstzrange').generated('(tstzrange(valid_from, valid_to)) stored').nullable().hidden();
