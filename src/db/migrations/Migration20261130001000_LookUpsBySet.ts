import { Migration } from '@mikro-orm/migrations';

/**
 * What a statement's rows refer to is looked up for all of them at once. While a table is new PostgreSQL takes every index that
 * begins with the tenant for as good as the key, and keeps that plan in each connection until it has counted the table: a
 * look-up for each row then walked through all invoices of the tenant, and one for each posting through all its entries.
 */
export class Migration20261130001000_LookUpsBySet extends Migration {
  override name = 'Migration20261130001000_LookUpsBySet';

  override up(): void {
    this.addSql(SEALED_ROWS);
    this.addSql('alter table ledger_postings drop constraint ledger_postings_entry_id_fk');
    this.addSql(ENTRY_EXISTS);
    for (const event of ['insert', 'update']) {
      this.addSql(
        `create trigger ledger_postings_entry_id_exists_${event} after ${event} on ledger_postings referencing new table as changed_rows for each statement execute function ledger_postings_entry_id_exists()`,
      );
    }
  }
}

const SEALED_ROWS = `
create or replace function forbid_sealed_row_change() returns trigger language plpgsql as $$
declare
  sealed text;
begin
  with referred as materialized (
    select tenant_id, array_agg(distinct invoice_id) as keys from changed_rows group by tenant_id)
  select i.id into sealed
    from referred r
   cross join lateral (
     select t.id from invoices t
      where t.tenant_id = r.tenant_id and t.id = any(r.keys) and t.status <> 'DRAFT' limit 1) i
   limit 1;
  if sealed is not null then
    raise exception 'Invoice % is issued and sealed: its % cannot change.', sealed, tg_table_name
      using errcode = 'restrict_violation';
  end if;
  return null;
end $$`;

/** As the other references that come by the thousand (decision 20); entries are append-only, so none goes away. */
const ENTRY_EXISTS = `
create function ledger_postings_entry_id_exists() returns trigger language plpgsql as $$
declare
  missing text;
begin
  with referred as materialized (
    select tenant_id, array_agg(distinct entry_id) as keys from changed_rows group by tenant_id),
  incomplete as materialized (
    select * from referred r
     where (select count(*) from ledger_entries t where t.tenant_id = r.tenant_id and t.id = any(r.keys)) < cardinality(r.keys))
  select one.key into missing from incomplete r cross join unnest(r.keys) as one(key)
   where not exists (select 1 from ledger_entries t where t.tenant_id = r.tenant_id and t.id = one.key) limit 1;
  if missing is not null then
    raise exception 'ledger_entries % of ledger_postings.entry_id does not exist.', missing
      using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$`;
