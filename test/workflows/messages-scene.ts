import type { WorkflowHandle } from '@temporalio/client';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { type GroupView, workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { all, create, flat } from '../support/billing-shapes.ts';
import { sessionOf } from '../support/race.ts';
import { eventually, startTestStack, type TestStack } from '../support/stack.ts';

/** A stack in real time whose clock the test sets: groups sleep on real timers, and a month passes at a word. */
export interface Timeline {
  readonly stack: TestStack;
  /** Makes it this instant; from there the clock runs on. */
  set(now: string): void;
}

/** Starts one. A scene may begin earlier than the one before it ended: they share no tenant. */
export async function startTimeline(options: { workers?: number } = {}): Promise<Timeline> {
  let shift = 0;
  const clock = { now: () => new Date(Date.now() + shift).toISOString() };
  const stack = await startTestStack({ clock, ...options });
  return {
    stack,
    set: (now) => {
      shift = Date.parse(now) - Date.now();
    },
  };
}

/** A tenant with one payer, whose group bills 31.00 for each month of 2026, in advance; January is billed. */
export interface Scene {
  readonly timeline: Timeline;
  readonly api: Client;
  readonly payerId: string;
  readonly groupId: string;
  readonly subscriptionId: string;
  readonly handle: WorkflowHandle;
  /** What the workflow shows of the group. */
  state(): Promise<GroupView>;
  /** Lets time pass to an instant and wakes the tenant's groups as their timers would; waits for nothing. */
  wake(now: string): Promise<void>;
  /** Until every message was delivered and the workflow has nothing more to do for now. */
  settle(): Promise<void>;
}

/** Opens one; the payer may be given more, such as an entity that is not the default. */
export async function openScene(
  timeline: Timeline,
  prepare: (api: Client) => Promise<Record<string, unknown>> = async () => ({}),
): Promise<Scene> {
  const { stack } = timeline;
  timeline.set('2026-01-01T00:00:00Z');
  const api = await stack.api.tenant();
  const payer = await create(api, '/customers', { name: 'Payer', ...(await prepare(api)) });
  const group = await create(api, '/billing-groups', {
    payerCustomerId: payer.id,
    anchorDate: '2026-01-01',
    settleMinutes: 0,
  });
  const subscription = await create(api, '/subscriptions', {
    customerId: payer.id,
    billingGroupId: group.id,
    prices: [flat('base', '31.00')],
  });
  const handle = stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, group.id));
  const scene: Scene = {
    timeline,
    api,
    payerId: payer.id,
    groupId: group.id,
    subscriptionId: subscription.id,
    handle,
    state: () => handle.query<GroupView>('state'),
    wake: async (now) => {
      timeline.set(now);
      for (const one of await workflowsOf(stack, api.tenantId)) await one.signal('refresh');
    },
    settle: () => settle(timeline, api.tenantId),
  };
  await scene.settle();
  expect(await booksOf(scene)).toEqual(['2026-01-01: 31.00']);
  return scene;
}

/**
 * A tenant's workflows have settled when no message waits in the outbox and none of them has anything in hand: a signal that
 * was sent is in the history, with the task that will look at it.
 */
async function settle({ stack }: Timeline, tenantId: string): Promise<void> {
  const isQuiet = async (): Promise<boolean> => {
    const waiting = await stack.api.db.query(
      `select 1 from outbox_messages where tenant_id = $1 and topic <> 'event' and delivered_at is null`,
      [tenantId],
    );
    if (waiting.length > 0) return false;
    const described = await Promise.all((await workflowsOf(stack, tenantId)).map((one) => one.describe()));
    return described.every(({ raw }) => raw.pendingWorkflowTask == null && (raw.pendingActivities ?? []).length === 0);
  };
  await eventually(isQuiet, 'the workflows to settle', 150);
}

/** The workflows of a tenant's groups. */
async function workflowsOf({ api, temporal }: TestStack, tenantId: string): Promise<WorkflowHandle[]> {
  const groups = await api.db.query<{ id: string }>('select id from billing_groups where tenant_id = $1', [tenantId]);
  return groups.map(({ id }) => temporal.workflow.getHandle(workflowId.billingGroup(tenantId, id)));
}

/** Lets time pass from instant to instant, with all that falls due on the way. */
export async function passTo(scene: Scene, ...instants: string[]): Promise<void> {
  for (const now of instants) {
    await scene.wake(now);
    await scene.settle();
  }
}

