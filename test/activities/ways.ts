import type { GroupPlan } from '../../src/activities/index.ts';
import type { Database } from '../../src/db/database.ts';
import type { Call, Carry } from './faults.ts';
import { activitiesOn, STEPS } from './steps.ts';

/** Groups of a tenant that have something to do now, and runs outside any group. */
export interface Due {
  readonly tenantId: string;
  readonly groupIds: readonly string[];
  readonly runIds: readonly string[];
}

/** More calls than any group needs at one instant: one that never comes to rest is a failure, not a hang. */
const CALLS_MAX = 200;

/** The ways in which due groups are billed: each is what their workflows do when it is open to them. */
export const WAYS = {
  'step by step': (due, carry) => eachAlone(due, carry, 'planNextStep', runSteps),
  'in one transaction': (due, carry) => eachAlone(due, carry, 'advanceGroup', runSteps),
  'in one transaction of several groups': together,
  'as a large run': (due, carry) => eachAlone(due, carry, 'planNextStep', runAtOnce),
} as const satisfies Record<string, (due: Due, carry: Carry) => Promise<void>>;

export type WayName = keyof typeof WAYS;

/** The activities that a way calls when nothing goes wrong. */
export const ACTIVITIES_OF: Readonly<Record<WayName, readonly string[]>> = {
  'step by step': ['planNextStep', ...STEPS],
  'in one transaction': ['advanceGroup'],
  'in one transaction of several groups': ['advanceGroup'],
  'as a large run': ['billRun'],
};

type RunWay = (run: { tenantId: string; runId: string }, carry: Carry) => Promise<void>;

/** One group after the other, until each is at rest; a run that is left to a workflow goes `runWay`. */
async function eachAlone(
  { tenantId, groupIds, runIds }: Due,
  carry: Carry,
  activity: 'planNextStep' | 'advanceGroup',
  runWay: RunWay,
): Promise<void> {
  for (const groupId of groupIds) await carryGroup({ tenantId, groupId }, carry, activity, runWay);
  for (const runId of runIds) await runWay({ tenantId, runId }, carry);
}

async function carryGroup(
  group: { tenantId: string; groupId: string },
  carry: Carry,
  activity: 'planNextStep' | 'advanceGroup',
  runWay: RunWay,
): Promise<void> {
  const look: Call<GroupPlan> = {
    activity,
    tenantId: group.tenantId,
    perform: (by) => activitiesOn(by)[activity](group),
  };
  for (let calls = 0; calls < CALLS_MAX; calls += 1) {
    const { step } = await carry(look);
    if (step.kind === 'RUN') await runWay({ tenantId: group.tenantId, runId: step.runId }, carry);
    else if (step.kind !== 'AGAIN') return;
  }
  throw new Error(`Group ${group.groupId} does not come to rest.`);
}

/** The five steps of a run, as far as they go. */
export async function runSteps(run: { tenantId: string; runId: string }, carry: Carry): Promise<void> {
  for (const activity of STEPS) {
    const answer = await carry({
      activity,
      tenantId: run.tenantId,
      perform: (by: Database): Promise<unknown> => activitiesOn(by)[activity](run),
    });
    if (activity === 'collectCharges' && answer !== 'GO_ON') return;
  }
}

/** A run in one activity; what that leaves alone goes step by step. */
async function runAtOnce(run: { tenantId: string; runId: string }, carry: Carry): Promise<void> {
  const { tenantId } = run;
  const isDone = await carry({ activity: 'billRun', tenantId, perform: (by) => activitiesOn(by).billRun(run) });
  if (!isDone) await runSteps(run, carry);
}

/** All groups at once, through one worker: what their workflows ask for in the same turn goes into one transaction. */
async function together({ tenantId, groupIds, runIds }: Due, carry: Carry): Promise<void> {
  let busy = groupIds;
  for (let calls = 0; calls < CALLS_MAX; calls += 1) {
    if (busy.length === 0) {
      for (const runId of runIds) await runAtOnce({ tenantId, runId }, carry);
      return;
    }
    const asked = busy;
    const plans = await carry({
      activity: 'advanceGroup',
      tenantId,
      perform: (by) => allOf(asked.map((groupId) => () => activitiesOf(by).advanceGroup({ tenantId, groupId }))),
    });
    for (const { step } of plans) if (step.kind === 'RUN') await runSteps({ tenantId, runId: step.runId }, carry);
    busy = asked.filter((_, index) => ['RUN', 'AGAIN'].includes(plans[index]?.step.kind ?? ''));
  }
  throw new Error(`Groups ${busy.join(', ')} do not come to rest.`);
}

const workers = new WeakMap<Database, ReturnType<typeof activitiesOn>>();

/** One worker for each database: its groups share what it gathers. */
function activitiesOf(database: Database): ReturnType<typeof activitiesOn> {
  const activities = workers.get(database) ?? activitiesOn(database);
  workers.set(database, activities);
  return activities;
}

/** Answers when all have ended: none is left at work when one has failed. */
async function allOf<T>(works: readonly (() => Promise<T>)[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(works.map((work) => work()));
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason as Error;
    return outcome.value;
  });
}
