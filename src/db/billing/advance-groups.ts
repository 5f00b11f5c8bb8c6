import { type NextStep, planNext } from '../../domain/billing-group/plan.ts';
import type { Tx } from '../database.ts';
import { billRuns } from './bill-runs.ts';
import { type LoadedGroup, loadGroups } from './group-state.ts';
import { LARGE_WORKLOAD, noteDue, openRuns, passOver, type Plan, planOf, UNKNOWN_GROUP } from './plan-step.ts';

/** How many items and charges one transaction looks at: a group of as many is looked at alone. */
const WORKLOAD_MAX = LARGE_WORKLOAD;

/**
 * Bills what is due in groups and tells what each does next: many groups in one transaction, each at most one run. What is
 * large, or has begun and not ended, is left to the workflow, as a run to be carried out step by step. Done again it
 * changes nothing.
 *
 * @returns a plan for each group, by id; none for a group that could not be looked at together with the others and is to be
 *          asked for again.
 */
export async function advanceGroups(tx: Tx, groupIds: readonly string[]): Promise<Map<string, Plan>> {
  const groups = await loadGroups(tx, groupIds, { lock: 'update' });
  const known = new Set(groups.map(({ groupId }) => groupId));
  const plans = new Map(groupIds.filter((id) => !known.has(id)).map((id) => [id, UNKNOWN_GROUP]));
  const decided = withinBudget(groups.map((group) => ({ group, next: planNext(group.state, group.now) })));

  const passed = new Set<string>();
  for (const { group, next } of decided) if (await passOver(tx, group, next)) passed.add(group.groupId);
  const due = await dueRuns(tx, decided);
  const { done, later } = await billRuns(
    tx,
    due.filter(({ group }) => group.workload <= LARGE_WORKLOAD),
  );
  const runs = new Map(due.map(({ group, runId }) => [group.groupId, runId]));
  const billed = new Map([...runs].filter(([, runId]) => done.includes(runId)));
  const put = new Set([...runs].filter(([, runId]) => later.includes(runId)).map(([groupId]) => groupId));

  const moved = await loadGroups(tx, [...passed, ...billed.keys()]);
  const planned = [
    ...decided
      .filter(({ group: { groupId } }) => !passed.has(groupId) && !billed.has(groupId) && !put.has(groupId))
      .map(({ group, next }) => ({ group, plan: planOf(group, next, { runId: runs.get(group.groupId) }) })),
    ...moved.map((group) => ({
      group,
      plan: planOf(group, planNext(group.state, group.now), { billedRunId: billed.get(group.groupId) }),
    })),
  ];
  await noteDue(tx, planned);
  for (const { group, plan } of planned) plans.set(group.groupId, plan);
  return plans;
}

interface Decided {
  readonly group: LoadedGroup;
  readonly next: NextStep;
}

/** As many groups as one transaction takes; at least one. */
function withinBudget(decided: readonly Decided[]): Decided[] {
  let left = WORKLOAD_MAX;
  return decided.filter(({ group }, index) => {
    left -= Math.min(group.workload, LARGE_WORKLOAD);
    return index === 0 || left >= 0;
  });
}

interface DueRun {
  readonly group: LoadedGroup;
  readonly runId: string;
}

/**
 * The runs that are due: those that are there, and those of boundaries, opened here. Oldest first, and so are the ids of what
 * is opened: a run that is put off keeps its place, and a coupon's rest is read from the run that took from it last.
 */
async function dueRuns(tx: Tx, decided: readonly Decided[]): Promise<DueRun[]> {
  const begun = decided.flatMap(({ group, next }) => (next.kind === 'RUN' ? [{ group, runId: next.runId }] : []));
  const boundaries = decided
    .flatMap(({ group, next }) =>
      next.kind === 'OPEN_RUN' ? [{ group, boundaryAt: next.boundaryAt, status: 'OPEN' as const, reason: null }] : [],
    )
    .toSorted((a, b) => a.boundaryAt.localeCompare(b.boundaryAt));
  const opened = await openRuns(tx, boundaries);
  return [
    ...begun.toSorted((a, b) => a.runId.localeCompare(b.runId)),
    ...boundaries.flatMap(({ group }) => {
      const runId = opened.get(group.groupId);
      return runId === undefined ? [] : [{ group, runId }];
    }),
  ];
}
