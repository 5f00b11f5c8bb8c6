import { sql } from 'kysely';
import type { Instant } from '../../domain/calendar.ts';
import { collectRun, type RunFacts } from '../../domain/invoice/collect-run.ts';
import type { Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { applyCouponsStep } from './apply-coupons.ts';
import { applyCreditsStep } from './apply-credits.ts';
import { applyTaxStep } from './apply-tax.ts';
import { storeLines, storeProgress } from './draft-rows.ts';
import { eventOf, loadFacts } from './event.ts';
import { loadGroups } from './group-state.ts';
import { deleteDrafts } from './issue.ts';
import { lockRun, setRunStatus } from './run.ts';

/**
 * RP5: a line in an unsealed draft was not charged yet. When its subscription ends before the line's period does, the line
 * is taken out and collected again, cut at the end; coupons, tax and credits of the draft are computed anew.
 *
 * @param cut.endAt  the end as proration sees it.
 */
export async function recutDrafts(tx: Tx, cut: { subscriptionId: string; endAt: Instant }): Promise<void> {
  // A step may be issuing a draft at this moment: what it has sealed once it is through was charged.
  await sql`
    select r.id from billing_runs r
     where r.status in ('OPEN', 'WAITING', 'BLOCKED') and exists (
       select 1 from invoices v join invoice_lines l on l.tenant_id = v.tenant_id and l.invoice_id = v.id
        where v.tenant_id = r.tenant_id and v.run_id = r.id and v.status = 'DRAFT'
          and l.subscription_id = ${cut.subscriptionId})
     order by r.id for update`.execute(tx.db);
  const { rows } = await sql<{
    runId: string;
    invoiceId: string;
    lineId: string;
    itemId: string;
    position: number;
    periodStart: Instant;
  }>`
    select v.run_id, v.id as invoice_id, l.id as line_id, l.item_id, l.position, l.period_start
      from invoice_lines l join invoices v on v.tenant_id = l.tenant_id and v.id = l.invoice_id
     where l.subscription_id = ${cut.subscriptionId} and l.kind in ('RECURRING', 'PRORATION_CHARGE')
       and l.period_end > ${cut.endAt}::timestamptz and v.status = 'DRAFT'
     order by v.run_id, l.position`.execute(tx.db);
  for (const [runId, lines] of Map.groupBy(rows, (row) => row.runId)) {
    await takeOut(tx, lines);
    await collectAgain(tx, runId, cut.subscriptionId, lines);
  }
}

async function takeOut(
  tx: Tx,
  lines: readonly { lineId: string; itemId: string; periodStart: Instant }[],
): Promise<void> {
  const ids = lines.map(({ lineId }) => lineId);
  const itemIds = lines.map(({ itemId }) => itemId);
  const starts = lines.map(({ periodStart }) => periodStart);
  await sql`delete from line_taxes where line_id = any(${ids}::text[])`.execute(tx.db);
  await sql`delete from line_discounts where line_id = any(${ids}::text[])`.execute(tx.db);
  await sql`update claims set released_at = ${tx.now()}::timestamptz where line_id = any(${ids}::text[])`.execute(
    tx.db,
  );
  await sql`delete from invoice_lines where id = any(${ids}::text[])`.execute(tx.db);
  await sql`
    update subscription_items i set billed_through_at = r.start_at, finished = false
      from (select item_id, min(start_at) as start_at
              from unnest(${itemIds}::text[], ${starts}::timestamptz[]) as t(item_id, start_at) group by item_id) r
     where i.id = r.item_id`.execute(tx.db);
}

async function collectAgain(
  tx: Tx,
  runId: string,
  subscriptionId: string,
  removed: readonly { invoiceId: string; position: number }[],
): Promise<void> {
  const run = await lockRun(tx, runId);
  const [group] = await loadGroups(tx, run.billingGroupId === null ? [] : [run.billingGroupId]);
  const invoiceId = removed[0]?.invoiceId;
  if (group === undefined || invoiceId === undefined) return;
  const [facts] = await loadFacts(tx, [{ ...group, event: eventOf(group, run.boundaryAt), scope: { subscriptionId } }]);
  const { invoices, progress } = collectRun(facts as RunFacts);
  const lines = invoices.flatMap((invoice) => invoice.lines);
  const { last } = await tx.db
    .selectFrom('invoice_lines')
    .where('invoiceId', '=', invoiceId)
    .select((select) => select.fn.max('position').as('last'))
    .executeTakeFirstOrThrow();
  // A line that is only cut keeps its place; a further one comes last.
  const places = removed.map(({ position }) => position);
  await storeLines(
    tx,
    lines.map((line, index) => ({
      run,
      id: newId('lin'),
      line,
      invoiceId,
      position: places[index] ?? Number(last ?? 0) + removed.length + index + 1,
    })),
  );
  await storeProgress(tx, progress);
  if (last === null && lines.length === 0) await dropEmptyDraft(tx, run, invoiceId);
  await applyCouponsStep(tx, runId, { anew: true });
  await applyTaxStep(tx, runId, { anew: true });
  await applyCreditsStep(tx, runId, { anew: true });
}

async function dropEmptyDraft(tx: Tx, run: { id: string; now: Instant }, invoiceId: string): Promise<void> {
  await tx.db.updateTable('claims').set({ invoiceId: null, lineId: null }).where('invoiceId', '=', invoiceId).execute();
  await tx.db
    .deleteFrom('coupon_reservations')
    .where('invoiceId', '=', invoiceId)
    .where('status', '=', 'RESERVED')
    .execute();
  await deleteDrafts(tx, [invoiceId]);
  const { drafts } = await tx.db
    .selectFrom('invoices')
    .where('runId', '=', run.id)
    .select((select) => select.fn.countAll<number>().as('drafts'))
    .executeTakeFirstOrThrow();
  if (Number(drafts) > 0) return;
  await tx.db.updateTable('billing_runs').set({ step: 'ISSUED' }).where('id', '=', run.id).execute();
  await setRunStatus(tx, run, 'EMPTY', 'CANCELED');
}
