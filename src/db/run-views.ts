import { sql } from 'kysely';
import type { Instant } from '../domain/calendar.ts';
import { BillingError } from '../domain/errors.ts';
import type { Tx } from './database.ts';
import { type Feed, listFeed } from './listing.ts';
import type { RunKind, RunStatus } from './schema/groups.table.ts';

/** A billing run as an operator sees it. */
export interface RunView {
  readonly id: string;
  readonly kind: RunKind;
  readonly billingGroupId: string | null;
  readonly payerCustomerId: string;
  readonly billingEntityId: string;
  readonly currency: string;
  readonly timezone: string;
  readonly boundaryAt: Instant | null;
  readonly status: RunStatus;
  readonly reason: string | null;
  /** The rollup, the first of `invoiceIds`; null when there is none. */
  readonly invoiceId: string | null;
  readonly invoiceIds: string[];
  readonly cutOffAt: Instant | null;
  /** When a BLOCKED run tries again by itself, or one that was asked for later may run. */
  readonly retryAt: Instant | null;
  /** How often it has failed since it last went on. */
  readonly failures: number;
  readonly createdAt: Instant;
  readonly finishedAt: Instant | null;
  readonly members?: MemberOutcome[];
}

/** What became of a member that the run knew at its cut-off (G12). */
export interface MemberOutcome {
  readonly subscriptionId: string;
  readonly outcome: 'COLLECTED' | 'NOTHING_DUE' | 'EXCLUDED';
  readonly reason: string | null;
}

export interface RunFilters {
  readonly billingGroupId?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly status?: RunStatus | undefined;
  readonly kind?: RunKind | undefined;
}

/** @throws `not_found` */
export async function readRun(tx: Tx, id: string): Promise<RunView> {
  const row = await selectRuns(tx)
    .where('r.id', '=', id)
    .executeTakeFirstOrThrow(() => new BillingError('not_found', `There is no billing run ${id}.`));
  const [view] = await withMembers(tx, [row]);
  return view as RunView;
}

/** One stretch of the feed of runs, oldest first unless `descending`. */
export async function listRuns(
  tx: Tx,
  request: {
    page: number;
    size: number;
    cursor: string | undefined;
    descending: boolean;
    members: boolean;
  } & RunFilters,
): Promise<Feed<RunView>> {
  let keys = tx.db.selectFrom('billing_runs as r');
  if (request.billingGroupId !== undefined) keys = keys.where('r.billingGroupId', '=', request.billingGroupId);
  if (request.billingEntityId !== undefined) keys = keys.where('r.billingEntityId', '=', request.billingEntityId);
  if (request.status !== undefined) keys = keys.where('r.status', '=', request.status);
  if (request.kind !== undefined) keys = keys.where('r.kind', '=', request.kind);
  const order = { by: 'r.created_at', id: 'r.id', descending: request.descending };
  const feed = await listFeed(selectRuns(tx), { ...request, order, keys }, (row) => [row.createdAt, row.id]);
  return request.members ? { ...feed, items: await withMembers(tx, feed.items) } : feed;
}

const selectRuns = (tx: Tx) =>
  tx.db
    .selectFrom('billing_runs as r')
    .leftJoinLateral(
      (from) =>
        from
          .selectFrom('invoices as v')
          .whereRef('v.tenantId', '=', 'r.tenantId')
          .whereRef('v.runId', '=', 'r.id')
          .select(sql<string[]>`coalesce(array_agg(v.id order by v.position, v.id), '{}')`.as('invoiceIds'))
          .as('made'),
      (join) => join.onTrue(),
    )
    .select([
      'r.id',
      'r.kind',
      'r.billingGroupId',
      'r.payerCustomerId',
      'r.billingEntityId',
      'r.currency',
      'r.timezone',
      'r.boundaryAt',
      'r.status',
      'r.reason',
      'r.cutOffAt',
      'r.retryAt',
      'r.failures',
      'r.createdAt',
      'r.finishedAt',
      sql<string[]>`made.invoice_ids`.as('invoiceIds'),
      sql<string | null>`made.invoice_ids[1]`.as('invoiceId'),
    ]);

async function withMembers(tx: Tx, rows: readonly RunView[]): Promise<RunView[]> {
  const outcomes = await tx.db
    .selectFrom('run_outcomes')
    .where('runId', '=', sql<string>`any(${rows.map(({ id }) => id)}::text[])`)
    .select(['runId', 'outcome', 'reason', 'subscriptionIds'])
    .execute();
  const byRun = Map.groupBy(outcomes, ({ runId }) => runId);
  return rows.map((row) => ({ ...row, members: membersOf(byRun.get(row.id) ?? []) }));
}

/** One entry for each member, by id. */
const membersOf = (
  lists: readonly { outcome: MemberOutcome['outcome']; reason: string; subscriptionIds: readonly string[] }[],
): MemberOutcome[] =>
  lists
    .flatMap(({ outcome, reason, subscriptionIds }) =>
      subscriptionIds.map((subscriptionId) => ({ subscriptionId, outcome, reason: reason === '' ? null : reason })),
    )
    .toSorted((a, b) => (a.subscriptionId < b.subscriptionId ? -1 : 1));
