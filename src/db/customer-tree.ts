import { sql } from 'kysely';
import type { Instant } from '../domain/calendar.ts';
import { clockMismatch } from '../domain/customer/clock.ts';
import { assertParent, type BillTo, resolvePayer } from '../domain/customer/hierarchy.ts';
import type { CustomerStatus } from '../domain/customer/status.ts';
import { BillingError } from '../domain/errors.ts';
import { type ChainAccount, chainsOf, type CustomerRow, readCustomerForBinding } from './customers.ts';
import type { Tx } from './database.ts';

/**
 * Keeps every other re-parenting of the tenant waiting: two that each look harmless may close a circle together (C4).
 * Taken before any row is locked.
 */
export const lockTrees = (tx: Tx): Promise<unknown> =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`customer-trees:${tx.tenantId}`}, 0))`.execute(tx.db);

/**
 * Gives a customer a parent from now on, or takes it away. What was billed stays where it is (C6): payers of running
 * subscriptions are facts of their own.
 *
 * @param customer  locked, and the trees with it.
 * @param reference the new parent; null for none.
 * @param now       by the customer's clock.
 * @throws `customer.cycle`, `customer.too_deep`, `customer.archived`, `clock.mismatch`, `not_found`.
 */
export async function moveInTree(tx: Tx, customer: CustomerRow, reference: string | null, now: Instant): Promise<void> {
  if (reference === null) return setParent(tx, customer.id, null, now);
  const parent = await readCustomerForBinding(tx, reference, 'parent', 'parentCustomerId');
  const ancestors = (await chainsOf(tx, [parent.id])).get(parent.id) ?? [];
  assertParent(customer, ancestors, await levelsBelow(tx, customer.id));
  if (parent.testClockId !== customer.testClockId) throw clockMismatch(parent.name, 'parentCustomerId');
  return setParent(tx, customer.id, parent.id, now);
}

/** Closes the present fact and opens the next. At the very instant at which the present one began, it is replaced. */
export async function setParent(tx: Tx, customerId: string, parentId: string | null, now: Instant): Promise<void> {
  const present = tx.db.selectFrom('customer_parents').select(['parentCustomerId', 'validFrom']);
  const before = await present.where('customerId', '=', customerId).where('validTo', 'is', null).executeTakeFirst();
  if ((before?.parentCustomerId ?? null) === parentId) return;
  if (before !== undefined) {
    const row = { customerId, validFrom: before.validFrom };
    if (before.validFrom >= now) await matching(tx.db.deleteFrom('customer_parents'), row).execute();
    else await matching(tx.db.updateTable('customer_parents').set({ validTo: now }), row).execute();
  }
  if (parentId === null) return;
  await tx.db
    .insertInto('customer_parents')
    .values({ tenantId: tx.tenantId, customerId, validFrom: now, parentCustomerId: parentId, validTo: null })
    .execute();
}

const matching = <Query extends { where(column: 'customerId' | 'validFrom', is: '=', value: string): Query }>(
  query: Query,
  row: { customerId: string; validFrom: Instant },
): Query => query.where('customerId', '=', row.customerId).where('validFrom', '=', row.validFrom);

/** Levels of the subtree under a customer, itself included: 1 for a leaf. */
async function levelsBelow(tx: Tx, customerId: string): Promise<number> {
  const { rows } = await sql<{ levels: number }>`
    with recursive below as (
      select ${customerId}::text as id, 1 as level
      union all
      select p.customer_id, below.level + 1
        from below join customer_parents p on p.parent_customer_id = below.id and p.valid_to is null
       where below.level < 100)
    select max(level)::int as levels from below`.execute(tx.db);
  return rows[0]?.levels ?? 1;
}

/** One account of a tree, with everything below it, siblings in the order of their creation. */
export interface TreeNode {
  readonly id: string;
  readonly externalId: string | null;
  readonly name: string;
  readonly status: CustomerStatus;
  readonly billTo: BillTo;
  /** Who pays for its new subscriptions. */
  readonly payerCustomerId: string;
  readonly children: TreeNode[];
}

export interface Hierarchy {
  readonly customerId: string;
  /** From the root down to the parent; empty for a root. */
  readonly ancestors: Pick<ChainAccount, 'id' | 'externalId' | 'name'>[];
  /** The whole tree, from its root. */
  readonly tree: TreeNode;
}

type NodeRow = ChainAccount & { parentId: string | null };

/** The whole tree that a customer stands in, as it is now. */
export async function readHierarchy(tx: Tx, customerId: string): Promise<Hierarchy> {
  const chain = (await chainsOf(tx, [customerId])).get(customerId) ?? [];
  const [root, ...below] = chain.toReversed();
  if (root === undefined) throw new BillingError('not_found', `There is no customer ${customerId}.`);
  const { rows } = await sql<NodeRow>`
    with recursive tree as (
      select ${root.id}::text as id, null::text as parent_id, 1 as level
      union all
      select p.customer_id, p.parent_customer_id, tree.level + 1
        from tree join customer_parents p on p.parent_customer_id = tree.id and p.valid_to is null
       where tree.level < 100)
    select c.id, c.external_id, c.name, c.status, c.bill_to, tree.parent_id
      from tree join customers c on c.id = tree.id
     order by c.created_at, c.id`.execute(tx.db);
  const childrenOf = Map.groupBy(rows, ({ parentId }) => parentId);
  const ancestors = [root, ...below].filter(({ id }) => id !== customerId);
  return {
    customerId,
    ancestors: ancestors.map(({ id, externalId, name }) => ({ id, externalId, name })),
    tree: nodeOf(root, [], childrenOf),
  };
}

function nodeOf(
  account: ChainAccount,
  above: readonly ChainAccount[],
  childrenOf: ReadonlyMap<string | null, NodeRow[]>,
): TreeNode {
  const chain = [account, ...above];
  const { id, externalId, name, status, billTo } = account;
  const children = (childrenOf.get(id) ?? []).map((child) => nodeOf(child, chain, childrenOf));
  return { id, externalId, name, status, billTo, payerCustomerId: resolvePayer(chain).id, children };
}
