import { sql } from 'kysely';
import { type AppliedCredit, applyCredits } from '../../domain/credit/apply-credits.ts';
import type { Instant } from '../../domain/calendar.ts';
import { type AccountTotals, invoiceTotals } from '../../domain/invoice/totals.ts';
import { sum } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { insertRows } from '../rows.ts';
import { afterSpending, loadGrants } from './grants.ts';
import { draftLines, draftsOf, hasPassed, lockRun, passStep } from './run.ts';

/**
 * RO4–RO6: totals the drafts of a run and settles them with the payer's credits, which are reserved until issue (RN9). Done
 * again it changes nothing; with `anew` it gives back what it reserved and computes again.
 */
export async function applyCreditsStep(tx: Tx, runId: string, options: { anew?: boolean } = {}): Promise<void> {
  const run = await lockRun(tx, runId);
  if (hasPassed(run, 'CREDITS') && options.anew !== true) return;
  const drafts = await draftsOf(tx, run.id);
  const ids = drafts.map(({ id }) => id);
  const byInvoice = Map.groupBy(await draftLines(tx, ids), ({ invoiceId }) => invoiceId);
  if (options.anew === true) await clearSettlement(tx, ids);

  const unspent = await loadGrants(tx, [run.payerCustomerId], { lock: true });
  let grants = unspent.get(run.payerCustomerId) ?? [];
  for (const draft of drafts) {
    const totals = invoiceTotals({
      currency: run.currency,
      payerId: run.payerCustomerId,
      lines: byInvoice.get(draft.id) ?? [],
    });
    const { applied, due } = applyCredits({ due: totals.total, currency: run.currency, asOf: run.now, grants });
    await insertAccounts(tx, [{ invoiceId: draft.id, accounts: totals.accounts }]);
    await reserveCredits(tx, [{ run, invoiceId: draft.id, applied }]);
    const { accounts: _, ...sums } = totals;
    await tx.db
      .updateTable('invoices')
      .set({ ...sums, creditsApplied: sum(applied.map(({ amount }) => amount)).toFixed(), amountDue: due })
      .where('id', '=', draft.id)
      .execute();
    grants = afterSpending(grants, applied);
  }
  await passStep(tx, run.id, 'CREDITS');
}

/** Gives back what drafts hold of grants. */
export async function releaseCredits(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  await sql`
    with released as (
      delete from credit_reservations
       where invoice_id = any(${invoiceIds}::text[]) and status = 'RESERVED'
      returning tenant_id, grant_id, amount),
    by_grant as (select tenant_id, grant_id, sum(amount) as amount from released group by tenant_id, grant_id)
    update credit_grants g set remaining = g.remaining + b.amount
      from by_grant b where g.tenant_id = b.tenant_id and g.id = b.grant_id`.execute(tx.db);
}

/** Gives back what drafts hold, and forgets what they came to for each account. */
async function clearSettlement(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  await releaseCredits(tx, invoiceIds);
  await tx.db
    .deleteFrom('invoice_accounts')
    .where('invoiceId', '=', sql<string>`any(${invoiceIds}::text[])`)
    .execute();
}

/** Takes what invoices spend of grants out of these, and holds it until they are issued (RN9). */
export async function reserveCredits(
  tx: Tx,
  invoices: readonly { run: { now: Instant }; invoiceId: string; applied: readonly AppliedCredit[] }[],
): Promise<void> {
  const reservations = invoices.flatMap(({ run, invoiceId, applied }) =>
    applied.map(({ grantId, amount }) => ({
      tenantId: tx.tenantId,
      grantId,
      invoiceId,
      amount,
      status: 'RESERVED' as const,
      reservedAt: run.now,
      settledAt: null,
    })),
  );
  if (reservations.length === 0) return;
  await insertRows(tx.db, 'credit_reservations', reservations);
  await sql`
    update credit_grants g set remaining = g.remaining - r.amount
      from (select tenant_id, grant_id, sum(amount) as amount from credit_reservations
             where invoice_id = any(${invoices.map(({ invoiceId }) => invoiceId)}::text[]) and status = 'RESERVED'
             group by tenant_id, grant_id) r
     where r.tenant_id = g.tenant_id and r.grant_id = g.id`.execute(tx.db);
}

/** G6: each account with a line, under the name that it has now; sealed with the invoice. */
export async function insertAccounts(
  tx: Tx,
  invoices: readonly { invoiceId: string; accounts: readonly AccountTotals[] }[],
): Promise<void> {
  if (invoices.length === 0) return;
  const ids = new Set(invoices.flatMap(({ accounts }) => accounts.map(({ customerId }) => customerId)));
  const names = await tx.db
    .selectFrom('customers')
    .where('id', '=', sql<string>`any(${[...ids]}::text[])`)
    .select(['id', 'externalId', 'name'])
    .execute();
  const byId = new Map(names.map((row) => [row.id, row]));
  await insertRows(
    tx.db,
    'invoice_accounts',
    invoices.flatMap(({ invoiceId, accounts }) =>
      accounts.map((account, position) => ({
        tenantId: tx.tenantId,
        invoiceId,
        position,
        externalId: byId.get(account.customerId)?.externalId ?? null,
        name: byId.get(account.customerId)?.name ?? '',
        ...account,
      })),
    ),
  );
}
