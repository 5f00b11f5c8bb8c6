import type { GroupTerms } from '../../domain/billing-group/membership.ts';
import type { Instant } from '../../domain/calendar.ts';
import type { Price } from '../../domain/catalog/price.ts';
import { BillingError } from '../../domain/errors.ts';
import { readEntityForBinding } from '../billing-entities.ts';
import { resolvePlan, storeSubscriptionPrices } from '../catalog.ts';
import { type CustomerRow, payerOf, readCustomerForBinding } from '../customers.ts';
import type { Tx } from '../database.ts';
import { nowOf } from '../time.ts';

/** What a subscription is pinned to at its creation (E7, E12, RM4, RT4). */
export interface Bound extends GroupTerms {
  readonly ownerId: string;
  /** The payer that the request names (D1); null when it followed from the tree. */
  readonly namedPayerId: string | null;
  readonly plan: { readonly planId: string; readonly version: number } | null;
  readonly prices: readonly { readonly priceId: string; readonly price: Price }[];
  readonly testClockId: string | null;
  /** By the Clock of owner and payer. */
  readonly now: Instant;
}

interface BindRequest {
  readonly customerId: string;
  readonly planCode?: string | undefined;
  readonly prices?: readonly Price[] | undefined;
  readonly currency?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly invoicingCustomerId?: string | undefined;
  readonly groupedSubscriptionIds?: readonly string[] | undefined;
}

/** Finds owner, payer, plan, entity, currency and zone of a new subscription. */
export async function bindSubscription(tx: Tx, request: BindRequest): Promise<Bound> {
  const owner = await readCustomerForBinding(tx, request.customerId, 'owner', 'customerId');
  const payer = await payerFor(tx, request, owner);
  const plan = request.planCode === undefined ? null : await resolvePlan(tx, request.planCode);
  const tenant = await tx.db.selectFrom('tenants').select('defaultEntityId').executeTakeFirstOrThrow();
  const entityId = request.billingEntityId ?? plan?.billingEntityId ?? payer.billingEntityId ?? tenant.defaultEntityId;
  const entity = await readEntityForBinding(tx, entityId);
  const prices = plan?.prices ?? (await ownPrices(tx, request.prices ?? []));
  return {
    ownerId: owner.id,
    payerCustomerId: payer.id,
    namedPayerId: request.invoicingCustomerId === undefined ? null : payer.id,
    billingEntityId: entity.id,
    currency: currencyOf(request.currency, plan?.currency ?? null, payer.currency ?? entity.baseCurrency),
    timezone: entity.billingTimezone,
    plan: plan === null ? null : { planId: plan.planId, version: plan.version },
    prices,
    testClockId: owner.testClockId,
    now: await nowOf(tx, { testClockId: owner.testClockId }),
  };
}

/** C5, D1: the payer that is named, else the account up the tree that bills itself. */
async function payerFor(tx: Tx, request: BindRequest, owner: CustomerRow): Promise<CustomerRow> {
  const named = request.invoicingCustomerId;
  if (named !== undefined && (request.groupedSubscriptionIds ?? []).length > 0) {
    throw refused(
      'invoicingCustomerId',
      'A named payer and groupedSubscriptionIds exclude each other. Send one of them.',
    );
  }
  const path = named === undefined ? 'customerId' : 'invoicingCustomerId';
  const payer = await readCustomerForBinding(tx, named ?? (await payerOf(tx, owner.id)), 'payer', path);
  if (payer.testClockId !== owner.testClockId) {
    const message = 'Owner and payer live on different test clocks. Choose a payer on the same clock.';
    throw new BillingError('clock.mismatch', message, [{ path, message }]);
  }
  return payer;
}

const ownPrices = async (tx: Tx, prices: readonly Price[]): Promise<Bound['prices']> => {
  const ids = await storeSubscriptionPrices(tx, prices);
  return prices.map((price, index) => ({ price, priceId: ids[index] as string }));
};

/** RM4: the currency given, else the plan's, else the customer's, else the entity's base; a plan is sold in its own only. */
function currencyOf(given: string | undefined, planned: string | null, otherwise: string): string {
  if (given !== undefined && planned !== null && given !== planned) {
    throw refused('currency', `The plan is sold in ${planned}. Send that currency, or leave it out.`);
  }
  return given ?? planned ?? otherwise;
}

const refused = (path: string, message: string): BillingError =>
  new BillingError('request.refused', message, [{ path, message }]);
