import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import { makeCrowd } from '../activities/crowd.ts';
import { all } from '../support/billing-shapes.ts';
import { advanceClock, startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

const { EventType } = temporal.api.enums.v1;

/** How often a worker was asked, and was late, says nothing of the run. */
const OF_TASKS = [
  EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
];

/** Bills three boundaries of a payer with so many children, and tells what the history of its group came to. */
async function historyOf(children: number): Promise<{ events: readonly string[]; bytes: number }> {
  const tenant = await stack.api.tenant();
  const crowd = await makeCrowd(stack.api.db.database, tenant.tenantId, { children, items: 1 });
  for (const month of ['01', '02', '03']) await advanceClock(tenant, crowd.testClockId, `2026-${month}-01T00:00:00Z`);
  const invoices = await all(tenant, `/customers/${crowd.payerId}/invoices`);
  expect(invoices.map(({ status }) => status)).toEqual(['OPEN', 'OPEN', 'OPEN']);
  const handle = stack.temporal.workflow.getHandle(workflowId.billingGroup(tenant.tenantId, crowd.groupId));
  const history = await handle.fetchHistory();
  const events = (history.events ?? []).filter(({ eventType }) => !OF_TASKS.includes(eventType ?? 0));
  const names = events.map(({ eventType }) => EventType[eventType ?? 0] ?? '');
  const bytes = temporal.api.history.v1.History.encode({ events }).finish().length;
  return { events: names, bytes };
}

test('the history of a large run is the same whatever the number of children, and holds none of its lines', async () => {
  const [some, many] = [await historyOf(2_001), await historyOf(4_000)];
  expect(many.events).toEqual(some.events);
  // Instants and ids are of the same length; what differs is a digit here and there.
  expect(Math.abs(many.bytes - some.bytes)).toBeLessThan(200);
}, 240_000);
