/** How large the books of one tenant are, and where its generated ids begin. */
export interface BooksOfTenant {
  readonly tenantId: string;
  readonly entityId: string;
  /** Added to every generated number, so that no two tenants share an id. */
  readonly base: number;
  /** Payers with a group each; every one of them has a child that bills to it. */
  readonly payers: number;
  /** Boundaries that each group has behind it, one invoice each, the last one at the first of the present month. */
  readonly months: number;
}

/** Ids look and sort like our own: a prefix and 26 characters, in the order of creation. */
export const KEY_FUNCTION = `
create function pg_temp.key(prefix text, n bigint) returns text language sql immutable as
  $$ select prefix || '_01' || lpad(n::text, 24, '0') $$`;

const PRICE = JSON.stringify({
  ...{ code: 'seat', type: 'RECURRING', model: 'FLAT', amount: '10.00', billing: 'ADVANCE', cadence: null },
  ...{ meter: null, taxCode: null, taxInclusive: false, minimumAmount: null, maximumAmount: null, packageSize: null },
  ...{ tiers: null, freeUnits: null, percent: null, freeEvents: null, freeAmount: null },
  ...{ perEventMinimum: null, perEventMaximum: null },
});

/**
 * One tenant's books as statements, to be run in their order with triggers off. Payer p of P has the child P + p. Payers
 * have one item and children one or two, so an invoice has two or three lines of 10.00 with 20 % tax.
 */
export function booksOf(books: BooksOfTenant): string[] {
  const words = wordsOf(books);
  return [peopleOf, contractsOf, invoicesOf, linesOf, recordsOf].flatMap((part) => part(words));
}

/** What the statements are made of: ids, instants, and the rows that the tables come from. */
function wordsOf({ tenantId, entityId, base, payers: P, months: M }: BooksOfTenant) {
  const key = (prefix: string, n: string) => `pg_temp.key('${prefix}', ${base} + ${n})`;
  const t = `'${tenantId}'`;
  const e = `'${entityId}'`;
  const boundary = (m: string) => `date_trunc('month', now()) - (${M - 1} - ${m}) * interval '1 month'`;
  const begin = boundary('0');
  const customers = `generate_series(0, ${2 * P - 1}) c`;
  const payers = `generate_series(0, ${P - 1}) p`;
  // Item c is the first of customer c; the children of even payers have a second one.
  const items = `(select c as item, c as customer, 0 as position from ${customers}
    union all select ${2 * P} + p, ${P} + p, 1 from ${payers} where p % 2 = 0) i`;
  // The newest month comes last, as it did in life: rows lie in the order of their creation.
  const invoices = `(select m, p, m::bigint * ${P} + p as n, 2 + (p % 2 = 0)::int as lines,
      ${boundary('m')} as boundary_at, ${boundary('m')} + p * interval '10 ms' as made_at,
      case when m = ${M - 1} and p % 500 = 7 then 'DRAFT' when m = ${M - 1} and p % 2 = 0 then 'OPEN'
           when p % 97 = 3 then 'VOID' when p % 89 = 5 then 'UNCOLLECTIBLE' else 'PAID' end as status
    from generate_series(0, ${M - 1}) m, ${payers}) v`;
  const lines = `(select v.*, l, v.n * 3 + l as line,
      case l when 0 then v.p when 1 then ${P} + v.p else ${2 * P} + v.p end as item,
      case l when 0 then v.p else ${P} + v.p end as owner
    from ${invoices}, generate_series(0, v.lines - 1) l) l`;
  const snapshot = (own: string) => `jsonb_build_object(${own}, 'address', jsonb_build_object('line1', '1 High Street',
    'line2', null, 'city', 'Springfield', 'postalCode', '12345', 'region', null, 'country', 'US'))`;
  return { t, e, base, P, M, key, boundary, begin, customers, payers, items, invoices, lines, snapshot };
}

type Words = ReturnType<typeof wordsOf>;

/** Customers, each known by an alias, and who is whose child. */
const peopleOf = ({ t, P, key, begin, customers, payers }: Words): string[] => [
  `insert into customers (tenant_id, id, name, email, tax_exempt, bill_to, payment_terms_days, auto_pay, invoicing_flow, status, created_at)
   select ${t}, ${key('cus', 'c')}, 'Customer ' || c, 'c' || c || '@example.com', false, 'PARENT', 14, false, 'AUTOMATIC', 'ACTIVE',
          ${begin} - interval '1 day' + c * interval '1 s' from ${customers}`,
  `insert into customer_aliases (tenant_id, alias, customer_id, created_at)
   select ${t}, 'ext-' || c, ${key('cus', 'c')}, ${begin} from ${customers}`,
  `insert into customer_parents (tenant_id, customer_id, valid_from, parent_customer_id)
   select ${t}, ${key('cus', `${P} + p`)}, ${begin} - interval '1 day', ${key('cus', 'p')} from ${payers}`,
];

