import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { all, create, flat } from '../support/billing-shapes.ts';
import { eventually, type TestStack } from '../support/stack.ts';
import { startStackOfBriefExecutions } from './brief-executions.ts';
import { executionsOf, replay, type WorkflowHistory } from './histories.ts';
import {
  booksOf,
  expectOnceOnly,
  lockWaits,
  openScene,
  type Scene,
  type Timeline,
  whileRunning,
} from './messages-scene.ts';

const { EventType, WorkflowTaskFailedCause } = temporal.api.enums.v1;

/** So few events that a few messages are enough to begin anew. */
const EVENTS_MAX = 40;
/** Each sends this many messages, one after the other. */
const MESSAGES = 25;

let stack: TestStack;
let tenant: Client;
let shift = 0;

beforeAll(async () => {
  const clock = { now: () => new Date(Date.now() + shift).toISOString() };
  stack = await startStackOfBriefExecutions(EVENTS_MAX, { clock });
  tenant = await stack.api.tenant();
});
afterAll(() => stack.close());

const times = async (count: number, send: (index: number) => Promise<unknown>): Promise<void> => {
  for (let index = 0; index < count; index += 1) await send(index);
};

test('messages sent all the time while a group continues as new are each carried out once', async () => {
  shift = Date.parse('2026-01-01T00:00:00Z') - Date.now();
  const payer = await create(tenant, '/customers', { name: 'Much asked' });
  const group = await create(tenant, '/billing-groups', {
    payerCustomerId: payer.id,
    anchorDate: '2026-01-01',
    settleMinutes: 0,
  });
  const groupId: string = group.id;
  await create(tenant, '/subscriptions', {
    customerId: payer.id,
    billingGroupId: groupId,
    prices: [flat('base', '31.00')],
  });
  const id = workflowId.billingGroup(tenant.tenantId, groupId);
  const handle: WorkflowHandle = stack.temporal.workflow.getHandle(id);
  const invoicesOf = () => all(tenant, `/customers/${payer.id}/invoices`);
  await eventually(async () => (await invoicesOf()).length === 1, 'January');

  const verb = (name: string) => `/billing-groups/${groupId}/${name}`;
  const charge = () =>
    create(tenant, '/charges', { customerId: payer.id, billingGroupId: groupId, description: 'Once', amount: '1.00' });
  const sent = await Promise.allSettled([
    times(MESSAGES, () => handle.executeUpdate('billNow')),
    times(MESSAGES, async () => {
      await charge();
      await handle.executeUpdate('billNow');
    }),
    times(MESSAGES, () => handle.executeUpdate('skip', { args: ['2027-01-01T00:00:00.000Z'] })),
    times(MESSAGES, () => handle.signal('refresh')),
    times(MESSAGES, async () => {
      await charge();
      await create(tenant, verb('bill-now'), {});
    }),
    times(11, async (month) => {
      shift = Date.UTC(2026, month + 1, 1, 0, 0, 1) - Date.now();
      await handle.signal('refresh');
      await eventually(
        async () => (await invoicesOf()).filter(({ boundaryAt }) => boundaryAt !== null).length === month + 2,
        `the invoice of month ${month + 2}`,
        90,
      );
    }),
  ]);
  expect(sent.filter(({ status }) => status === 'rejected')).toEqual([]);
  await eventually(async () => {
    const runs = await all(tenant, verb('runs'));
    return runs.every(({ status }) => ['ISSUED', 'EMPTY', 'SKIPPED'].includes(status));
  }, 'every run to end');

  const executions = await executionsOf(stack.temporal, id);
  expect(executions.length, 'it continued as new again and again').toBeGreaterThan(5);
  const audits = await all(tenant, `/audit-events?subjectType=billing_group&subjectId=${groupId}`);
  const count = (actor: string, action: string) =>
    audits.filter((one) => one.actor.startsWith(actor) && one.action === `billing_group.${action}`).length;
  expect(count('temporal', 'billNow')).toBe(2 * MESSAGES);
  expect(count('temporal', 'skip')).toBe(MESSAGES);
  expect(audits.filter(({ action }) => action === 'billing_group.billNow')).toHaveLength(3 * MESSAGES);

  const invoices = await invoicesOf();
  const boundaries = invoices.flatMap(({ boundaryAt }) => (boundaryAt === null ? [] : [boundaryAt.slice(0, 7)]));
  expect(boundaries).toEqual(Array.from({ length: 12 }, (_, month) => `2026-${String(month + 1).padStart(2, '0')}`));
  const cents = invoices.reduce((sum, { total }) => sum + Math.round(Number(total) * 100), 0);
  expect(cents, 'each month and each charge, once').toBe(12 * 31_00 + 2 * MESSAGES * 1_00);
  expect(invoices.map(({ number }) => number)).toEqual(
    invoices.map((_, index) => `INV-${String(index + 1).padStart(4, '0')}`),
  );
  for (const history of executions) await replay(history);
}, 240_000);

