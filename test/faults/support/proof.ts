import { expect } from 'vitest';
import type { TestDatabase } from '../../support/database.ts';
import { type Books, booksOf } from './books.ts';

/** What must be so in the books of every tenant, at rest, whatever happened on the way. Each finds the rows that break it. */
export const RULES: Readonly<Record<string, string>> = {
  'a run that is not over': `
    select id, kind, status, step, reason from billing_runs where tenant_id = $1 and status in ('OPEN', 'WAITING', 'BLOCKED')`,
  'a boundary with two runs': `
    select billing_group_id, boundary_at, count(*) from billing_runs
     where tenant_id = $1 and kind = 'BOUNDARY' group by 1, 2 having count(*) > 1`,
  'a group whose last boundary did not run last': `
    select g.id, g.last_boundary_at, max(r.boundary_at) from billing_groups g
      join billing_runs r on r.tenant_id = g.tenant_id and r.billing_group_id = g.id and r.kind = 'BOUNDARY'
     where g.tenant_id = $1 group by g.id, g.last_boundary_at having g.last_boundary_at is distinct from max(r.boundary_at)`,
  'a run that ISSUED no invoice, or another that has one': `
    select r.id, r.status from billing_runs r where r.tenant_id = $1 and (r.status = 'ISSUED') <> exists
      (select 1 from invoices v where v.tenant_id = r.tenant_id and v.run_id = r.id and v.number is not null)`,
  'an invoice twice': `
    select run_id, position, count(*) from invoices where tenant_id = $1 and status <> 'VOID' group by 1, 2 having count(*) > 1`,
  'a draft that nobody finished': `select id, run_id from invoices where tenant_id = $1 and status = 'DRAFT'`,
  'a stream of numbers that is not 1 to N': `
    select v.billing_entity_id, count(*), count(distinct n), min(n), max(n), s.next_number
      from invoices v join number_streams s on s.tenant_id = v.tenant_id and s.billing_entity_id = v.billing_entity_id
      cross join lateral (select (regexp_match(v.number, '([0-9]+)$'))[1]::int as n) number
     where v.tenant_id = $1 and s.reset_period = '' and v.number is not null group by 1, s.next_number
    having count(*) <> count(distinct n) or min(n) <> 1 or max(n) <> count(*) or s.next_number <> count(*) + 1`,
  'an earlier number with a later instant': `
    select * from (
      select v.id, v.number, v.issued_at, lag(v.issued_at) over (partition by v.billing_entity_id, c.test_clock_id
             order by length(v.number), v.number) as before
        from invoices v join customers c on c.tenant_id = v.tenant_id and c.id = v.payer_customer_id
       where v.tenant_id = $1 and v.number is not null) numbered where before > issued_at`,
  'an entry that does not balance': `
    select entry_id, currency, sum(case direction when 'DEBIT' then amount else -amount end) from ledger_postings
     where tenant_id = $1 group by 1, 2 having sum(case direction when 'DEBIT' then amount else -amount end) <> 0`,
  'an invoice that is not in the ledger once': `
    select v.id, count(e.id) from invoices v
      left join ledger_entries e on e.tenant_id = v.tenant_id and e.subject_id = v.id and e.event = 'INVOICE_ISSUED'
     where v.tenant_id = $1 and v.number is not null group by v.id having count(e.id) <> 1`,
  // Where invoices of 0 are skipped there was no document, and the claim stays.
  'a claim without its line': `
    select k.id, k.kind, k.run_id from claims k
      join billing_runs r on r.tenant_id = k.tenant_id and r.id = k.run_id
      join billing_entities e on e.tenant_id = r.tenant_id and e.id = r.billing_entity_id
      left join invoice_lines l on l.tenant_id = k.tenant_id and l.id = k.line_id and l.invoice_id = k.invoice_id
     where k.tenant_id = $1 and k.released_at is null and l.id is null
       and not (e.zero_invoices = 'SKIP' and k.invoice_id is null and k.line_id is null)`,
  'a line without its one claim': `
    select l.id, count(k.id) from invoice_lines l
      join invoices v on v.tenant_id = l.tenant_id and v.id = l.invoice_id and v.status <> 'VOID'
      left join claims k on k.tenant_id = l.tenant_id and k.line_id = l.id and k.released_at is null
     where l.tenant_id = $1 group by l.id having count(k.id) <> 1`,
  'time billed twice': `
    select a.item_id, a.period_start, a.period_end, b.period_start as again from claims a
      join claims b on b.tenant_id = a.tenant_id and b.item_id = a.item_id and b.kind = 'PERIOD' and b.id > a.id
       and b.released_at is null and a.period_start < b.period_end and b.period_start < a.period_end
     where a.tenant_id = $1 and a.kind = 'PERIOD' and a.released_at is null`,
  'time left out': `
    select i.id, i.billed_through_at, k.billed from subscription_items i
      join subscriptions s on s.tenant_id = i.tenant_id and s.id = i.subscription_id
      join (select tenant_id, item_id, range_agg(tstzrange(period_start, period_end)) as billed from claims
             where kind = 'PERIOD' and released_at is null group by 1, 2) k on k.tenant_id = i.tenant_id and k.item_id = i.id
     where i.tenant_id = $1 and ((select count(*) from unnest(k.billed)) <> 1 or upper(k.billed) < i.billed_through_at
        or upper(k.billed) > i.billed_through_at and s.end_at is null)`,
  'a reservation that was never settled': `
    select 'coupon' as of, redemption_id as id, invoice_id from coupon_reservations where tenant_id = $1 and status = 'RESERVED'
     union all
    select 'credit', grant_id, invoice_id from credit_reservations where tenant_id = $1 and status = 'RESERVED'`,
  'a credit that does not add up': `
    select g.id, g.amount, g.remaining, coalesce(sum(r.amount), 0) from credit_grants g
      left join credit_reservations r on r.tenant_id = g.tenant_id and r.grant_id = g.id and r.status <> 'RELEASED'
     where g.tenant_id = $1 group by g.id, g.amount, g.remaining having g.remaining <> g.amount - coalesce(sum(r.amount), 0)`,
  'an invoice that does not add up': `
    select v.id, v.total, v.credit_granted, v.credits_applied, v.amount_due, sum(l.taxable + l.tax) from invoices v
      join invoice_lines l on l.tenant_id = v.tenant_id and l.invoice_id = v.id
     where v.tenant_id = $1 group by v.id, v.total, v.credit_granted, v.credits_applied, v.amount_due, v.amount_paid
    having v.total <> sum(l.total) + v.credit_granted or v.amount_due <> v.total - v.credits_applied - v.amount_paid`,
};

/** Every row of a tenant that breaks a rule of the books, under the rule's name. */
export async function flawsOf(db: Pick<TestDatabase, 'query'>, tenantId: string): Promise<Record<string, unknown[]>> {
  const flaws: Record<string, unknown[]> = {};
  for (const [name, select] of Object.entries(RULES)) {
    const rows = await db.query(select, [tenantId]);
    if (rows.length > 0) flaws[name] = rows;
  }
  return flaws;
}

/**
 * Proves that the faults left no trace in a tenant's books: nothing in them breaks a rule, and they are those of a world to
 * which the same happened undisturbed.
 */
export async function expectSoundBooks(db: TestDatabase, tenantId: string, undisturbed?: Books): Promise<void> {
  expect(await flawsOf(db, tenantId)).toEqual({});
  if (undisturbed === undefined) return;
  const books = await booksOf(db, tenantId);
  for (const [name, rows] of Object.entries(undisturbed)) expect(books[name], name).toEqual(rows);
}