const LOCK_WAITS = `select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;

/** The sessions that wait for one of these. */
const BEHIND = 'select pid from pg_stat_activity where pg_blocking_pids(pid) && $1::int[]';

/** The statements that wait for a lock. */
export const lockWaits = ({ stack }: Timeline): Promise<{ pid: number }[]> => stack.api.db.query(LOCK_WAITS);

/** How a run is held. */
export interface Hold {
  /** The rows that the test keeps to itself: redemptions are locked in the middle of a run, the number last of all. */
  readonly at?: 'coupon_redemptions' | 'number_streams';
  /**
   * Breaks the first attempt off, so that what is held is an ordinary activity that is tried again. A workflow takes no
   * update while a local one is under way.
   */
  readonly visibly?: boolean;
}

/**
 * Holds a run at a lock while something is sent, and lets go when that is through, or waits behind the run.
 *
 * @param start wakes the run.
 * @returns what came of it, and whether it was through while the run was still held.
 */
export async function whileRunning<T>(
  scene: Scene,
  start: () => Promise<unknown>,
  send: () => Promise<T>,
  { at = 'number_streams', visibly = false }: Hold = {},
): Promise<{ answer: T; wasThrough: boolean }> {
  const { db } = scene.timeline.stack.api;
  const behind = async (pids: readonly number[]): Promise<number[]> =>
    (await db.query<{ pid: number }>(BEHIND, [pids])).map(({ pid }) => pid);
  const held = await db.database.inTenant(scene.api.tenantId, async (tx) => {
    const holder = await sessionOf(tx);
    await sql`select 1 from ${sql.table(at)} for update`.execute(tx.db);
    await start();
    await eventually(async () => (await behind([holder])).length > 0, 'a run to wait');
    if (visibly) await breakOff(scene);
    const runs = await eventually(async () => {
      const pids = await behind([holder]);
      return pids.length > 0 ? pids : null;
    }, 'the run to be held');
    const isBehind = async () => (await behind([holder, ...runs])).some((pid) => !runs.includes(pid));
    let isThrough = false;
    const sent = send().finally(() => {
      isThrough = true;
    });
    sent.catch(() => undefined);
    await eventually(async () => isThrough || (await isBehind()), 'the message to be through, or to wait');
    return { sent, wasThrough: isThrough };
  });
  return { answer: await held.sent, wasThrough: held.wasThrough };
}

const issuedTo = async ({ api, payerId }: Scene) =>
  (await all(api, `/customers/${payerId}/invoices?include=lines`)).filter(({ number }) => number !== null);

/** Breaks off what waits for a lock, until what waits is an ordinary activity. */
async function breakOff({ handle, timeline }: Scene): Promise<void> {
  await eventually(async () => {
    const [first] = await lockWaits(timeline);
    if (first === undefined) return false;
    if (((await handle.describe()).raw.pendingActivities ?? []).length > 0) return true;
    await timeline.stack.api.db.query('select pg_cancel_backend($1)', [first.pid]);
    return false;
  }, 'an ordinary activity to wait');
}

/** What a payer was billed, in order: the boundary (or the day, when it has none), the total, and what is due if less. */
export async function booksOf(scene: Scene): Promise<string[]> {
  return (await issuedTo(scene)).map(({ boundaryAt, issueDate, total, amountDue }) => {
    const at = boundaryAt === null ? `at once on ${issueDate}` : boundaryAt.slice(0, 10);
    return `${at}: ${total}${amountDue === total ? '' : `, due ${amountDue}`}`;
  });
}

/** Each subscription's periods on invoices follow one another without a gap or an overlap; numbers have no gap. */
export async function expectOnceOnly(scene: Scene): Promise<void> {
  const invoices = await issuedTo(scene);
  expect(invoices.map(({ number }) => number)).toEqual(
    invoices.map((_, index) => `INV-${String(index + 1).padStart(4, '0')}`),
  );
  const lines = invoices.flatMap((invoice) => invoice.lines).filter(({ kind }) => kind === 'RECURRING');
  for (const periods of Map.groupBy(lines, ({ subscriptionId }) => subscriptionId).values()) {
    const inOrder = periods.toSorted((a, b) => a.periodStart.localeCompare(b.periodStart));
    expect(inOrder.slice(1).map(({ periodStart }) => periodStart)).toEqual(
      inOrder.slice(0, -1).map(({ periodEnd }) => periodEnd),
    );
  }
}
