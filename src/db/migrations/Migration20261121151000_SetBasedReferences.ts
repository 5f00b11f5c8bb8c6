import { Migration } from '@mikro-orm/migrations';

/**
 * References of the rows that a run writes by the thousand: [table, column, target]. PostgreSQL checks a foreign key row by
 * row, and locks the row that is pointed to each time; that was a third of what a large run costs. These are checked as
 * sets: one look into the target's key for each different value of a statement. What they point to is never deleted while
 * it is pointed to, so that no lock is needed: see `KEPT` and `DELETED_WHOLE`.
 */
const REFERENCES: readonly (readonly [table: string, column: string, target: string])[] = [
  ['invoice_lines', 'invoice_id', 'invoices'],
  ['invoice_lines', 'owner_customer_id', 'customers'],
  ['invoice_accounts', 'invoice_id', 'invoices'],
  ['line_taxes', 'line_id', 'invoice_lines'],
  ['line_discounts', 'line_id', 'invoice_lines'],
  ['claims', 'run_id', 'billing_runs'],
  ['claims', 'item_id', 'subscription_items'],
];

/** Targets that nothing ever deletes: they are archived, ended or closed. */
const KEPT = ['customers', 'billing_runs', 'subscription_items'];

/** Drafts and their lines are deleted with all that points to them, by the transaction that holds their run. */
const DELETED_WHOLE: readonly (readonly [target: string, table: string, column: string])[] = REFERENCES.filter(
  ([, , target]) => !KEPT.includes(target),
).map(([table, column, target]) => [target, table, column]);

const requireTarget = (table: string, column: string, target: string): string => `
create function ${table}_${column}_exists() returns trigger language plpgsql as $$
declare
  missing text;
begin
  select r.value into missing
    from (select distinct tenant_id, ${column} as value from changed_rows where ${column} is not null) r
   where (select 1 from ${target} t where t.tenant_id = r.tenant_id and t.id = r.value) is null limit 1;
  if missing is not null then
    raise exception '% % of ${table}.${column} does not exist.', '${target}', missing using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$`;

const forbidWhileUsed = (target: string, table: string, column: string): string => `
create function ${target}_used_by_${table}() returns trigger language plpgsql as $$
declare
  used text;
begin
  select r.id into used from removed_rows r
   where (select 1 from ${table} c where c.tenant_id = r.tenant_id and c.${column} = r.id limit 1) is not null limit 1;
  if used is not null then
    raise exception '% % is pointed to by ${table}.${column}.', '${target}', used using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$`;

const FORBID_DELETE = `
create function forbid_delete() returns trigger language plpgsql as $$
begin
  raise exception '% are never deleted.', tg_table_name using errcode = 'restrict_violation';
end $$`;

export class Migration20261121151000_SetBasedReferences extends Migration {
  override name = 'Migration20261121151000_SetBasedReferences';

  override up(): void {
    for (const [table, column, target] of REFERENCES) {
      this.addSql(`alter table ${table} drop constraint ${table}_${column}_fk`);
      this.addSql(requireTarget(table, column, target));
      for (const event of ['insert', 'update']) {
        this.addSql(
          `create trigger ${table}_${column}_exists_${event} after ${event} on ${table} referencing new table as changed_rows for each statement execute function ${table}_${column}_exists()`,
        );
      }
    }
    this.addSql(FORBID_DELETE);
    for (const table of KEPT) {
      this.addSql(
        `create trigger ${table}_kept before delete on ${table} for each row execute function forbid_delete()`,
      );
    }
    for (const [target, table, column] of DELETED_WHOLE) {
      this.addSql(forbidWhileUsed(target, table, column));
      this.addSql(
        `create trigger ${target}_used_by_${table} after delete on ${target} referencing old table as removed_rows for each statement execute function ${target}_used_by_${table}()`,
      );
    }
  }
}
