import { Migration } from '@mikro-orm/migrations';

/** [table, columns after tenant_id, referenced table]; every key and foreign key starts with tenant_id. */
const FOREIGN_KEYS: readonly (readonly [table: string, column: string, target: string])[] = [
  ['customers', 'test_clock_id', 'test_clocks'],
  ['customers', 'billing_entity_id', 'billing_entities'],
  ['customer_parents', 'customer_id', 'customers'],
  ['customer_parents', 'parent_customer_id', 'customers'],
  ['customer_aliases', 'customer_id', 'customers'],
  ['customer_contacts', 'customer_id', 'customers'],
  ['number_streams', 'billing_entity_id', 'billing_entities'],
  ['tax_rates', 'billing_entity_id', 'billing_entities'],
  ['plan_versions', 'plan_id', 'plans'],
  ['plan_versions', 'billing_entity_id', 'billing_entities'],
  ['prices', 'plan_id', 'plans'],
  ['subscriptions', 'customer_id', 'customers'],
  ['subscriptions', 'invoicing_customer_id', 'customers'],
  ['subscriptions', 'plan_id', 'plans'],
  ['subscriptions', 'billing_entity_id', 'billing_entities'],
  ['subscription_items', 'subscription_id', 'subscriptions'],
  ['item_terms', 'item_id', 'subscription_items'],
  ['item_terms', 'price_id', 'prices'],
  ['subscription_payers', 'subscription_id', 'subscriptions'],
  ['subscription_payers', 'payer_customer_id', 'customers'],
  ['group_memberships', 'subscription_id', 'subscriptions'],
  ['group_memberships', 'billing_group_id', 'billing_groups'],
  ['billing_groups', 'payer_customer_id', 'customers'],
  ['billing_groups', 'billing_entity_id', 'billing_entities'],
  ['billing_groups', 'test_clock_id', 'test_clocks'],
  ['group_schedules', 'billing_group_id', 'billing_groups'],
  ['skipped_boundaries', 'billing_group_id', 'billing_groups'],
  ['billing_runs', 'billing_group_id', 'billing_groups'],
  ['billing_runs', 'payer_customer_id', 'customers'],
  ['billing_runs', 'billing_entity_id', 'billing_entities'],
  ['run_members', 'run_id', 'billing_runs'],
  ['run_members', 'subscription_id', 'subscriptions'],
  ['one_time_charges', 'customer_id', 'customers'],
  ['one_time_charges', 'payer_customer_id', 'customers'],
  ['one_time_charges', 'billing_group_id', 'billing_groups'],
  ['one_time_charges', 'billing_entity_id', 'billing_entities'],
  ['claims', 'run_id', 'billing_runs'],
  ['claims', 'item_id', 'subscription_items'],
  ['claims', 'charge_id', 'one_time_charges'],
  ['claims', 'credited_line_id', 'invoice_lines'],
  ['invoices', 'run_id', 'billing_runs'],
  ['invoices', 'billing_entity_id', 'billing_entities'],
  ['invoices', 'payer_customer_id', 'customers'],
  ['invoices', 'billing_group_id', 'billing_groups'],
  ['invoices', 'replaces_invoice_id', 'invoices'],
  ['invoices', 'replaced_by_invoice_id', 'invoices'],
  ['invoice_lines', 'invoice_id', 'invoices'],
  ['invoice_lines', 'owner_customer_id', 'customers'],
  ['invoice_lines', 'credits_line_id', 'invoice_lines'],
  ['line_discounts', 'line_id', 'invoice_lines'],
  ['line_discounts', 'redemption_id', 'coupon_redemptions'],
  ['line_taxes', 'line_id', 'invoice_lines'],
  ['invoice_taxes', 'invoice_id', 'invoices'],
  ['invoice_accounts', 'invoice_id', 'invoices'],
  ['payments', 'invoice_id', 'invoices'],
  ['coupon_redemptions', 'coupon_id', 'coupons'],
  ['coupon_redemptions', 'customer_id', 'customers'],
  ['coupon_redemptions', 'subscription_id', 'subscriptions'],
  ['coupon_reservations', 'redemption_id', 'coupon_redemptions'],
  ['coupon_reservations', 'run_id', 'billing_runs'],
  ['credit_grants', 'customer_id', 'customers'],
  ['credit_reservations', 'grant_id', 'credit_grants'],
  ['credit_reservations', 'invoice_id', 'invoices'],
  ['ledger_entries', 'billing_entity_id', 'billing_entities'],
  ['ledger_postings', 'entry_id', 'ledger_entries'],
];

/** Tables whose rows carry a tenant, to be tied to it. */
const TENANT_TABLES = ['api_keys', 'test_clocks', 'billing_entities', 'customers', 'plans', 'coupons', 'audit_events'];

/** Dated facts: [table, the key that may hold one value at a time]. */
const TEMPORAL_KEYS: readonly (readonly [table: string, column: string])[] = [
  ['customer_parents', 'customer_id'],
  ['item_terms', 'item_id'],
  ['subscription_payers', 'subscription_id'],
  ['group_memberships', 'subscription_id'],
  ['group_schedules', 'billing_group_id'],
];

