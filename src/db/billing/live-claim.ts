import { sql } from 'kysely';

/**
 * The live claim on a one-time charge `c`, as a scalar subquery: always a look into the unique index, one for each charge.
 * As `not exists` the planner may join all claims instead, and does so right after a large run, when its statistics are old.
 */
export const liveClaimOfCharge = sql`
  select k.id from claims k
   where k.tenant_id = c.tenant_id and k.charge_id = c.id and k.kind = 'ONE_TIME' and k.released_at is null
   limit 1`;