/** Groups with their schedules, and what their members are billed for. */
const contractsOf = ({ t, e, P, M, key, boundary, begin, customers, payers, items }: Words): string[] => [
  `insert into billing_groups (tenant_id, id, payer_customer_id, billing_entity_id, currency, timezone, is_default, tax_address,
                               mid_cycle_charges, settle_minutes, grace_hours, status, last_boundary_at, next_due_at, created_at)
   select ${t}, ${key('grp', 'p')}, ${key('cus', 'p')}, ${e}, 'USD', 'UTC', true, 'PAYER', 'NEXT_INVOICE', 15, 0, 'ACTIVE',
          ${boundary(String(M - 1))}, ${boundary(String(M))}, ${begin} - interval '1 day' + p * interval '1 s' from ${payers}`,
  `insert into group_schedules (tenant_id, billing_group_id, valid_from, anchor_date, cadence_interval, cadence_count)
   select ${t}, ${key('grp', 'p')}, '1900-01-01T00:00:00Z', (${begin})::date, 'MONTH', 1 from ${payers}`,
  `insert into subscriptions (tenant_id, id, customer_id, billing_entity_id, currency, timezone, start_at, proration, align, created_at)
   select ${t}, ${key('sub', 'c')}, ${key('cus', 'c')}, ${e}, 'USD', 'UTC', ${begin}, 'DAY', true,
          ${begin} - interval '1 day' + c * interval '1 s' from ${customers}`,
  `insert into subscription_payers (tenant_id, subscription_id, valid_from, payer_customer_id)
   select ${t}, ${key('sub', 'c')}, ${begin}, ${key('cus', `c % ${P}`)} from ${customers}`,
  `insert into group_memberships (tenant_id, subscription_id, valid_from, billing_group_id, joined_at)
   select ${t}, ${key('sub', 'c')}, ${begin}, ${key('grp', `c % ${P}`)}, ${begin} - interval '1 day' from ${customers}`,
  `insert into prices (tenant_id, id, code, position, definition, created_at)
   select ${t}, ${key('prc', 'item')}, 'seat', 0, '${PRICE}', ${begin} from ${items}`,
  `insert into subscription_items (tenant_id, id, subscription_id, price_code, position, billed_through_at, finished, created_at)
   select ${t}, ${key('itm', 'item')}, ${key('sub', 'customer')}, 'seat' || position, position, ${boundary(String(M))}, false, ${begin}
     from ${items}`,
  `insert into item_terms (tenant_id, item_id, valid_from, version, price_id, quantity)
   select ${t}, ${key('itm', 'item')}, ${begin}, 1, ${key('prc', 'item')}, 1 from ${items}`,
];

/** A run for each boundary, and the head of its invoice. */
const invoicesOf = ({ t, e, base, P, key, invoices, snapshot }: Words): string[] => [
  `insert into billing_runs (tenant_id, id, kind, billing_group_id, payer_customer_id, billing_entity_id, currency, timezone, boundary_at,
                             status, step, reason, cut_off_at, created_at, finished_at)
   select ${t}, ${key('run', 'n')}, 'BOUNDARY', ${key('grp', 'p')}, ${key('cus', 'p')}, ${e}, 'USD', 'UTC', boundary_at,
          case status when 'DRAFT' then 'WAITING' else 'ISSUED' end, case status when 'DRAFT' then 'CREDITS' else 'ISSUED' end,
          case status when 'DRAFT' then 'REVIEW' end, made_at, made_at, case status when 'DRAFT' then null else made_at end from ${invoices}`,
  `insert into run_outcomes (tenant_id, run_id, outcome, reason, subscription_ids)
   select ${t}, ${key('run', 'n')}, 'COLLECTED', '', array[${key('sub', 'p')}, ${key('sub', `p + ${P}`)}] from ${invoices}`,
  `insert into invoices (tenant_id, id, run_id, kind, status, number, billing_entity_id, payer_customer_id, billing_group_id, position,
                         currency, timezone, boundary_at, issued_at, issue_date, issue_date_text, due_date, entity_snapshot, payer_snapshot,
                         subtotal, discount_total, tax_total, total, credit_granted, credits_applied, amount_paid, amount_due,
                         hosted_token, created_at, paid_at, voided_at)
   select ${t}, ${key('inv', 'n')}, ${key('run', 'n')}, 'RECURRING', status,
          case when status <> 'DRAFT' then 'INV-' || case when n < 9999 then lpad((n + 1)::text, 4, '0') else (n + 1)::text end end, ${e}, ${key('cus', 'p')}, ${key('grp', 'p')}, 0,
          'USD', 'UTC', boundary_at, issued_at, issued_at::date, to_char(issued_at, 'Mon FMDD, YYYY') || ' (UTC)', issued_at::date + 14,
          case when issued_at is not null then ${snapshot(`'id', ${e}, 'entityCode', 'DEFAULT', 'displayName', 'Books', 'legalName', 'Books Inc',
            'countryCode', 'US', 'taxRegistrationNumber', null, 'taxJurisdiction', null, 'logoUrl', null, 'footerText', null`)} end,
          case when issued_at is not null then ${snapshot(`'id', ${key('cus', 'p')}, 'externalId', null, 'name', 'Customer ' || p,
            'email', 'c' || p || '@example.com', 'taxId', null`)} end,
          lines * 10, 0, lines * 2, lines * 12, 0, 0, case status when 'PAID' then lines * 12 else 0 end,
          case status when 'PAID' then 0 else lines * 12 end, md5('${base}' || n), made_at,
          case status when 'PAID' then made_at + interval '3 days' end, case status when 'VOID' then made_at + interval '3 days' end
     from (select v.*, case when status <> 'DRAFT' then made_at end as issued_at from ${invoices}) v`,
  `insert into invoice_accounts (tenant_id, invoice_id, customer_id, position, name, label, subtotal, discount, tax, total)
   select ${t}, ${key('inv', 'n')}, ${key('cus', `p + k * ${P}`)}, k, 'Customer ' || (p + k * ${P}),
          case k when 0 then 'Primary Account' else 'Linked Account' end, a * 10, 0, a * 2, a * 12
     from ${invoices}, generate_series(0, 1) k, lateral (select case k when 0 then 1 else lines - 1 end as a) a`,
  `insert into invoice_taxes (tenant_id, invoice_id, position, code, name, percent, base, amount)
   select ${t}, ${key('inv', 'n')}, 0, 'VAT', 'VAT', 20, lines * 10, lines * 2 from ${invoices}`,
];

