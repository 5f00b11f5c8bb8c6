import { sql } from 'kysely';
import { BillingError } from '../../domain/errors.ts';
import { audit } from '../audit.ts';
import { releaseCredits } from '../billing/apply-credits.ts';
import { deleteDrafts } from '../billing/issue.ts';
import { type LockedRun, passStep, setRunStatus } from '../billing/run.ts';
import type { Tx } from '../database.ts';
import { holdDraft, wakeRunOf } from './drafts.ts';

/** The reason of a run whose drafts somebody has thrown away. */
export const DISCARDED = 'DISCARDED';

/**
 * RN9: throws a draft away and releases all that it holds: claims, coupon cycles, credits. What was on it is billed by the
 * next event of its group, or by bill-now. Its boundary has run and is not run again.
 *
 * @throws `not_found`; `invoice.status` when it is issued, at work, or a later invoice bills the same items further on.
 */
export async function discardDraft(tx: Tx, invoiceId: string, actor: string): Promise<void> {
  const draft = await holdDraft(tx, invoiceId, 'DISCARDED');
  const { run } = draft;
  await assertLatest(tx, invoiceId);
  await moveItemsBack(tx, invoiceId);
  await letChargesWait(tx, invoiceId);
  await tx.db
    .updateTable('claims')
    .set({ releasedAt: run.now })
    .where('invoiceId', '=', invoiceId)
    .where('releasedAt', 'is', null)
    .execute();
  await releaseCredits(tx, [invoiceId]);
  await tx.db
    .deleteFrom('coupon_reservations')
    .where('invoiceId', '=', invoiceId)
    .where('status', '=', 'RESERVED')
    .execute();
  await deleteDrafts(tx, [invoiceId]);
  if (!(await hasInvoices(tx, run.id))) await endRun(tx, run);
  await audit(tx, {
    actor,
    action: 'invoice.discarded',
    subjectType: 'invoice',
    subjectId: invoiceId,
    detail: { runId: run.id, boundaryAt: run.boundaryAt },
    happenedAt: run.now,
  });
  await wakeRunOf(tx, draft);
}

/** An item has one date that it is billed through: it can go back only over what no other invoice holds. */
async function assertLatest(tx: Tx, invoiceId: string): Promise<void> {
  const { rows } = await sql<{ name: string | null; status: string | null }>`
    select coalesce(v.number, v.id) as name, v.status
      from claims mine
      join claims later on later.tenant_id = mine.tenant_id and later.item_id = mine.item_id and later.kind = 'PERIOD'
                       and later.released_at is null and later.period_start >= mine.period_end
                       and later.invoice_id is distinct from mine.invoice_id
      left join invoices v on v.tenant_id = later.tenant_id and v.id = later.invoice_id
     where mine.invoice_id = ${invoiceId} and mine.kind = 'PERIOD' and mine.released_at is null
     order by later.period_start desc, v.id limit 1`.execute(tx.db);
  const [later] = rows;
  if (later === undefined) return;
  const cure = later.status === 'DRAFT' ? 'Discard that draft first' : 'Issue this one and then void or credit it';
  throw new BillingError(
    'invoice.status',
    `${later.name === null ? 'An invoice of 0' : `Invoice ${later.name}`} bills later periods of the same items. ${cure}, so that no time is left out.`,
  );
}

/**
 * RP13: the items of the draft go on from where they stood before it: from the first period that it billed; a SETUP is to be
 * charged as if it never was; one whose unused time was given back reaches again to the end of what was charged (RP5).
 */
const moveItemsBack = (tx: Tx, invoiceId: string) =>
  sql`
    with released as (
      select l.tenant_id, l.item_id,
             min(k.period_start) filter (where k.kind = 'PERIOD') as billed_from,
             max(credited.period_end) filter (where k.kind = 'CREDIT') as charged_until
        from claims k
        join invoice_lines l on l.tenant_id = k.tenant_id and l.id = k.line_id
        left join invoice_lines credited on credited.tenant_id = k.tenant_id and credited.id = k.credited_line_id
       where k.invoice_id = ${invoiceId} and k.released_at is null and l.item_id is not null
       group by l.tenant_id, l.item_id)
    update subscription_items i
       set finished = false, billed_through_at = coalesce(r.billed_from, r.charged_until)
      from released r
     where i.tenant_id = r.tenant_id and i.id = r.item_id`.execute(tx.db);

/** A charge that was to be billed at once waits for the next invoice of its group; one without a group waits to be deleted. */
const letChargesWait = (tx: Tx, invoiceId: string) =>
  sql`
    update one_time_charges c set timing = 'NEXT_INVOICE'
      from claims k
     where k.tenant_id = c.tenant_id and k.charge_id = c.id and k.invoice_id = ${invoiceId} and k.released_at is null
       and c.timing = 'IMMEDIATE' and c.billing_group_id is not null`.execute(tx.db);

const hasInvoices = async (tx: Tx, runId: string): Promise<boolean> =>
  (await tx.db.selectFrom('invoices').where('runId', '=', runId).select('id').limit(1).executeTakeFirst()) !==
  undefined;

/** The run is over; a group that it had blocked goes on. */
async function endRun(tx: Tx, run: LockedRun): Promise<void> {
  await passStep(tx, run.id, 'ISSUED');
  await setRunStatus(tx, run, 'EMPTY', DISCARDED);
  if (run.status !== 'BLOCKED' || run.billingGroupId === null) return;
  await tx.db
    .updateTable('billing_groups')
    .set({ status: 'ACTIVE', statusReason: null })
    .where('id', '=', run.billingGroupId)
    .where('status', '=', 'BLOCKED')
    .execute();
}
