import { Migration } from '@mikro-orm/migrations';

/** The references that are checked as sets: [table, column, target], as `Migration20261121151000_SetBasedReferences` made them. */
const REFERENCES: readonly (readonly [table: string, column: string, target: string])[] = [
  ['invoice_lines', 'invoice_id', 'invoices'],
  ['invoice_lines', 'owner_customer_id', 'customers'],
  ['invoice_accounts', 'invoice_id', 'invoices'],
  ['line_taxes', 'line_id', 'invoice_lines'],
  ['line_discounts', 'line_id', 'invoice_lines'],
  ['claims', 'run_id', 'billing_runs'],
  ['claims', 'item_id', 'subscription_items'],
];

/** All keys of a statement are looked up in one walk through the target's index; one by one only to name the one that is missing. */
const requireTarget = (table: string, column: string, target: string): string => `
create or replace function ${table}_${column}_exists() returns trigger language plpgsql as $$
declare
  missing text;
begin
  with referred as materialized (
    select tenant_id, array_agg(distinct ${column}) as keys from changed_rows where ${column} is not null group by tenant_id),
  incomplete as materialized (
    select * from referred r
     where (select count(*) from ${target} t where t.tenant_id = r.tenant_id and t.id = any(r.keys)) < cardinality(r.keys))
  select one.key into missing from incomplete r cross join unnest(r.keys) as one(key)
   where not exists (select 1 from ${target} t where t.tenant_id = r.tenant_id and t.id = one.key) limit 1;
  if missing is not null then
    raise exception '% % of ${table}.${column} does not exist.', '${target}', missing using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$`;

export class Migration20261122003000_ReferencesByKeySets extends Migration {
  override name = 'Migration20261122003000_ReferencesByKeySets';

  override up(): void {
    for (const [table, column, target] of REFERENCES) this.addSql(requireTarget(table, column, target));
  }
}
