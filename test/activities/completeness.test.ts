import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { billRun } from '../../src/db/billing/bill-runs.ts';
import { moveClock } from '../../src/db/billing/move-clock.ts';
import { advanceGroups } from '../../src/db/billing/advance-groups.ts';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { type Crowd, makeCrowd } from './crowd.ts';
import { activitiesOn, STEPS } from './steps.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const ITEMS = 10;
/** Begin, tenant and commit included: of the six transactions of a run that goes step by step, and of the three of a large one that does not. */
const STATEMENTS_MAX = { steps: 105, atOnce: 60 };

/** Every statement that this process sends while the work is done. */
async function statementsOf(work: () => Promise<unknown>): Promise<number> {
  const spy = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await work();
    return spy.mock.calls.length;
  } finally {
    spy.mockRestore();
  }
}

/** Bills a crowd's boundary from the plan to the issue. */
async function billCrowd(tenantId: string, crowd: Crowd): Promise<Record<string, number>> {
  const { database } = api.db;
  await database.inTenant(tenantId, (tx) =>
    advanceTestClock(tx, crowd.testClockId, '2026-01-01T00:00:00.000Z', 'test'),
  );
  const activities = activitiesOn(database);
  await activities.moveClock({ tenantId, ...crowd });
  const counts: Record<string, number> = {};
  let runId = '';
  counts['planNextStep'] = await statementsOf(async () => {
    const { step } = await activities.planNextStep({ tenantId, ...crowd });
    if (step.kind === 'RUN') runId = step.runId;
  });
  for (const name of STEPS) counts[name] = await statementsOf(() => activities[name]({ tenantId, runId }));
  return counts;
}

/** Bills the next boundary as its workflow does and asks what comes then; returns the statements of all of it. */
async function billAtOnce(tenantId: string, crowd: Crowd): Promise<number> {
  const { database } = api.db;
  await database.inTenant(tenantId, (tx) =>
    advanceTestClock(tx, crowd.testClockId, '2026-02-01T00:00:00.000Z', 'test'),
  );
  const look = () =>
    database.inTenant(tenantId, async (tx) => (await advanceGroups(tx, [crowd.groupId])).get(crowd.groupId)?.step);
  // Once for what was done at the boundary before, once to the next.
  await database.inTenant(tenantId, (tx) => moveClock(tx, crowd.testClockId));
  return statementsOf(async () => {
    const step = await look();
    // What is small was billed by that look.
    if (step?.kind !== 'RUN') return;
    expect(await database.inTenant(tenantId, (tx) => billRun(tx, step.runId))).toBe(true);
    expect((await look())?.kind).toBe('SLEEP');
  });
}

const sumOf = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

describe('a payer with a thousand children of ten items each', () => {
  // The small crowds come first: the planner then has statistics of them and none of the large one, as when a large
  // customer is new.
  const counts: Record<number, Record<string, number>> = {};
  const atOnce: Record<number, number> = {};
  let large: { tenantId: string; crowd: Crowd };

  beforeAll(async () => {
    for (const children of [1, 30, 1000]) {
      const { tenantId } = await api.tenant();
      const crowd = await makeCrowd(api.db.database, tenantId, { children, items: ITEMS });
      counts[children] = await billCrowd(tenantId, crowd);
      const readied = await api.db.database.inTenant(tenantId, (tx) => moveClock(tx, crowd.testClockId));
      expect(readied).toMatchObject({ status: 'READY', due: [] });
      atOnce[children] = await billAtOnce(tenantId, crowd);
      large = { tenantId, crowd };
      if (children < 1000) await api.db.query('analyze');
    }
  }, 600_000);

  test('is billed with as many statements as one with a single child', () => {
    expect(counts[30]).toEqual(counts[1]);
    expect(counts[1000]).toEqual(counts[1]);
    expect(sumOf(counts[1] ?? {})).toBeLessThanOrEqual(STATEMENTS_MAX.steps);
    expect(atOnce[30]).toBe(atOnce[1]);
    expect(atOnce[1]).toBeLessThan(atOnce[1000] ?? 0);
    expect(atOnce[1000]).toBeLessThanOrEqual(STATEMENTS_MAX.atOnce);
  });

  test('gets one invoice of ten thousand lines, each item once, and every member accounted for', async () => {
    const { tenantId, crowd } = large;
    const [invoice, ...more] = await api.db.query(
      `select v.id, v.number, v.total::text, v.run_id, v.payer_customer_id from invoices v where v.tenant_id = $1 and v.boundary_at = '2026-01-01'`,
      [tenantId],
    );
    expect(more).toEqual([]);
    // Each child pays 1 + 2 + … + 10.
    expect(invoice).toMatchObject({ number: 'INV-0001', payer_customer_id: crowd.payerId });
    expect(Number(invoice?.['total'])).toBe(55_000);
    const [lines] = await api.db.query(
      `select count(*)::int, count(distinct item_id)::int as items, count(distinct owner_customer_id)::int as owners,
              min(position) as first, max(position) as last, count(distinct position)::int as positions
         from invoice_lines where invoice_id = $1`,
      [invoice?.['id']],
    );
    expect(lines).toEqual({ count: 10_000, items: 10_000, owners: 1000, first: 1, last: 10_000, positions: 10_000 });
    const members = await api.db.query(
      'select outcome, cardinality(subscription_ids) as count from run_outcomes where run_id = $1',
      [invoice?.['run_id']],
    );
    expect(members).toEqual([{ outcome: 'COLLECTED', count: 1000 }]);
    const [claims] = await api.db.query(
      'select count(*)::int, count(distinct item_id)::int as items from claims where run_id = $1',
      [invoice?.['run_id']],
    );
    expect(claims).toEqual({ count: 10_000, items: 10_000 });
  });
});
