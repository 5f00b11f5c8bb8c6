import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BookTenant, writeBooks } from '../../bench/api-books.ts';
import { startRelay } from '../../src/relay/relay.ts';
import { startSweep } from '../../src/relay/sweep.ts';
import type { Client } from '../support/api.ts';
import { billDue } from '../support/billing.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { type WatchedStatement, watchStatements } from './query-plans.ts';

/** A table with more rows is never read from end to end. */
const LARGE_ROWS = 5_000;
/** Nothing that is shown or done at a time needs more rows of one table: pages hold 200 at most. */
const VISITED_MAX = 1_000;

let stack: TestStack;
let api: Client;
let large: ReadonlySet<string>;
let known: Readonly<Record<string, string>>;

beforeAll(async () => {
  stack = await startTestStack({ workers: 0 });
  const [first] = await writeBooks(stack.api.db.ownerUrl, { invoices: 60_000, customers: 12_000 });
  // Every row is looked at: which plan is taken must not depend on which rows were drawn.
  await stack.api.db.query('set local default_statistics_target = 1000; analyze');
  const { apiKey, tenantId } = first as BookTenant;
  api = stack.api.as(apiKey, tenantId);
  const tables = await stack.api.db.query<{ name: string }>(
    'select relname as name from pg_class where reltuples > $1',
    [LARGE_ROWS],
  );
  large = new Set(tables.map(({ name }) => name));
  known = await someIds(tenantId);
}, 300_000);
afterAll(() => stack.close());

/** Ids from the middle of the tenant's books, where no plan is lucky. */
async function someIds(tenantId: string): Promise<Record<string, string>> {
  const [row] = await stack.api.db.query<Record<string, string>>(
    `select v.id as invoice, v.payer_customer_id as payer, v.billing_group_id as group, v.billing_entity_id as entity, v.run_id as run,
            l.subscription_id as subscription, l.owner_customer_id as child, v.issue_date::text as date, v.number, v.boundary_at::text as boundary
       from invoices v join invoice_lines l on l.tenant_id = v.tenant_id and l.invoice_id = v.id and l.position = 1
      where v.tenant_id = $1 and v.status = 'PAID' order by v.id offset 15000 limit 1`,
    [tenantId],
  );
  if (row === undefined) throw new Error('The books have no invoice in their middle.');
  return { ...row, boundary: new Date(row['boundary'] ?? '').toISOString() };
}

/**
 * What statements read without need, in a line each.
 *
 * @param matching rows that a list finds on all its pages: so many may be passed over or counted, in an index alone.
 */
const wasteOf = (statements: readonly WatchedStatement[], matching = 0): string[] =>
  statements.flatMap(({ text, role, scans }) =>
    scans
      .filter(({ table, method, visited }) => {
        if (!large.has(table)) return false;
        if (method === 'Seq Scan') return true;
        return visited > (method === 'Index Only Scan' ? Math.max(matching, VISITED_MAX) : VISITED_MAX);
      })
      .map(({ table, method, visited }) => `${method} on ${table}, ${visited} rows, by ${role}: ${text}`),
  );

/** Paths with `:name` in place of the ids found in the books. */
const READS: readonly string[] = [
  '/invoices/:invoice',
  '/invoices/:invoice/lines',
  '/invoices',
  '/invoices?include=lines&size=200',
  '/invoices?sort=-createdAt',
  '/invoices?payerCustomerId=:payer',
  '/invoices?payerCustomerId=externalId:ext-1000',
  '/invoices?billingGroupId=:group',
  '/invoices?billingEntityId=:entity',
  '/invoices?subscriptionId=:subscription',
  '/invoices?number=:number',
  '/invoices?status=OPEN',
  '/invoices?status=DRAFT',
  '/invoices?status=PAID&sort=-createdAt',
  '/invoices?status=VOID&billingEntityId=:entity',
  '/invoices?kind=IMMEDIATE',
  '/invoices?issueDateFrom=:date&issueDateTo=:date&sort=-createdAt',
  '/invoices?boundaryFrom=:boundary&boundaryTo=:boundary',
  '/invoices?boundaryFrom=:date&boundaryTo=:date&sort=-createdAt',
  '/customers/:payer/invoices',
  '/customers/:payer/invoices?status=PAID',
  '/customers/:payer',
  '/customers/:child',
  '/customers',
  '/customers?sort=name',
  '/customers?externalId=ext-1000',
  '/customers?email=c1000@example.com',
  '/customers/:payer/children',
  '/customers/:child/subscriptions',
  '/subscriptions',
  '/subscriptions/:subscription',
  '/subscriptions?status=SCHEDULED',
  '/subscriptions?status=TRIALING',
  '/subscriptions?status=CANCELED',
  '/subscriptions?payerCustomerId=:payer',
  '/subscriptions?billingGroupId=:group',
  '/subscriptions?customerId=:child',
  '/billing-groups',
  '/billing-groups/:group',
  '/billing-groups?payerCustomerId=:payer',
  '/billing-groups?status=BLOCKED',
  '/billing-groups/:group/subscriptions',
  '/billing-groups/:group/runs',
  '/billing-groups/:group/schedule?count=24',
  '/runs',
  '/runs/:run',
  '/runs?status=WAITING',
  '/runs?status=BLOCKED',
  '/runs?kind=IMMEDIATE',
  '/charges',
  '/charges?status=WAITING',
  '/credits?customerId=:payer',
  '/audit-events?sort=-recordedAt',
  '/audit-events?subjectType=invoice&subjectId=:invoice',
];