/** Rows that belong to an invoice and are sealed with it. */
const SEALED_TABLES = ['invoice_lines', 'line_discounts', 'line_taxes', 'invoice_taxes', 'invoice_accounts'];

const SEALED_INVOICE = `
create function forbid_sealed_invoice_change() returns trigger language plpgsql as $$
declare
  movable constant text[] := array['status', 'amount_paid', 'amount_due', 'paid_at', 'voided_at', 'replaced_by_invoice_id'];
begin
  if old.status = 'DRAFT' then
    return case when tg_op = 'DELETE' then old else new end;
  end if;
  if tg_op = 'DELETE' then
    raise exception 'Invoice % is issued and cannot be deleted.', old.id using errcode = 'restrict_violation';
  end if;
  if new.status = 'DRAFT' or (to_jsonb(new) - movable) is distinct from (to_jsonb(old) - movable) then
    raise exception 'Invoice % is issued and sealed.', old.id using errcode = 'restrict_violation';
  end if;
  return new;
end $$`;

/** Looks at a whole statement's rows at once, so that ten thousand lines cost one join. */
const SEALED_ROWS = `
create function forbid_sealed_row_change() returns trigger language plpgsql as $$
declare
  sealed text;
begin
  select i.id into sealed
    from changed_rows r join invoices i on i.tenant_id = r.tenant_id and i.id = r.invoice_id
   where i.status <> 'DRAFT' limit 1;
  if sealed is not null then
    raise exception 'Invoice % is issued and sealed: its % cannot change.', sealed, tg_table_name
      using errcode = 'restrict_violation';
  end if;
  return null;
end $$`;

const APPEND_ONLY = `
create function forbid_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only.', tg_table_name using errcode = 'restrict_violation';
end $$`;

const BALANCED = `
create function require_balanced_entry() returns trigger language plpgsql as $$
declare
  off text;
begin
  select p.currency into off from ledger_postings p
   where p.tenant_id = new.tenant_id and p.entry_id = new.entry_id
   group by p.currency
  having sum(case p.direction when 'DEBIT' then p.amount else -p.amount end) <> 0 limit 1;
  if off is not null then
    raise exception 'Ledger entry % does not balance in %.', new.entry_id, off using errcode = 'check_violation';
  end if;
  return null;
end $$`;

/** The abbreviation of a zone at an instant, from PostgreSQL's tzdata: JST, CEST, IST, -03 (E8). */
const ZONE_ABBREVIATION = `
create function zone_abbreviation(at timestamptz, zone text) returns text language plpgsql as $$
declare
  abbreviation text;
begin
  perform set_config('TimeZone', zone, true);
  abbreviation := to_char(at, 'TZ');
  perform set_config('TimeZone', 'UTC', true);
  return abbreviation;
end $$`;

/** What the entity definitions cannot say: foreign keys, temporal keys, sealing triggers, the balance of the ledger. */
export class Migration20261121080100_Integrity extends Migration {
  override name = 'Migration20261121080100_Integrity';

  override up(): void {
    this.addSql('create extension if not exists btree_gist');
    for (const [table, column, target] of FOREIGN_KEYS) {
      this.addSql(
        `alter table ${table} add constraint ${table}_${column}_fk foreign key (tenant_id, ${column}) references ${target} (tenant_id, id)`,
      );
    }
    for (const table of TENANT_TABLES) {
      this.addSql(
        `alter table ${table} add constraint ${table}_tenant_fk foreign key (tenant_id) references tenants (id) deferrable initially deferred`,
      );
    }
    this.addSql(
      `alter table tenants add constraint tenants_default_entity_fk foreign key (id, default_entity_id) references billing_entities (tenant_id, id) deferrable initially deferred`,
    );
    for (const [table, column] of TEMPORAL_KEYS) {
      this.addSql(
        `alter table ${table} add constraint ${table}_temporal_key unique (tenant_id, ${column}, valid without overlaps)`,
      );
    }
    this.addSql(ZONE_ABBREVIATION);
    this.sealInvoices();
    this.guardLedger();
  }

  private sealInvoices(): void {
    this.addSql(SEALED_INVOICE);
    this.addSql(
      `create trigger invoices_sealed before update or delete on invoices for each row execute function forbid_sealed_invoice_change()`,
    );
    this.addSql(SEALED_ROWS);
    for (const table of SEALED_TABLES) {
      // An update is looked at from both sides: neither does a row leave a sealed invoice, nor does one move in.
      for (const [event, rows] of [
        ['insert', 'new'],
        ['update', 'old'],
        ['update', 'new'],
        ['delete', 'old'],
      ]) {
        this.addSql(
          `create trigger ${table}_sealed_${event}_${rows} after ${event} on ${table} referencing ${rows} table as changed_rows for each statement execute function forbid_sealed_row_change()`,
        );
      }
    }
  }

  private guardLedger(): void {
    this.addSql(APPEND_ONLY);
    for (const table of ['ledger_entries', 'ledger_postings', 'audit_events', 'payments']) {
      this.addSql(
        `create trigger ${table}_append_only before update or delete on ${table} for each row execute function forbid_change()`,
      );
    }
    this.addSql(BALANCED);
    this.addSql(
      `create constraint trigger ledger_postings_balanced after insert on ledger_postings deferrable initially deferred for each row execute function require_balanced_entry()`,
    );
  }
}
