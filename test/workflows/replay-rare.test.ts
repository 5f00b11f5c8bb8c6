import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import { without } from '../activities/broken-database.ts';
import { makeCrowd } from '../activities/crowd.ts';
import type { Client } from '../support/api.ts';
import { all, create, flat } from '../support/billing-shapes.ts';
import { advanceClock, eventually, type TestStack } from '../support/stack.ts';
import { startStackOfBriefExecutions } from './brief-executions.ts';
import { executionsOf, keepHistory, replay, type WorkflowHistory } from './histories.ts';

/** So few events that a year of months is several runs. */
const EVENTS_MAX = 60;

let stack: TestStack;
let tenant: Client;
/** Activities that fail for now. */
const failing: string[] = [];

beforeAll(async () => {
  stack = await startStackOfBriefExecutions(EVENTS_MAX, { seenByWorkers: (database) => without(database, failing) });
  tenant = await stack.api.tenant();
});
afterAll(() => stack.close());

const eventNames = (history: WorkflowHistory): string[] =>
  (history.events ?? []).flatMap((event) =>
    Object.keys(event).filter((key) => key.endsWith('EventAttributes') && event[key as keyof typeof event] !== null),
  );

test('a group and a clock that go on for years continue as new, and lose neither a boundary nor a message', async () => {
  const clock = await create(tenant, '/test-clocks', { name: 'years', now: '2026-01-31T00:00:00Z' });
  const payer = await create(tenant, '/customers', { name: 'For ever', testClockId: clock.id });
  const { billingGroupId } = await create(tenant, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
  });
  const id = workflowId.billingGroup(tenant.tenantId, billingGroupId);
  const handle = stack.temporal.workflow.getHandle(id);
  await eventually(() => handle.describe().catch(() => null), 'the workflow');

  // Messages come in all the time, also while it continues as new.
  let isMoving = true;
  let told = 0;
  const telling = (async () => {
    while (isMoving) {
      await handle.executeUpdate('billNow');
      told += 1;
      await handle.signal('refresh');
    }
  })();
  await advanceClock(tenant, clock.id, '2027-12-31T00:00:00Z');
  isMoving = false;
  await telling;

  const invoices = await all(tenant, `/customers/${payer.id}/invoices`);
  const boundaries = invoices.map(({ boundaryAt }) => boundaryAt.slice(0, 7));
  const months = Array.from(
    { length: 24 },
    (_, month) => `${2026 + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}`,
  );
  expect(boundaries).toEqual(months);
  const audits = await stack.api.db.query(
    `select 1 from audit_events where action = 'billing_group.billNow' and actor = 'temporal'`,
  );
  expect(audits.length, 'each update is carried out once').toBe(told);

  const runs = await executionsOf(stack.temporal, id);
  expect(runs.length).toBeGreaterThan(3);
  for (const history of runs) await replay(history);
  const [first = {}, second = {}] = runs;
  expect(eventNames(first)).toContain('workflowExecutionContinuedAsNewEventAttributes');
  await keepHistory('billing-group-until-continue-as-new', first);
  await keepHistory('billing-group-continued', second);
  for (const history of await executionsOf(stack.temporal, workflowId.testClock(tenant.tenantId, clock.id)))
    await replay(history);

  const { typedSearchAttributes } = await handle.describe();
  const attributes = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  expect(attributes).toMatchObject({
    TributaryGroup: billingGroupId,
    TributaryNextBilling: new Date('2028-01-31T00:00:00Z'),
  });
}, 240_000);

/** The ordinary activities that a workflow has scheduled, which an operator sees by name, and its histories. */
async function scheduledBy(groupId: string): Promise<{ scheduled: string[]; histories: WorkflowHistory[] }> {
  const histories = await executionsOf(stack.temporal, workflowId.billingGroup(tenant.tenantId, groupId));
  const scheduled = histories
    .flatMap(({ events }) => events ?? [])
    .flatMap(({ activityTaskScheduledEventAttributes: activity }) => activity?.activityType?.name ?? []);
  for (const history of histories) await replay(history);
  return { scheduled, histories };
}

const STEPS = ['collectCharges', 'applyCoupons', 'applyTax', 'applyCredits', 'issueInvoice'];

test.each([
  { what: 'is one ordinary activity', fails: [], scheduled: ['billRun'], name: 'billing-group-large' },
  {
    what: 'is one for each step when that for the whole has failed',
    fails: ['billRun'],
    scheduled: ['billRun', ...STEPS],
    name: 'billing-group-large-step-by-step',
  },
])(
  'a large run $what',
  async ({ fails, scheduled, name }) => {
    failing.splice(0, failing.length, ...fails);
    const crowd = await makeCrowd(stack.api.db.database, tenant.tenantId, { children: 667, items: 3 });
    await advanceClock(tenant, crowd.testClockId, '2026-01-01T00:00:00Z');
    const [invoice] = await all(tenant, `/customers/${crowd.payerId}/invoices`);
    // Each child pays 1 + 2 + 3.
    expect(invoice).toMatchObject({ status: 'OPEN', total: '4002.00' });
    const found = await scheduledBy(crowd.groupId);
    expect(found.scheduled).toEqual(scheduled);
    await keepHistory(name, found.histories[0] ?? {});
  },
  180_000,
);

test('a group goes step by step when its one transaction fails, and an operator sees that it did', async () => {
  failing.splice(0, failing.length, 'advanceGroup');
  const clock = await create(tenant, '/test-clocks', { name: 'steps', now: '2026-01-01T00:00:00Z' });
  const payer = await create(tenant, '/customers', { name: 'Step by step', testClockId: clock.id });
  const { billingGroupId } = await create(tenant, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
  });
  await advanceClock(tenant, clock.id, '2026-02-15T00:00:00Z');
  expect((await all(tenant, `/customers/${payer.id}/invoices`)).map(({ total }) => total)).toEqual(['10.00', '10.00']);
  const { scheduled, histories } = await scheduledBy(billingGroupId);
  expect(new Set(scheduled), 'a first try of a step is local').toEqual(new Set(['planNextStep']));
  await keepHistory('billing-group-step-by-step', histories[0] ?? {});
}, 120_000);