const pathOf = (template: string): string =>
  template.replaceAll(/:(\w+)/g, (whole, name: string) => known[name] ?? whole);

/** A request and the statements that it caused. */
async function watchGet(path: string): Promise<{ body: Page; waste: string }> {
  let body: Page = {};
  const statements = await watchStatements(async () => {
    const reply = await api.get(path);
    expect(reply.status, JSON.stringify(reply.body)).toBe(200);
    body = reply.body as Page;
  });
  expect(statements.length, 'who asks, and what is answered').toBeGreaterThan(1);
  return { body, waste: wasteOf(statements, body.totalItems).join('\n') };
}

interface Page {
  readonly totalItems?: number;
  readonly nextCursor?: string;
}

describe('in years of books, nothing reads what it does not need', () => {
  test.each(READS)('GET %s', async (template) => {
    expect((await watchGet(pathOf(template))).waste).toBe('');
  });

  test.each(['/invoices', '/runs', '/invoices?status=PAID&sort=-createdAt', '/invoices?issueDateFrom=:date'])(
    'GET %s, far behind its beginning',
    async (template) => {
      const path = `${pathOf(template)}${template.includes('?') ? '&' : '?'}size=100`;
      const far = await watchGet(`${path}&page=30`);
      expect(far.waste).toBe('');
      expect(far.body.totalItems).toBeGreaterThan(10_000);
      expect((await watchGet(`${path}&cursor=${far.body.nextCursor}`)).waste).toBe('');
    },
  );

  test('a subscription is created under a key, and billed at once', async () => {
    const statements = await watchStatements(async () => {
      const customer = await create(api, '/customers', { name: 'New' });
      const group = await create(api, '/billing-groups', { payerCustomerId: customer.id, settleMinutes: 0 });
      const subscription = { customerId: customer.id, billingGroupId: group.id, prices: [flat('base', '10.00')] };
      for (let sent = 0; sent < 2; sent += 1) {
        const { status } = await api.post('/subscriptions', subscription, { 'Idempotency-Key': 'plans' });
        expect(status).toBe(201);
      }
      await create(api, '/charges', { customerId: customer.id, description: 'Once', amount: '1.00' });
      await billDue(stack.api.db.database, api.tenantId, group.id);
      const { body } = await api.get(`/customers/${customer.id}/invoices?status=OPEN`);
      expect(body.totalItems).toBe(1);
    });
    expect(wasteOf(statements).join('\n')).toBe('');
  });

  test('relay and sweep', async () => {
    const { db } = stack.api;
    await create(api, '/subscriptions', { customerId: known['child'], prices: [flat('base', '10.00')] });
    const deps = { database: db.database, client: stack.temporal, taskQueue: stack.taskQueue, log: quietLog };
    const statements = await watchStatements(async () => {
      const relay = await startRelay(deps);
      await relay.stop();
      await startSweep({ ...deps, register: () => Promise.resolve() }).stop();
    });
    const roles = new Set(statements.map(({ role }) => role));
    expect(roles).toEqual(new Set(['tributary_system']));
    expect(wasteOf(statements).join('\n')).toBe('');
  });
});

test('a statement that reads a table from end to end is told of', async () => {
  const statements = await watchStatements(() =>
    stack.api.db.database.inTenant(api.tenantId, (tx) =>
      tx.db.selectFrom('invoice_lines').where('description', '=', 'seat').select('id').limit(2000).execute(),
    ),
  );
  expect(wasteOf(statements)).toHaveLength(1);
});