/** What an execution gains until the signal that wakes it is looked at, and until the task after `planNextStep` begins. */
const EVENTS_TO_WAKE = 3;
const EVENTS_TO_PLAN = 10;

/** Wakes a group until its execution is so long that the next run, and nothing before it, finds that it is to begin anew. */
const bringToTheBrink = ({ handle, settle }: Scene): Promise<unknown> =>
  eventually(async () => {
    await settle();
    const { historyLength } = await handle.describe();
    if (historyLength + EVENTS_TO_WAKE < EVENTS_MAX && EVENTS_MAX <= historyLength + EVENTS_TO_PLAN) return true;
    await handle.signal('refresh');
    return false;
  }, 'the execution to be nearly full');

const has = ({ events }: WorkflowHistory, type: number): boolean =>
  (events ?? []).some(({ eventType }) => eventType === type);
/** Whether the server refused to close the execution, because something had come in meanwhile. */
const wasRefused = ({ events }: WorkflowHistory): boolean =>
  (events ?? []).some(
    ({ workflowTaskFailedEventAttributes: failed }) =>
      failed?.cause === WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
  );

test('messages that come in just before a group continues as new: it is held back, and all of it is done once', async () => {
  const timeline: Timeline = { stack, set: (now) => (shift = Date.parse(now) - Date.now()) };
  const scene = await openScene(timeline);
  const { api, handle, payerId, groupId } = scene;
  await bringToTheBrink(scene);
  let asked: Promise<unknown> = Promise.resolve();

  // The attempt at all of it at once is broken off; the steps after that are one workflow task, which ends with a new execution.
  const goStepByStep = async (): Promise<void> => {
    await scene.wake('2026-02-01T00:00:01Z');
    await eventually(async () => {
      const [first] = await lockWaits(timeline);
      if (first === undefined) return false;
      if (has(await handle.fetchHistory(), EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)) return true;
      await stack.api.db.query('select pg_cancel_backend($1)', [first.pid]);
      return false;
    }, 'the last step to wait for its number');
  };
  await whileRunning(scene, goStepByStep, async () => {
    const charge = { customerId: payerId, billingGroupId: groupId, description: 'Once', amount: '1.00' };
    await create(api, '/charges', charge);
    asked = handle.executeUpdate('billNow');
    await handle.signal('refresh');
  });
  await asked;
  await scene.settle();

  const executions = await executionsOf(stack.temporal, handle.workflowId);
  const refused = executions.find(wasRefused);
  expect(refused?.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes, 'refused, then closed').toBeTruthy();
  expect(await booksOf(scene)).toEqual(['2026-01-01: 31.00', '2026-02-01: 31.00', 'at once on 2026-02-01: 1.00']);
  await expectOnceOnly(scene);
  for (const history of executions) await replay(history);
});
