import { sql } from 'kysely';
import type { CalendarDate, Instant } from '../../domain/calendar.ts';
import { BillingError } from '../../domain/errors.ts';
import { type DecimalString, toAmount, toPlain } from '../../domain/money.ts';
import { liveClaimOfCharge } from '../billing/live-claim.ts';
import type { Tx } from '../database.ts';
import { listPage, type Page } from '../listing.ts';

/** A one-time charge as the API shows it. */
export interface ChargeView {
  readonly id: string;
  readonly customerId: string;
  readonly payerCustomerId: string;
  readonly billingGroupId: string | null;
  readonly billingEntityId: string;
  readonly currency: string;
  readonly description: string;
  readonly quantity: DecimalString;
  readonly unitAmount: DecimalString;
  readonly amount: DecimalString;
  readonly taxCode: string | null;
  readonly timing: 'NEXT_INVOICE' | 'IMMEDIATE';
  readonly chargeOn: CalendarDate;
  /** BILLED: an invoice has taken it, be it a draft. */
  readonly status: ChargeStatus;
  /** Null also where an invoice of 0 was not wanted (RO7). */
  readonly invoiceId: string | null;
  /** The run that took it, or that was asked to. */
  readonly runId: string | null;
  readonly createdAt: Instant;
}

export type ChargeStatus = 'WAITING' | 'BILLED';

export interface ChargeFilters {
  readonly customerId?: string | undefined;
  readonly payerCustomerId?: string | undefined;
  readonly billingGroupId?: string | undefined;
  readonly billingEntityId?: string | undefined;
  readonly currency?: string | undefined;
  readonly timing?: 'NEXT_INVOICE' | 'IMMEDIATE' | undefined;
  readonly status?: ChargeStatus | undefined;
}

/** @throws `not_found` */
export async function readCharge(tx: Tx, id: string): Promise<ChargeView> {
  return toView(await selectCharges(tx).where('c.id', '=', id).executeTakeFirstOrThrow(missingCharge(id)));
}

/** One page of charges, in the order of their creation. */
export async function listCharges(
  tx: Tx,
  request: ChargeFilters & { page: number; size: number; descending: boolean },
): Promise<Page<ChargeView>> {
  let keys = tx.db.selectFrom('one_time_charges as c');
  for (const column of EQUAL) {
    const wanted = request[column];
    if (wanted !== undefined) keys = keys.where(`c.${column}`, '=', wanted);
  }
  if (request.status !== undefined) {
    const isHeld = sql<boolean>`(${liveClaimOfCharge}) is not null`;
    keys = keys.where(request.status === 'BILLED' ? isHeld : sql<boolean>`not ${isHeld}`);
  }
  const order = { by: 'c.created_at', id: 'c.id', descending: request.descending };
  const found = await listPage(selectCharges(tx), { ...request, order, keys });
  return { ...found, items: found.items.map(toView) };
}

const EQUAL = ['customerId', 'payerCustomerId', 'billingGroupId', 'billingEntityId', 'currency', 'timing'] as const;

/** The refusal of an id that is not there, or is another tenant's. */
export const missingCharge = (id: string) => () => new BillingError('not_found', `There is no charge ${id}.`);

/**
 * Charges with the claim that holds each, if any, and the run that was asked to bill it at once. The claim is looked up
 * charge by charge: joined, it would be sought in the whole table until PostgreSQL has noticed how large that has grown.
 */
const selectCharges = (tx: Tx) =>
  tx.db
    .selectFrom('one_time_charges as c')
    .leftJoinLateral(
      (from) =>
        from
          .selectFrom('claims as l')
          .whereRef('l.tenantId', '=', 'c.tenantId')
          .whereRef('l.chargeId', '=', 'c.id')
          .where('l.kind', '=', 'ONE_TIME')
          .where('l.releasedAt', 'is', null)
          .select(['l.id', 'l.invoiceId', 'l.runId'])
          .limit(1)
          .as('k'),
      (join) => join.onTrue(),
    )
    .leftJoin('billing_runs as r', (join) =>
      join.onRef('r.tenantId', '=', 'c.tenantId').on('r.kind', '=', 'IMMEDIATE').onRef('r.requestId', '=', 'c.id'),
    )
    .select([
      ...([
        'c.id',
        'c.customerId',
        'c.payerCustomerId',
        'c.billingGroupId',
        'c.billingEntityId',
        'c.currency',
      ] as const),
      ...(['c.description', 'c.quantity', 'c.unitAmount', 'c.amount', 'c.taxCode', 'c.timing', 'c.chargeOn'] as const),
      ...(['c.createdAt', 'k.id as claimId', 'k.invoiceId'] as const),
      sql<string | null>`coalesce(k.run_id, r.id)`.as('runId'),
    ]);

type ChargeRow = Awaited<ReturnType<ReturnType<typeof selectCharges>['execute']>>[number];

const toView = ({ claimId, ...row }: ChargeRow): ChargeView => ({
  ...row,
  quantity: toPlain(row.quantity),
  unitAmount: toPlain(row.unitAmount),
  amount: toAmount(row.amount, row.currency),
  status: claimId === null ? 'WAITING' : 'BILLED',
});
