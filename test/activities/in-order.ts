import { expect } from 'vitest';
import type { TestDatabase } from '../support/database.ts';

/**
 * What must hold of a tenant's books whatever happened on the way: nothing is half done, held for nobody, or given twice.
 * Drafts that wait for review hold what they will need.
 */
export async function expectInOrder(db: TestDatabase, tenantId: string): Promise<void> {
  for (const [what, query] of Object.entries(FAULTY)) expect(await db.query(query, [tenantId]), what).toEqual([]);
}

const IN_REVIEW = `v.status = 'DRAFT' and r.status = 'WAITING' and r.reason = 'REVIEW'`;

const FAULTY: Readonly<Record<string, string>> = {
  'runs that are neither over nor wait for review': `
    select r.* from billing_runs r where r.tenant_id = $1 and r.status not in ('ISSUED', 'EMPTY', 'SKIPPED')
       and not (r.status = 'WAITING' and r.reason = 'REVIEW')`,
  'drafts that do not wait for review': `
    select v.id from invoices v join billing_runs r on r.id = v.run_id
     where v.tenant_id = $1 and v.status = 'DRAFT' and not (${IN_REVIEW})`,
  'invoices that a run has twice': `
    select run_id from invoices where tenant_id = $1 group by run_id, position having count(*) > 1`,
  'numbers that are missing, doubled, or beyond the stream': `
    select s.* from number_streams s
      join billing_entities e on e.id = s.billing_entity_id
     cross join lateral (
        select count(*)::int as given, count(distinct v.number)::int as numbers,
               max(substring(v.number from '\\d+$')::int) as last
          from invoices v where v.billing_entity_id = e.id and v.number is not null) v
     where s.tenant_id = $1
       and (v.given <> v.numbers or v.given <> s.next_number - e.first_number or v.last <> s.next_number - 1)`,
  'invoices without a stream that counts them': `
    select v.id from invoices v where v.tenant_id = $1 and v.number is not null
       and not exists (select 1 from number_streams s where s.billing_entity_id = v.billing_entity_id)`,
  'entries that are not balanced': `
    select entry_id from ledger_postings where tenant_id = $1 group by entry_id
    having sum(case direction when 'DEBIT' then amount else -amount end) <> 0`,
  'issued invoices that the ledger does not know': `
    select v.id from invoices v where v.tenant_id = $1 and v.status <> 'DRAFT'
       and not exists (select 1 from ledger_entries l where l.tenant_id = $1 and l.subject_id = v.id)`,
  'claims of no line that is or was billed': `
    select c.id from claims c left join invoices v on v.id = c.invoice_id
     where c.tenant_id = $1 and c.released_at is null and c.invoice_id is not null and v.id is null`,
  'lines without their claim': `
    select l.id from invoice_lines l where l.tenant_id = $1
       and (select count(*) from claims c where c.line_id = l.id and c.released_at is null) <> 1`,
  'coupon cycles that are held for nobody': `
    select c.* from coupon_reservations c
     where c.tenant_id = $1 and c.status = 'RESERVED' and not exists (
       select 1 from invoices v join billing_runs r on r.id = v.run_id where v.id = c.invoice_id and ${IN_REVIEW})`,
  'credits that are held for nobody': `
    select c.* from credit_reservations c
     where c.tenant_id = $1 and c.status = 'RESERVED' and not exists (
       select 1 from invoices v join billing_runs r on r.id = v.run_id where v.id = c.invoice_id and ${IN_REVIEW})`,
  'grants whose rest is not what was spent': `
    select g.id from credit_grants g where g.tenant_id = $1 and g.remaining <> g.amount
         - (select coalesce(sum(c.amount), 0) from credit_reservations c where c.grant_id = g.id)`,
};
