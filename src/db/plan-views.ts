import { sql } from 'kysely';
import type { Instant } from '../domain/calendar.ts';
import type { PlanTerms } from '../domain/catalog/plan.ts';
import type { Price } from '../domain/catalog/price.ts';
import { BillingError } from '../domain/errors.ts';
import type { Tx } from './database.ts';
import { listPage, type Page } from './listing.ts';

/** A price with the id under which subscriptions hold it. */
type StoredPrice = Price & { readonly id: string };

/** One version of a plan, as the API shows it. */
export interface PlanView extends Omit<PlanTerms, 'prices'> {
  readonly id: string;
  readonly code: string;
  /** From 1; the newest is the one that is sold. */
  readonly version: number;
  readonly minimumAmount: null;
  readonly maximumAmount: null;
  readonly prices: StoredPrice[];
  readonly archivedAt: Instant | null;
  /** Of the plan; of this version. */
  readonly createdAt: Instant;
  readonly versionCreatedAt: Instant;
}

export interface PlanFilter {
  readonly code?: string | undefined;
  readonly currency?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly archived?: boolean | undefined;
}

interface PageAsked {
  readonly page: number;
  readonly size: number;
  readonly sort: { readonly descending: boolean };
}

const selectVersions = (tx: Tx) =>
  tx.db
    .selectFrom('plans as p')
    .innerJoin('plan_versions as v', (join) =>
      join.onRef('v.tenantId', '=', 'p.tenantId').onRef('v.planId', '=', 'p.id'),
    )
    .select(['p.id', 'p.code', 'p.archivedAt', 'p.createdAt'])
    .select(['v.version', 'v.name', 'v.currency', 'v.billingEntityId', 'v.taxCode', 'v.createdAt as versionCreatedAt']);

const selectCurrent = (tx: Tx) => selectVersions(tx).whereRef('v.version', '=', 'p.currentVersion');

type VersionRow = Omit<PlanView, 'prices' | 'minimumAmount' | 'maximumAmount'>;

/**
 * The newest version of a plan.
 *
 * @param reference its id, or its code.
 * @throws `not_found`
 */
export async function readPlan(tx: Tx, reference: string): Promise<PlanView> {
  const row = await selectCurrent(tx)
    .where(({ or, eb }) => or([eb('p.id', '=', reference), eb('p.code', '=', reference)]))
    .orderBy(sql`p.id = ${reference}`, 'desc')
    .limit(1)
    .executeTakeFirstOrThrow(() => missing(reference));
  const [view] = await viewsOf(tx, [row]);
  return view as PlanView;
}

/** The newest version by its code alone, or null. */
export async function findPlanByCode(tx: Tx, code: string): Promise<PlanView | null> {
  const [view = null] = await viewsOf(tx, await selectCurrent(tx).where('p.code', '=', code).execute());
  return view;
}

/** The newest version of each plan. */
export async function listPlans(
  tx: Tx,
  request: PlanFilter & PageAsked & { sort: { column: 'createdAt' | 'code' | 'name' } },
): Promise<Page<PlanView>> {
  const { code, currency, billingEntityId, archived, sort } = request;
  const query = selectCurrent(tx)
    .$if(code !== undefined, (found) => found.where('p.code', '=', code ?? ''))
    .$if(currency !== undefined, (found) => found.where('v.currency', '=', currency ?? ''))
    .$if(billingEntityId !== undefined, (found) => found.where('v.billingEntityId', '=', billingEntityId ?? ''))
    .$if(archived !== undefined, (found) => found.where('p.archivedAt', archived ? 'is not' : 'is', null));
  const by = sort.column === 'name' ? 'v.name' : `p.${sort.column}`;
  const found = await listPage(query, { ...request, order: { by, id: 'p.id', descending: sort.descending } });
  return { ...found, items: await viewsOf(tx, found.items) };
}

/** Every version of one plan, the first one first. */
export async function listVersions(tx: Tx, reference: string, request: PageAsked): Promise<Page<PlanView>> {
  const { id } = await readPlan(tx, reference);
  const order = { by: 'v.version', id: 'v.version', descending: request.sort.descending };
  const found = await listPage(selectVersions(tx).where('p.id', '=', id), { ...request, order });
  return { ...found, items: await viewsOf(tx, found.items) };
}

/** Completes versions with their prices, in one statement however many there are. */
async function viewsOf(tx: Tx, rows: readonly VersionRow[]): Promise<PlanView[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const versions = rows.map(({ version }) => version);
  const prices = await tx.db
    .selectFrom('prices')
    .select(['id', 'planId', 'planVersion', 'definition'])
    .where(sql<boolean>`(plan_id, plan_version) in (select * from unnest(${ids}::text[], ${versions}::int[]))`)
    .orderBy('position')
    .execute();
  const pricesOf = Map.groupBy(prices, ({ planId, planVersion }) => `${planId} ${planVersion}`);
  return rows.map((row) => ({
    ...row,
    minimumAmount: null,
    maximumAmount: null,
    prices: (pricesOf.get(`${row.id} ${row.version}`) ?? []).map(({ id, definition }) => ({ ...definition, id })),
  }));
}

const missing = (reference: string): BillingError =>
  new BillingError('not_found', `There is no plan with the id or the code '${reference}'.`);
