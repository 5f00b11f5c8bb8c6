import pg from 'pg';
import type { Database } from '../src/db/database.ts';
import { createCustomer } from '../src/db/customer-changes.ts';
import { createSubscription } from '../src/db/subscriptions/create.ts';
import { workflowId } from '../src/workflows/contract.ts';
import { inParallel } from './report.ts';
import { monthly } from './payers.ts';

const BY = { actor: 'bench', mode: 'TEST' } as const;
const CHUNK = 25;
const WIDTH = 4;

/** The boundary that all these groups wait for, in UTC; there is none before it. */
export const BOUNDARY = { date: '2026-08-01', at: Date.parse('2026-08-01T00:00:00Z') } as const;
/** When they are made: a day before, by the product's clock. */
export const MADE_AT = BOUNDARY.at - 86_400_000;

/** Payers without a test clock, each with a group of so many subscriptions of one flat line, due at the boundary. */
export async function makeGroups(
  database: Database,
  tenantId: string,
  shape: { groups: number; subscriptions: number },
): Promise<void> {
  const chunks = Array.from({ length: Math.ceil(shape.groups / CHUNK) }, (_, index) => index * CHUNK);
  await inParallel(chunks, WIDTH, (first) =>
    database.inTenant(tenantId, async (tx) => {
      for (let index = first; index < Math.min(first + CHUNK, shape.groups); index += 1) {
        const { id: customerId } = await createCustomer(tx, { name: `Payer ${index}` }, BY);
        const request = { customerId, prices: [monthly], startDate: BOUNDARY.date, coupons: [] };
        for (let made = 0; made < shape.subscriptions; made += 1)
          await createSubscription(tx, { ...request, align: true, proration: 'DAY' }, BY.actor);
      }
    }),
  );
}

/** What the groups of a database have come to. Reads as the superuser: every tenant, and nothing counted as the worker's. */
export interface Watch {
  workflowIds(tenantId?: string): Promise<string[]>;
  issued(): Promise<number>;
  /** When each invoice of a tenant was issued, by the product's clock, in order. */
  issuedAt(tenantId: string): Promise<number[]>;
  /** @throws unless each tenant has invoices numbered from 1 without a gap, as many as groups, and books that are level. */
  assertBilled(): Promise<void>;
  close(): Promise<void>;
}

export async function watchGroups(ownerUrl: string): Promise<Watch> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  const rows = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await client.query<T>(text, values)).rows;
  return {
    workflowIds: async (tenantId) => {
      const groups = await rows<{ tenant_id: string; id: string }>(
        'select tenant_id, id from billing_groups order by id',
      );
      const wanted = groups.filter((group) => tenantId === undefined || group.tenant_id === tenantId);
      return wanted.map((group) => workflowId.billingGroup(group.tenant_id, group.id));
    },
    issued: async () =>
      (await rows<{ count: number }>(`select count(*)::int as count from invoices where status = 'OPEN'`))[0]?.count ??
      0,
    issuedAt: async (tenantId) => {
      const found = await rows<{ issued_at: Date }>(
        'select issued_at from invoices where tenant_id = $1 order by issued_at',
        [tenantId],
      );
      return found.map((invoice) => invoice.issued_at.getTime());
    },
    assertBilled: async () => {
      const unlike = await rows(DIFFERENCES);
      if (unlike.length > 0) throw new Error(`The books are wrong: ${JSON.stringify(unlike)}.`);
    },
    close: () => client.end(),
  };
}

/** One row for each tenant whose invoices, numbers or books are not what they must be. */
const DIFFERENCES = `
  select t.id, g.groups, i.invoices, i.numbers, i.lowest, i.highest, l.balance
    from tenants t
    cross join lateral (select count(*)::int as groups from billing_groups where tenant_id = t.id) g
    cross join lateral (
      select count(*)::int as invoices, count(distinct number)::int as numbers,
             min(substring(number from '[0-9]+$')::int) as lowest, max(substring(number from '[0-9]+$')::int) as highest
        from invoices where tenant_id = t.id and status = 'OPEN') i
    cross join lateral (
      select count(*)::int as postings, sum(case direction when 'DEBIT' then amount else -amount end) as balance
        from ledger_postings where tenant_id = t.id) l
   where g.groups > 0
     and (i.invoices <> g.groups or i.numbers <> g.groups or i.lowest <> 1 or i.highest <> g.groups
          or l.postings < 2 * g.groups or l.balance <> 0)`;
