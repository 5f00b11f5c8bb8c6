import { isDeepStrictEqual } from 'node:util';
import { firstTerms, nextTerms, type PlanTerms, type PlanTermsChange } from '../domain/catalog/plan.ts';
import type { Price } from '../domain/catalog/price.ts';
import { BillingError } from '../domain/errors.ts';
import { audit } from './audit.ts';
import type { Tx } from './database.ts';
import { bindEntity } from './entity-binding.ts';
import { refuseOn } from './failures.ts';
import { newId } from './ids.ts';
import { findPlanByCode, type PlanView, readPlan } from './plan-views.ts';
import { insertRows } from './rows.ts';

/** What a subscription takes from the plan it is sold. */
export interface ResolvedPlan {
  readonly planId: string;
  readonly version: number;
  readonly name: string;
  readonly currency: string | null;
  readonly billingEntityId: string | null;
  readonly prices: readonly { readonly priceId: string; readonly price: Price }[];
}

/** @throws `conflict` when the code is taken; `entity.archived` and `not_found` for its entity. */
export async function createPlan(
  tx: Tx,
  input: { readonly code: string; readonly terms: PlanTerms },
  actor: string,
): Promise<PlanView> {
  const { code } = input;
  const terms = firstTerms(input.terms);
  if (terms.billingEntityId !== null) await bindEntity(tx, terms.billingEntityId);
  const plan = { tenantId: tx.tenantId, id: newId('pln'), code, currentVersion: 1, archivedAt: null };
  await refuseOn({ plans_code_unique: () => codeTaken(code) }, () =>
    tx.db
      .insertInto('plans')
      .values({ ...plan, createdAt: tx.now() })
      .execute(),
  );
  await storeVersion(tx, { planId: plan.id, version: 1, terms });
  await record(tx, actor, 'plan.created', plan.id, { code, version: 1 });
  return readPlan(tx, plan.id);
}

/**
 * Writes a new version with what is sent (S6). Subscriptions keep the version they were sold. What changes nothing makes no
 * version.
 *
 * @param reference the plan's id or code.
 * @throws `conflict` when it is archived or another code is sent; `entity.archived` for a new entity; `not_found`.
 */
export async function changePlan(
  tx: Tx,
  reference: string,
  change: PlanTermsChange & { readonly code?: string | undefined },
  actor: string,
): Promise<PlanView> {
  const before = await lockPlan(tx, reference);
  if (change.code !== undefined && change.code !== before.code) throw codeImmutable(before.code);
  if (before.archivedAt !== null) throw archived(before.code, 'changed');
  const terms = nextTerms({ ...before, prices: before.prices.map(withoutId) }, change);
  if (isDeepStrictEqual(terms, termsOf(before))) return before;
  if (terms.billingEntityId !== null && terms.billingEntityId !== before.billingEntityId) {
    await bindEntity(tx, terms.billingEntityId);
  }
  const version = before.version + 1;
  await tx.db.updateTable('plans').set({ currentVersion: version }).where('id', '=', before.id).execute();
  await storeVersion(tx, { planId: before.id, version, terms });
  await record(tx, actor, 'plan.updated', before.id, { code: before.code, version });
  return readPlan(tx, before.id);
}

/** Takes a plan out of sale, for good; what was sold runs on. @throws `not_found`, `conflict` when it is archived already. */
export async function archivePlan(tx: Tx, reference: string, actor: string): Promise<PlanView> {
  const plan = await lockPlan(tx, reference);
  if (plan.archivedAt !== null) throw archived(plan.code, 'archived again');
  await tx.db.updateTable('plans').set({ archivedAt: tx.now() }).where('id', '=', plan.id).execute();
  await record(tx, actor, 'plan.archived', plan.id, { code: plan.code });
  return readPlan(tx, plan.id);
}

/**
 * The newest version of a plan, to sell it.
 *
 * @param path the field that names it, for the error.
 * @throws `not_found`, `conflict` when it is archived.
 */
export async function resolvePlan(tx: Tx, planCode: string, path = 'planCode'): Promise<ResolvedPlan> {
  const plan = await findPlanByCode(tx, planCode);
  if (plan === null) {
    const message = `There is no plan with the code '${planCode}'.`;
    throw new BillingError('not_found', message, [{ path, message }]);
  }
  if (plan.archivedAt !== null) throw archived(plan.code, 'sold', path);
  const { id, version, name, currency, billingEntityId, prices } = plan;
  const sold = prices.map((stored) => ({ priceId: stored.id, price: withoutId(stored) }));
  return { planId: id, version, name, currency, billingEntityId, prices: sold };
}

/**
 * Stores prices that one subscription alone runs on.
 *
 * @returns their ids, in the order given.
 */
export function storeSubscriptionPrices(tx: Tx, prices: readonly Price[]): Promise<string[]> {
  return storePrices(tx, prices, { planId: null, planVersion: null });
}

async function storeVersion(
  tx: Tx,
  version: { readonly planId: string; readonly version: number; readonly terms: PlanTerms },
): Promise<void> {
  const { planId, terms } = version;
  const { prices, ...row } = terms;
  await tx.db
    .insertInto('plan_versions')
    .values({
      ...row,
      tenantId: tx.tenantId,
      planId,
      version: version.version,
      minimumAmount: null,
      maximumAmount: null,
      createdAt: tx.now(),
    })
    .execute();
  await storePrices(tx, prices, { planId, planVersion: version.version });
}

async function storePrices(
  tx: Tx,
  prices: readonly Price[],
  owner: { readonly planId: string | null; readonly planVersion: number | null },
): Promise<string[]> {
  const rows = prices.map((definition, position) => ({
    id: newId('prc'),
    code: definition.code,
    position,
    definition,
  }));
  await insertRows(
    tx.db,
    'prices',
    rows.map((row) => ({ ...row, ...owner, tenantId: tx.tenantId, createdAt: tx.now() })),
  );
  return rows.map(({ id }) => id);
}

/** Versions follow one another without gap: changes of one plan go one by one. */
async function lockPlan(tx: Tx, reference: string): Promise<PlanView> {
  const { id } = await readPlan(tx, reference);
  await tx.db.selectFrom('plans').select('id').where('id', '=', id).forNoKeyUpdate().execute();
  return readPlan(tx, id);
}

const termsOf = ({ name, currency, billingEntityId, taxCode, prices }: PlanView): PlanTerms => ({
  name,
  currency,
  billingEntityId,
  taxCode,
  prices: prices.map(withoutId),
});

const withoutId = ({ id: _, ...price }: PlanView['prices'][number]): Price => price as Price;

const codeTaken = (code: string): BillingError => {
  const message = `There is a plan with the code ${code} already. Choose another code, or change that plan.`;
  return new BillingError('conflict', message, [{ path: 'code', message }]);
};

const codeImmutable = (code: string): BillingError => {
  const message = `The code of a plan cannot change from ${code}. Create another plan, and archive this one.`;
  return new BillingError('conflict', message, [{ path: 'code', message }]);
};

const archived = (code: string, verb: string, path?: string): BillingError => {
  const message = `The plan ${code} is archived and cannot be ${verb}. Use another plan.`;
  return new BillingError('conflict', message, path === undefined ? [] : [{ path, message }]);
};

const record = (tx: Tx, actor: string, action: string, id: string, detail: Record<string, unknown>): Promise<void> =>
  audit(tx, { actor, action, subjectType: 'plan', subjectId: id, detail });
