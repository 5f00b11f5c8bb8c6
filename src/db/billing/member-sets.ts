import { type RawBuilder, sql } from 'kysely';

// What a run reads of members by the thousand is read as sets, each table once, by the keys of all of them; then the sets are
// joined by hash (decision 21). Where this is used, `members` is a set of memberships.

/** Two sets that follow from `members`: the keys of their subscriptions, and the subscriptions with these columns. */
export const subscriptionsOfMembers = (columns: RawBuilder<unknown>) => sql`
  member_keys as materialized (select array_agg(distinct subscription_id) as ids from members),
  member_subscriptions as materialized (
    select id, ${columns} from subscriptions where id = any((select ids from member_keys)::text[]))`;

/** For any other table with a `subscription_id`, after those two. */
export const isOfMembers = sql`subscription_id = any((select ids from member_keys)::text[])`;
