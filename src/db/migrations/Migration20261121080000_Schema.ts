import { Migration } from '@mikro-orm/migrations';

export class Migration20261121080000_Schema extends Migration {
  override name = 'Migration20261121080000_Schema';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "api_keys" ("tenant_id" text not null, "id" text not null, "name" text not null, "secret_hash" text not null, "hint" text not null, "scopes" text[] not null, "created_at" timestamptz(3) not null, "revoked_at" timestamptz(3) null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`alter table "api_keys" add constraint "api_keys_secret_hash_unique" unique ("secret_hash");`);

    this.addSql(
      `create table "audit_events" ("tenant_id" text not null, "id" text not null, "actor" text not null, "action" text not null, "subject_type" text not null, "subject_id" text not null, "detail" jsonb not null, "happened_at" timestamptz(3) not null, "recorded_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(
      `create index "audit_events_subject" on "audit_events" ("tenant_id", "subject_type", "subject_id", "id");`,
    );

    this.addSql(
      `create table "billing_entities" ("tenant_id" text not null, "id" text not null, "entity_code" text not null, "display_name" text not null, "legal_name" text not null, "base_currency" text not null, "reporting_currency" text null, "country_code" text not null, "billing_timezone" text not null, "tax_registration_number" text null, "tax_jurisdiction" text null, "address" jsonb null, "invoice_number_prefix" text not null, "invoice_number_format" text not null, "credit_note_prefix" text not null, "credit_note_format" text not null, "number_reset" text not null, "first_number" int not null, "rounding_mode" text not null, "zero_invoices" text not null, "logo_url" text null, "footer_text" text null, "status" text not null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(
      `alter table "billing_entities" add constraint "billing_entities_code_unique" unique ("tenant_id", "entity_code");`,
    );

    this.addSql(
      `create table "billing_groups" ("tenant_id" text not null, "id" text not null, "payer_customer_id" text not null, "billing_entity_id" text not null, "currency" text not null, "timezone" text not null, "name" text null, "is_default" boolean not null, "tax_address" text not null, "mid_cycle_charges" text not null, "settle_minutes" int not null, "grace_hours" int not null, "purchase_order" text null, "status" text not null, "status_reason" text null, "last_boundary_at" timestamptz(3) null, "next_due_at" timestamptz(3) null, "test_clock_id" text null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "billing_groups_payer" on "billing_groups" ("tenant_id", "payer_customer_id");`);
    this.addSql(`create index "billing_groups_entity" on "billing_groups" ("tenant_id", "billing_entity_id");`);
    this.addSql(
      `create index "billing_groups_clock" on "billing_groups" ("tenant_id", "test_clock_id") where test_clock_id is not null;`,
    );
    this.addSql(`create index "billing_groups_due" on "billing_groups" ("next_due_at") where next_due_at is not null;`);

    this.addSql(
      `create table "billing_runs" ("tenant_id" text not null, "id" text not null, "kind" text not null, "billing_group_id" text null, "payer_customer_id" text not null, "billing_entity_id" text not null, "currency" text not null, "timezone" text not null, "boundary_at" timestamptz(3) null, "request_id" text null, "scope" jsonb null, "status" text not null, "step" text not null, "reason" text null, "cut_off_at" timestamptz(3) null, "retry_at" timestamptz(3) null, "failures" int not null default 0, "test_clock_id" text null, "created_at" timestamptz(3) not null, "finished_at" timestamptz(3) null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(
      `create index "billing_runs_unfinished" on "billing_runs" ("tenant_id", "billing_group_id") where status in ('OPEN', 'WAITING', 'BLOCKED');`,
    );
    this.addSql(`create index "billing_runs_by_creation" on "billing_runs" ("tenant_id", "created_at", "id");`);
    this.addSql(
      `create unique index "billing_runs_boundary_unique" on "billing_runs" ("tenant_id", "billing_group_id", "boundary_at") where kind = 'BOUNDARY';`,
    );
    this.addSql(
      `create unique index "billing_runs_request_unique" on "billing_runs" ("tenant_id", "kind", "request_id") where request_id is not null;`,
    );

    this.addSql(
      `create table "claims" ("tenant_id" text not null, "id" text not null, "kind" text not null, "run_id" text not null, "invoice_id" text null, "line_id" text null, "item_id" text null, "terms_version" int null, "period_start" timestamptz(3) null, "period_end" timestamptz(3) null, "charge_id" text null, "credited_line_id" text null, "sequence" int not null default 0, "created_at" timestamptz(3) not null, "released_at" timestamptz(3) null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "claims_run" on "claims" ("tenant_id", "run_id");`);
    this.addSql(`create index "claims_invoice" on "claims" ("tenant_id", "invoice_id");`);
    this.addSql(
      `create unique index "claims_period_unique" on "claims" ("tenant_id", "item_id", "terms_version", "period_start", "kind", "sequence") where released_at is null and kind in ('PERIOD', 'SETUP');`,
    );
    this.addSql(
      `create unique index "claims_charge_unique" on "claims" ("tenant_id", "charge_id") where released_at is null and kind = 'ONE_TIME';`,
    );
    this.addSql(
      `create unique index "claims_credit_unique" on "claims" ("tenant_id", "credited_line_id", "sequence") where released_at is null and kind = 'CREDIT';`,
    );

    this.addSql(
      `create table "coupons" ("tenant_id" text not null, "id" text not null, "code" text not null, "name" text null, "type" text not null, "percent" numeric(12,6) null, "amount" numeric(38,12) null, "currency" text null, "duration" text not null, "cycles" int null, "max_redemptions" int null, "expires_at" timestamptz(3) null, "carry_remainder" boolean not null, "archived_at" timestamptz(3) null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`alter table "coupons" add constraint "coupons_code_unique" unique ("tenant_id", "code");`);

    this.addSql(
      `create table "coupon_redemptions" ("tenant_id" text not null, "id" text not null, "coupon_id" text not null, "customer_id" text null, "subscription_id" text null, "redeemed_at" timestamptz(3) not null, "ended_at" timestamptz(3) null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "coupon_redemptions_customer" on "coupon_redemptions" ("tenant_id", "customer_id");`);
    this.addSql(
      `create index "coupon_redemptions_subscription" on "coupon_redemptions" ("tenant_id", "subscription_id");`,
    );
    this.addSql(`create index "coupon_redemptions_coupon" on "coupon_redemptions" ("tenant_id", "coupon_id");`);

    this.addSql(
      `create table "coupon_reservations" ("tenant_id" text not null, "redemption_id" text not null, "invoice_id" text not null, "run_id" text not null, "amount" numeric(38,12) not null, "remainder" numeric(38,12) null, "status" text not null, "reserved_at" timestamptz(3) not null, primary key ("tenant_id", "redemption_id", "invoice_id"));`,
    );
    this.addSql(`create index "coupon_reservations_invoice" on "coupon_reservations" ("tenant_id", "invoice_id");`);

    this.addSql(
      `create table "credit_grants" ("tenant_id" text not null, "id" text not null, "customer_id" text not null, "kind" text not null, "currency" text not null, "amount" numeric(38,12) not null, "remaining" numeric(38,12) not null, "priority" int not null, "expires_at" timestamptz(3) null, "source_invoice_id" text null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "credit_grants_customer" on "credit_grants" ("tenant_id", "customer_id", "currency");`);
    this.addSql(
      `alter table "credit_grants" add constraint "credit_grants_remaining_check" check (remaining >= 0 and remaining <= amount);`,
    );

    this.addSql(
      `create table "credit_reservations" ("tenant_id" text not null, "grant_id" text not null, "invoice_id" text not null, "amount" numeric(38,12) not null, "status" text not null, "reserved_at" timestamptz(3) not null, "settled_at" timestamptz(3) null, primary key ("tenant_id", "grant_id", "invoice_id"));`,
    );
    this.addSql(`create index "credit_reservations_invoice" on "credit_reservations" ("tenant_id", "invoice_id");`);

    this.addSql(
      `create table "customers" ("tenant_id" text not null, "id" text not null, "external_id" text null, "name" text not null, "email" text null, "first_name" text null, "last_name" text null, "currency" text null, "address" jsonb null, "tax_rate" numeric(12,6) null, "tax_exempt" boolean not null, "tax_id" text null, "tax_country" text null, "billing_entity_id" text null, "bill_to" text not null, "payment_terms_days" int not null, "auto_pay" boolean not null, "invoicing_flow" text not null, "status" text not null, "test_clock_id" text null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "customers_by_creation" on "customers" ("tenant_id", "created_at", "id");`);

    this.addSql(
      `create table "customer_aliases" ("tenant_id" text not null, "alias" text not null, "customer_id" text not null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "alias"));`,
    );
    this.addSql(`create index "customer_aliases_customer" on "customer_aliases" ("tenant_id", "customer_id");`);

    this.addSql(
      `create table "customer_contacts" ("tenant_id" text not null, "id" text not null, "customer_id" text not null, "name" text not null, "email" text not null, "preferences" text[] not null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "customer_contacts_customer" on "customer_contacts" ("tenant_id", "customer_id");`);

    this.addSql(
      `create table "customer_parents" ("tenant_id" text not null, "customer_id" text not null, "valid_from" timestamptz(3) not null, "parent_customer_id" text not null, "valid_to" timestamptz(3) null, "valid" tstzrange generated always as (tstzrange(valid_from, valid_to)) stored null, primary key ("tenant_id", "customer_id", "valid_from"));`,
    );
    this.addSql(
      `create index "customer_parents_children" on "customer_parents" ("tenant_id", "parent_customer_id") where valid_to is null;`,
    );

    this.addSql(
      `create table "group_memberships" ("tenant_id" text not null, "subscription_id" text not null, "valid_from" timestamptz(3) not null, "valid_to" timestamptz(3) null, "valid" tstzrange generated always as (tstzrange(valid_from, valid_to)) stored null, "billing_group_id" text not null, "joined_at" timestamptz(3) not null, primary key ("tenant_id", "subscription_id", "valid_from"));`,
    );
    this.addSql(
      `create index "group_memberships_group" on "group_memberships" ("tenant_id", "billing_group_id", "subscription_id");`,
    );

    this.addSql(
      `create table "group_schedules" ("tenant_id" text not null, "billing_group_id" text not null, "valid_from" timestamptz(3) not null, "valid_to" timestamptz(3) null, "valid" tstzrange generated always as (tstzrange(valid_from, valid_to)) stored null, "anchor_date" date null, "cadence_interval" text not null, "cadence_count" int not null, primary key ("tenant_id", "billing_group_id", "valid_from"));`,
    );

    this.addSql(
      `create table "idempotency_keys" ("tenant_id" text not null, "method" text not null, "path" text not null, "key" text not null, "body_hash" text not null, "status" int not null, "response" jsonb not null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "method", "path", "key"));`,
    );
    this.addSql(`create index "idempotency_keys_created" on "idempotency_keys" ("created_at");`);

    this.addSql(
      `create table "invoices" ("tenant_id" text not null, "id" text not null, "run_id" text not null, "kind" text not null, "status" text not null, "number" text null, "billing_entity_id" text not null, "payer_customer_id" text not null, "billing_group_id" text null, "split_subscription_id" text null, "position" int not null, "currency" text not null, "timezone" text not null, "boundary_at" timestamptz(3) null, "issued_at" timestamptz(3) null, "issue_date" date null, "issue_date_text" text null, "due_date" date null, "purchase_order" text null, "entity_snapshot" jsonb null, "payer_snapshot" jsonb null, "subtotal" numeric(38,12) not null, "discount_total" numeric(38,12) not null, "tax_total" numeric(38,12) not null, "total" numeric(38,12) not null, "credit_granted" numeric(38,12) not null, "credits_applied" numeric(38,12) not null, "amount_paid" numeric(38,12) not null, "amount_due" numeric(38,12) not null, "hosted_token" text not null, "replaces_invoice_id" text null, "replaced_by_invoice_id" text null, "created_at" timestamptz(3) not null, "paid_at" timestamptz(3) null, "voided_at" timestamptz(3) null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "invoices_by_creation" on "invoices" ("tenant_id", "created_at", "id");`);
    this.addSql(`create index "invoices_payer" on "invoices" ("tenant_id", "payer_customer_id", "created_at");`);
    this.addSql(`create index "invoices_group" on "invoices" ("tenant_id", "billing_group_id", "boundary_at");`);
    this.addSql(`create index "invoices_run" on "invoices" ("tenant_id", "run_id");`);
    this.addSql(
      `create unique index "invoices_number_unique" on "invoices" ("tenant_id", "billing_entity_id", "number") where number is not null;`,
    );
    this.addSql(
      `create unique index "invoices_boundary_unique" on "invoices" ("tenant_id", "billing_group_id", "boundary_at", "kind", coalesce("split_subscription_id", '')) where boundary_at is not null and status <> 'VOID';`,
    );

    this.addSql(
      `create table "invoice_accounts" ("tenant_id" text not null, "invoice_id" text not null, "customer_id" text not null, "position" int not null, "external_id" text null, "name" text not null, "label" text not null, "subtotal" numeric(38,12) not null, "discount" numeric(38,12) not null, "tax" numeric(38,12) not null, "total" numeric(38,12) not null, primary key ("tenant_id", "invoice_id", "customer_id"));`,
    );

    this.addSql(
      `create table "invoice_lines" ("tenant_id" text not null, "id" text not null, "invoice_id" text not null, "position" int not null, "kind" text not null, "description" text not null, "subscription_id" text null, "item_id" text null, "terms_version" int null, "price_code" text null, "charge_id" text null, "owner_customer_id" text not null, "period_start" timestamptz(3) null, "period_end" timestamptz(3) null, "source_period_start" timestamptz(3) null, "tax_point" date not null, "tax_code" text null, "tax_inclusive" boolean not null, "quantity" numeric(38,12) null, "unit_amount" numeric(38,12) null, "amount" numeric(38,12) not null, "discount" numeric(38,12) not null, "taxable" numeric(38,12) not null, "tax_percent" numeric(12,6) not null, "tax" numeric(38,12) not null, "total" numeric(38,12) not null, "credits_line_id" text null, "explanation" jsonb not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(
      `create index "invoice_lines_item" on "invoice_lines" ("tenant_id", "item_id", "period_start") where item_id is not null;`,
    );
    this.addSql(
      `create index "invoice_lines_credits" on "invoice_lines" ("tenant_id", "credits_line_id") where credits_line_id is not null;`,
    );
    this.addSql(`create index "invoice_lines_subscription" on "invoice_lines" ("tenant_id", "subscription_id");`);
    this.addSql(
      `alter table "invoice_lines" add constraint "invoice_lines_position_unique" unique ("tenant_id", "invoice_id", "position");`,
    );

    this.addSql(
      `create table "invoice_taxes" ("tenant_id" text not null, "invoice_id" text not null, "position" int not null, "code" text not null, "name" text not null, "percent" numeric(12,6) not null, "base" numeric(38,12) not null, "amount" numeric(38,12) not null, "reason" text null, primary key ("tenant_id", "invoice_id", "position"));`,
    );

    this.addSql(
      `create table "item_terms" ("tenant_id" text not null, "item_id" text not null, "valid_from" timestamptz(3) not null, "valid_to" timestamptz(3) null, "valid" tstzrange generated always as (tstzrange(valid_from, valid_to)) stored null, "version" int not null, "price_id" text not null, "quantity" numeric(38,12) not null, primary key ("tenant_id", "item_id", "valid_from"));`,
    );
    this.addSql(
      `alter table "item_terms" add constraint "item_terms_version_unique" unique ("tenant_id", "item_id", "version");`,
    );

    this.addSql(
      `create table "ledger_entries" ("tenant_id" text not null, "id" text not null, "billing_entity_id" text not null, "event" text not null, "subject_id" text not null, "posted_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(
      `create index "ledger_entries_entity" on "ledger_entries" ("tenant_id", "billing_entity_id", "posted_at");`,
    );
    this.addSql(
      `alter table "ledger_entries" add constraint "ledger_entries_event_unique" unique ("tenant_id", "event", "subject_id");`,
    );

    this.addSql(
      `create table "ledger_postings" ("tenant_id" text not null, "entry_id" text not null, "position" int not null, "account" text not null, "direction" text not null, "currency" text not null, "amount" numeric(38,12) not null, "base_amount" numeric(38,12) null, "base_rate" numeric(24,12) null, primary key ("tenant_id", "entry_id", "position"));`,
    );
    this.addSql(`alter table "ledger_postings" add constraint "ledger_postings_amount_check" check (amount > 0);`);

    this.addSql(
      `create table "line_discounts" ("tenant_id" text not null, "line_id" text not null, "redemption_id" text not null, "invoice_id" text not null, "coupon_code" text not null, "amount" numeric(38,12) not null, primary key ("tenant_id", "line_id", "redemption_id"));`,
    );

    this.addSql(
      `create table "line_taxes" ("tenant_id" text not null, "line_id" text not null, "position" int not null, "invoice_id" text not null, "code" text not null, "name" text not null, "percent" numeric(12,6) not null, "base" numeric(38,12) not null, "amount" numeric(38,12) not null, "reason" text null, primary key ("tenant_id", "line_id", "position"));`,
    );

    this.addSql(
      `create table "number_streams" ("tenant_id" text not null, "billing_entity_id" text not null, "document_kind" text not null, "reset_period" text not null, "next_number" int not null, primary key ("tenant_id", "billing_entity_id", "document_kind", "reset_period"));`,
    );

    this.addSql(
      `create table "one_time_charges" ("tenant_id" text not null, "id" text not null, "customer_id" text not null, "payer_customer_id" text not null, "billing_group_id" text null, "billing_entity_id" text not null, "currency" text not null, "description" text not null, "quantity" numeric(38,12) not null, "unit_amount" numeric(38,12) not null, "amount" numeric(38,12) not null, "tax_code" text null, "timing" text not null, "charge_on" date not null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(
      `create index "one_time_charges_group" on "one_time_charges" ("tenant_id", "billing_group_id", "charge_on");`,
    );
    this.addSql(`create index "one_time_charges_by_creation" on "one_time_charges" ("tenant_id", "created_at", "id");`);

    this.addSql(
      `create table "outbox_messages" ("tenant_id" text not null, "id" text not null, "topic" text not null, "dedupe_key" text not null, "payload" jsonb not null, "attempts" int not null default 0, "created_at" timestamptz(3) not null, "claimed_at" timestamptz(3) null, "delivered_at" timestamptz(3) null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "outbox_messages_undelivered" on "outbox_messages" ("id") where delivered_at is null;`);
    this.addSql(
      `create unique index "outbox_messages_pending_unique" on "outbox_messages" ("tenant_id", "topic", "dedupe_key") where claimed_at is null and delivered_at is null;`,
    );

    this.addSql(
      `create table "payments" ("tenant_id" text not null, "id" text not null, "invoice_id" text not null, "amount" numeric(38,12) not null, "currency" text not null, "method" text not null, "reference" text null, "received_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "payments_invoice" on "payments" ("tenant_id", "invoice_id");`);

    this.addSql(
      `create table "plans" ("tenant_id" text not null, "id" text not null, "code" text not null, "current_version" int not null, "archived_at" timestamptz(3) null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`alter table "plans" add constraint "plans_code_unique" unique ("tenant_id", "code");`);

    this.addSql(
      `create table "plan_versions" ("tenant_id" text not null, "plan_id" text not null, "version" int not null, "name" text not null, "currency" text null, "billing_entity_id" text null, "minimum_amount" numeric(38,12) null, "maximum_amount" numeric(38,12) null, "tax_code" text null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "plan_id", "version"));`,
    );

    this.addSql(
      `create table "prices" ("tenant_id" text not null, "id" text not null, "plan_id" text null, "plan_version" int null, "code" text not null, "position" int not null, "definition" jsonb not null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "prices_plan" on "prices" ("tenant_id", "plan_id", "plan_version", "position");`);

    this.addSql(
      `create table "run_members" ("tenant_id" text not null, "run_id" text not null, "subscription_id" text not null, "outcome" text not null, "reason" text null, primary key ("tenant_id", "run_id", "subscription_id"));`,
    );

    this.addSql(
      `create table "skipped_boundaries" ("tenant_id" text not null, "billing_group_id" text not null, "boundary_at" timestamptz(3) not null, "requested_at" timestamptz(3) not null, primary key ("tenant_id", "billing_group_id", "boundary_at"));`,
    );

    this.addSql(
      `create table "subscriptions" ("tenant_id" text not null, "id" text not null, "customer_id" text not null, "plan_id" text null, "plan_version" int null, "invoicing_customer_id" text null, "billing_entity_id" text not null, "currency" text not null, "timezone" text not null, "minimum_amount" numeric(38,12) null, "start_at" timestamptz(3) not null, "trial_ends_at" timestamptz(3) null, "end_at" timestamptz(3) null, "canceled_at" timestamptz(3) null, "proration" text not null, "align" boolean not null, "mid_cycle_charges" text null, "shipping_address" jsonb null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(`create index "subscriptions_customer" on "subscriptions" ("tenant_id", "customer_id");`);
    this.addSql(`create index "subscriptions_by_creation" on "subscriptions" ("tenant_id", "created_at", "id");`);

    this.addSql(
      `create table "subscription_items" ("tenant_id" text not null, "id" text not null, "subscription_id" text not null, "price_code" text not null, "position" int not null, "billed_through_at" timestamptz(3) null, "finished" boolean not null, "phase_key" text null, "phase_index" int null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );
    this.addSql(
      `alter table "subscription_items" add constraint "subscription_items_code_unique" unique ("tenant_id", "subscription_id", "price_code");`,
    );

    this.addSql(
      `create table "subscription_payers" ("tenant_id" text not null, "subscription_id" text not null, "valid_from" timestamptz(3) not null, "valid_to" timestamptz(3) null, "valid" tstzrange generated always as (tstzrange(valid_from, valid_to)) stored null, "payer_customer_id" text not null, primary key ("tenant_id", "subscription_id", "valid_from"));`,
    );
    this.addSql(
      `create index "subscription_payers_payer" on "subscription_payers" ("tenant_id", "payer_customer_id");`,
    );

    this.addSql(
      `create table "tax_rates" ("tenant_id" text not null, "id" text not null, "code" text not null, "name" text not null, "percent" numeric(12,6) not null, "country" text null, "region" text null, "tax_code" text null, "billing_entity_id" text null, "valid_from" date null, "valid_to" date null, "archived_at" timestamptz(3) null, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );

    this.addSql(
      `create table "tenants" ("id" text not null, "name" text not null, "mode" text not null, "default_entity_id" text not null, "logo_url" text null, "created_at" timestamptz(3) not null, primary key ("id"));`,
    );

    this.addSql(
      `create table "test_clocks" ("tenant_id" text not null, "id" text not null, "name" text not null, "now_at" timestamptz(3) not null, "target_at" timestamptz(3) not null, "status" text not null, "error" text null, "advances" int not null default 0, "created_at" timestamptz(3) not null, primary key ("tenant_id", "id"));`,
    );

    this.addSql(`alter table "api_keys" enable row level security;`);
    this.addSql(`alter table "api_keys" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "api_keys" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`create policy "across_tenants" on "api_keys" to "tributary_system" using (true) with check (true);`);
    this.addSql(`alter table "audit_events" enable row level security;`);
    this.addSql(`alter table "audit_events" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "audit_events" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "billing_entities" enable row level security;`);
    this.addSql(`alter table "billing_entities" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "billing_entities" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(
      `create policy "across_tenants" on "billing_entities" to "tributary_system" using (true) with check (true);`,
    );
    this.addSql(`alter table "billing_groups" enable row level security;`);
    this.addSql(`alter table "billing_groups" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "billing_groups" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(
      `create policy "across_tenants" on "billing_groups" to "tributary_system" using (true) with check (true);`,
    );
    this.addSql(`alter table "billing_runs" enable row level security;`);
    this.addSql(`alter table "billing_runs" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "billing_runs" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(
      `create policy "across_tenants" on "billing_runs" to "tributary_system" using (true) with check (true);`,
    );
    this.addSql(`alter table "claims" enable row level security;`);
    this.addSql(`alter table "claims" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "claims" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "coupons" enable row level security;`);
    this.addSql(`alter table "coupons" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "coupons" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "coupon_redemptions" enable row level security;`);
    this.addSql(`alter table "coupon_redemptions" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "coupon_redemptions" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "coupon_reservations" enable row level security;`);
    this.addSql(`alter table "coupon_reservations" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "coupon_reservations" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "credit_grants" enable row level security;`);
    this.addSql(`alter table "credit_grants" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "credit_grants" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "credit_reservations" enable row level security;`);
    this.addSql(`alter table "credit_reservations" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "credit_reservations" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "customers" enable row level security;`);
    this.addSql(`alter table "customers" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "customers" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "customer_aliases" enable row level security;`);
    this.addSql(`alter table "customer_aliases" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "customer_aliases" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "customer_contacts" enable row level security;`);
    this.addSql(`alter table "customer_contacts" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "customer_contacts" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "customer_parents" enable row level security;`);
    this.addSql(`alter table "customer_parents" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "customer_parents" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "group_memberships" enable row level security;`);
    this.addSql(`alter table "group_memberships" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "group_memberships" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "group_schedules" enable row level security;`);
    this.addSql(`alter table "group_schedules" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "group_schedules" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "idempotency_keys" enable row level security;`);
    this.addSql(`alter table "idempotency_keys" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "idempotency_keys" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(
      `create policy "across_tenants" on "idempotency_keys" to "tributary_system" using (true) with check (true);`,
    );
    this.addSql(`alter table "invoices" enable row level security;`);
    this.addSql(`alter table "invoices" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "invoices" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "invoice_accounts" enable row level security;`);
    this.addSql(`alter table "invoice_accounts" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "invoice_accounts" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "invoice_lines" enable row level security;`);
    this.addSql(`alter table "invoice_lines" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "invoice_lines" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "invoice_taxes" enable row level security;`);
    this.addSql(`alter table "invoice_taxes" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "invoice_taxes" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "item_terms" enable row level security;`);
    this.addSql(`alter table "item_terms" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "item_terms" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "ledger_entries" enable row level security;`);
    this.addSql(`alter table "ledger_entries" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "ledger_entries" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "ledger_postings" enable row level security;`);
    this.addSql(`alter table "ledger_postings" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "ledger_postings" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "line_discounts" enable row level security;`);
    this.addSql(`alter table "line_discounts" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "line_discounts" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "line_taxes" enable row level security;`);
    this.addSql(`alter table "line_taxes" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "line_taxes" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "number_streams" enable row level security;`);
    this.addSql(`alter table "number_streams" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "number_streams" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "one_time_charges" enable row level security;`);
    this.addSql(`alter table "one_time_charges" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "one_time_charges" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "outbox_messages" enable row level security;`);
    this.addSql(`alter table "outbox_messages" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "outbox_messages" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(
      `create policy "across_tenants" on "outbox_messages" to "tributary_system" using (true) with check (true);`,
    );
    this.addSql(`alter table "payments" enable row level security;`);
    this.addSql(`alter table "payments" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "payments" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "plans" enable row level security;`);
    this.addSql(`alter table "plans" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "plans" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "plan_versions" enable row level security;`);
    this.addSql(`alter table "plan_versions" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "plan_versions" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "prices" enable row level security;`);
    this.addSql(`alter table "prices" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "prices" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "run_members" enable row level security;`);
    this.addSql(`alter table "run_members" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "run_members" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "skipped_boundaries" enable row level security;`);
    this.addSql(`alter table "skipped_boundaries" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "skipped_boundaries" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "subscriptions" enable row level security;`);
    this.addSql(`alter table "subscriptions" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "subscriptions" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "subscription_items" enable row level security;`);
    this.addSql(`alter table "subscription_items" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "subscription_items" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "subscription_payers" enable row level security;`);
    this.addSql(`alter table "subscription_payers" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "subscription_payers" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "tax_rates" enable row level security;`);
    this.addSql(`alter table "tax_rates" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "tax_rates" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`alter table "tenants" enable row level security;`);
    this.addSql(`alter table "tenants" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "tenants" using (id = current_setting('app.tenant_id', true)) with check (id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(`create policy "across_tenants" on "tenants" to "tributary_system" using (true) with check (true);`);
    this.addSql(`alter table "test_clocks" enable row level security;`);
    this.addSql(`alter table "test_clocks" force row level security;`);
    this.addSql(
      `create policy "own_tenant" on "test_clocks" using (tenant_id = current_setting('app.tenant_id', true)) with check (tenant_id = current_setting('app.tenant_id', true));`,
    );
    this.addSql(
      `create policy "across_tenants" on "test_clocks" to "tributary_system" using (true) with check (true);`,
    );
  }
}
