import { sql } from 'kysely';
import { type AppliedCredit, applyCredits } from '../../domain/credit/apply-credits.ts';
import { invoiceTotals } from '../../domain/invoice/totals.ts';
import { decimal, sum } from '../../domain/money.ts';
import type { Tx } from '../database.ts';
import { insertRows } from '../rows.ts';
import { loadGrants } from './grants.ts';
import { draftLines, draftsOf, hasPassed, type LockedRun, lockRun, passStep } from './run.ts';

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

  const payer = { customerId: run.payerCustomerId, currency: run.currency };
  let grants = await loadGrants(tx, payer, { lock: true });
  for (const draft of drafts) {
    const totals = invoiceTotals({
      currency: run.currency,
      payerId: run.payerCustomerId,
      lines: byInvoice.get(draft.id) ?? [],
    });
    const { applied, due } = applyCredits({ due: totals.total, currency: run.currency, asOf: run.now, grants });
    await writeAccounts(tx, draft.id, totals.accounts);
    await reserveCredits(tx, run, draft.id, applied);
    const { accounts: _, ...sums } = totals;
    await tx.db
      .updateTable('invoices')
      .set({ ...sums, creditsApplied: sum(applied.map(({ amount }) => amount)).toFixed(), amountDue: due })
      .where('id', '=', draft.id)
      .execute();
    const spent = new Map(applied.map(({ grantId, amount }) => [grantId, amount]));
    grants = grants.map((grant) => ({
      ...grant,
      remaining: decimal(grant.remaining)
        .minus(spent.get(grant.id) ?? '0')
        .toFixed(),
    }));
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

async function reserveCredits(
  tx: Tx,
  run: LockedRun,
  invoiceId: string,
  applied: readonly AppliedCredit[],
): Promise<void> {
  if (applied.length === 0) return;
  await insertRows(
    tx.db,
    'credit_reservations',
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
  await sql`
    update credit_grants g set remaining = g.remaining - r.amount
      from credit_reservations r
     where r.tenant_id = g.tenant_id and r.grant_id = g.id and r.invoice_id = ${invoiceId} and r.status = 'RESERVED'`.execute(
    tx.db,
  );
}

/** G6: each account with a line, under the name that it has now; sealed with the invoice. */
async function writeAccounts(
  tx: Tx,
  invoiceId: string,
  accounts: ReturnType<typeof invoiceTotals>['accounts'],
): Promise<void> {
  const names = await tx.db
    .selectFrom('customers')
    .where('id', '=', sql<string>`any(${accounts.map(({ customerId }) => customerId)}::text[])`)
    .select(['id', 'externalId', 'name'])
    .execute();
  const byId = new Map(names.map((row) => [row.id, row]));
  await insertRows(
    tx.db,
    'invoice_accounts',
    accounts.map((account, position) => ({
      tenantId: tx.tenantId,
      invoiceId,
      position,
      externalId: byId.get(account.customerId)?.externalId ?? null,
      name: byId.get(account.customerId)?.name ?? '',
      ...account,
    })),
  );
}
