import { Migration } from '@mikro-orm/migrations';

/**
 * The seal of an invoice's rows looks each invoice up by its key, once. As a join the planner, which knows nothing of what a
 * statement has changed, could compare every changed row with every invoice of the tenant.
 */
export class Migration20261121171500_SealedRowsByKey extends Migration {
  override name = 'Migration20261121171500_SealedRowsByKey';

  override up(): void {
    this.addSql(`
create or replace function forbid_sealed_row_change() returns trigger language plpgsql as $$
declare
  sealed text;
begin
  select r.invoice_id into sealed
    from (select distinct tenant_id, invoice_id from changed_rows) r
   where (select i.status from invoices i where i.tenant_id = r.tenant_id and i.id = r.invoice_id) <> 'DRAFT' limit 1;
  if sealed is not null then
    raise exception 'Invoice % is issued and sealed: its % cannot change.', sealed, tg_table_name
      using errcode = 'restrict_violation';
  end if;
  return null;
end $$`);
  }
}