/** What the invoices say, and what they have taken. */
const linesOf = ({ t, key, lines }: Words): string[] => [
  `insert into invoice_lines (tenant_id, id, invoice_id, position, kind, description, subscription_id, item_id, terms_version, price_code,
                              owner_customer_id, period_start, period_end, tax_point, tax_inclusive, quantity, unit_amount, amount,
                              discount, taxable, tax_percent, tax, total, explanation)
   select ${t}, ${key('lin', 'line')}, ${key('inv', 'n')}, l, 'RECURRING', 'seat', ${key('sub', 'owner')}, ${key('itm', 'item')}, 1,
          'seat' || greatest(l - 1, 0), ${key('cus', 'owner')}, boundary_at, boundary_at + interval '1 month', boundary_at::date, false,
          1, 10, 10, 0, 10, 20, 2, 12, '["The flat amount: 10.00"]' from ${lines}`,
  `insert into line_taxes (tenant_id, line_id, position, invoice_id, code, name, percent, base, amount)
   select ${t}, ${key('lin', 'line')}, 0, ${key('inv', 'n')}, 'VAT', 'VAT', 20, 10, 2 from ${lines}`,
  `insert into claims (tenant_id, id, kind, run_id, invoice_id, line_id, item_id, terms_version, period_start, period_end, sequence, created_at)
   select ${t}, ${key('clm', 'line')}, 'PERIOD', ${key('run', 'n')}, ${key('inv', 'n')}, ${key('lin', 'line')}, ${key('itm', 'item')}, 1,
          boundary_at, boundary_at + interval '1 month', 0, made_at from ${lines}`,
];

/** What each event leaves beside the invoice. */
const recordsOf = ({ t, e, P, M, key, invoices }: Words): string[] => [
  `insert into ledger_entries (tenant_id, id, billing_entity_id, event, subject_id, posted_at)
   select ${t}, ${key('led', 'n')}, ${e}, 'INVOICE_ISSUED', ${key('inv', 'n')}, made_at from ${invoices} where status <> 'DRAFT'`,
  `insert into ledger_postings (tenant_id, entry_id, position, account, direction, currency, amount, base_amount)
   select ${t}, ${key('led', 'n')}, k, (array['RECEIVABLE', 'REVENUE', 'TAX_PAYABLE'])[k + 1], (array['DEBIT', 'CREDIT', 'CREDIT'])[k + 1],
          'USD', lines * (array[12, 10, 2])[k + 1], lines * (array[12, 10, 2])[k + 1]
     from ${invoices}, generate_series(0, 2) k where status <> 'DRAFT'`,
  `insert into audit_events (tenant_id, id, actor, action, subject_type, subject_id, detail, happened_at, recorded_at)
   select ${t}, ${key('aud', 'n')}, 'system', 'invoice.issued', 'invoice', ${key('inv', 'n')}, '{}', made_at, made_at
     from ${invoices} where status <> 'DRAFT'`,
  `insert into outbox_messages (tenant_id, id, topic, dedupe_key, payload, attempts, created_at, claimed_at, delivered_at)
   select ${t}, ${key('out', 'n')}, 'event', ${key('out', 'n')}, jsonb_build_object('type', 'invoice.issued', 'invoiceId', ${key('inv', 'n')}), 1,
          made_at, made_at, made_at from ${invoices} where status <> 'DRAFT'`,
  `insert into idempotency_keys (tenant_id, method, path, key, body_hash, status, response, created_at)
   select ${t}, 'POST', '/api/v1/subscriptions', 'key-' || n, md5(n::text), 201, '"{}"', now() - n * interval '${(82_800 / Math.min(P * M, 20_000)).toFixed(6)} s'
     from generate_series(0, ${Math.min(P * M, 20_000) - 1}) n`,
  `insert into number_streams (tenant_id, billing_entity_id, document_kind, reset_period, next_number)
   values (${t}, ${e}, 'INVOICE', '', ${P * M + 1})`,
];
