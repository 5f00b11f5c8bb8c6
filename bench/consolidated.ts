import { getHeapStatistics } from 'node:v8';
import { advanceGroups } from '../src/db/billing/advance-groups.ts';
import { billRun } from '../src/db/billing/bill-runs.ts';
import { moveClock } from '../src/db/billing/move-clock.ts';
import { previewInvoices } from '../src/db/invoices/preview.ts';
import { advanceTestClock } from '../src/db/test-clocks.ts';
import { makeCrowd } from '../test/activities/crowd.ts';
import type { Bed, Ground } from './bed.ts';
import { advance } from './history.ts';
import { countStatements } from './count-statements.ts';
import { cpuMs, parentOf } from './processes.ts';
import { type Finding, timed, times, whole } from './report.ts';

/** [children, lines of each] */
const SHAPES = [
  [1, 1],
  [10, 1],
  [100, 1],
  [1_000, 1],
  [10_000, 1],
  [100, 10],
  [1_000, 10],
  [10_000, 10],
] as const;

/** Boundaries that are billed before one is measured: code is warm, statistics are there. */
const WARM = 2;
const MEASURED = 3;

/** What Kill Bill's tuned set-up spends on a child of one line when a thousand are billed to one parent, in milliseconds. */
const KILL_BILL_CPU_MS = 86;

interface Measured {
  readonly ms: number;
  readonly statements: number;
  readonly node: number;
  readonly postgres: number;
  readonly heapMb: number;
  readonly previewMs: number;
}

/** The same boundary by its workflow: timer, tasks and the clock's own workflow included. */
interface Workflow {
  readonly ms: number;
  readonly temporal: number;
}

/** One invoice for a payer and all its children: statements, time and memory as their number grows. */
export async function measureConsolidated(bed: Bed): Promise<Finding> {
  const sent = countStatements();
  const rows: string[][] = [];
  for (const [children, items] of SHAPES) {
    const { measured, workflows } = await billShape(bed, { children, items }, sent);
    const { ms, statements, node, postgres, heapMb, previewMs } = middleOf(measured);
    const workflow = middleOf(workflows);
    const lines = children * items;
    rows.push([
      whole(children),
      whole(lines),
      whole(statements),
      whole(ms),
      whole((ms * 1000) / lines),
      whole((node * 1000) / lines),
      whole((postgres * 1000) / lines),
      whole(workflow.ms),
      whole(workflow.temporal),
      times(KILL_BILL_CPU_MS / ((node + postgres + workflow.temporal) / children), 1),
      whole(heapMb),
      times(previewMs, ms),
    ]);
  }
  return {
    title: `One invoice for a payer and all its children, from due to asleep again, the median of ${MEASURED} boundaries`,
    columns: [
      'children',
      'lines',
      'statements',
      'ms',
      'µs a line',
      'CPU µs node',
      'PostgreSQL',
      'by its workflow ms',
      'CPU ms Temporal',
      "less than Kill Bill's a child",
      'heap MB',
      'its preview',
    ],
    rows,
  };
}

async function billShape(
  bed: Bed,
  shape: { children: number; items: number },
  sent: { statements: number },
): Promise<{ measured: Measured[]; workflows: Workflow[] }> {
  const ground = await bed.open();
  const { database, tenantId } = ground;
  const crowd = await makeCrowd(database, tenantId, shape);
  const measured: Measured[] = [];
  for (let month = 0; month < WARM + MEASURED; month += 1) {
    const one = await billBoundary(ground, crowd, new Date(Date.UTC(2026, month, 1)).toISOString(), sent);
    if (month >= WARM) measured.push(one);
  }
  const workflows = await billByWorkflow(bed, ground, crowd.testClockId);
  await ground.close();
  return { measured, workflows };
}

/** Three more boundaries, each from the moment that the clock is told to move until it has arrived. */
async function billByWorkflow(bed: Bed, ground: Ground, testClockId: string): Promise<Workflow[]> {
  await ground.startWorker();
  const measured: Workflow[] = [];
  for (let month = WARM + MEASURED; month <= WARM + 2 * MEASURED; month += 1) {
    const before = cpuMs(bed.onSqlite.pid);
    const at = new Date(Date.UTC(2026, month, 1)).toISOString();
    const { ms } = await timed(() => advance(ground, testClockId, at));
    measured.push({ ms, temporal: cpuMs(bed.onSqlite.pid) - before });
  }
  // The first one began the workflows.
  return measured.slice(1);
}

const middleOf = <M extends { readonly ms: number }>(measured: readonly M[]): M =>
  measured.toSorted((a, b) => a.ms - b.ms)[Math.floor(measured.length / 2)] as M;

async function billBoundary(
  { database, tenantId }: Ground,
  crowd: { testClockId: string; groupId: string },
  at: string,
  sent: { statements: number },
): Promise<Measured> {
  await database.inTenant(tenantId, (tx) => advanceTestClock(tx, crowd.testClockId, at, 'bench'));
  await database.inTenant(tenantId, (tx) => moveClock(tx, crowd.testClockId));
  const preview = await timed(() =>
    database.inTenant(tenantId, (tx) => previewInvoices(tx, crowd.groupId), { readOnly: true }),
  );
  const postmaster = await postmasterOf(database);
  const before = { node: process.cpuUsage(), postgres: cpuMs(postmaster), statements: sent.statements };
  // As its workflow does: what is small is billed by the first look; what is large by itself, and then it is asked what is next.
  const look = async () =>
    (await database.inTenant(tenantId, (tx) => advanceGroups(tx, [crowd.groupId]))).get(crowd.groupId);
  const { ms } = await timed(async () => {
    const plan = await look();
    if (plan?.step.kind !== 'RUN') return;
    const { runId } = plan.step;
    const isBilled = await database.inTenant(tenantId, (tx) => billRun(tx, runId));
    if (!isBilled) throw new Error(`Run ${runId} was not billed at once.`);
    await look();
  });
  const used = process.cpuUsage(before.node);
  const measured = {
    ms,
    statements: sent.statements - before.statements,
    node: (used.user + used.system) / 1000,
    postgres: cpuMs(postmaster) - before.postgres,
    heapMb: getHeapStatistics().used_heap_size / 2 ** 20,
    previewMs: preview.ms,
  };
  const invoices = await database.inTenant(tenantId, (tx) =>
    tx.db.selectFrom('invoices').where('boundaryAt', '=', at).where('status', '=', 'OPEN').select('id').execute(),
  );
  if (invoices.length !== 1) throw new Error(`${invoices.length} invoices were issued for the boundary ${at}.`);
  // Nothing is left for the next boundary.
  await database.inTenant(tenantId, (tx) => moveClock(tx, crowd.testClockId));
  return measured;
}

async function postmasterOf(database: Ground['database']): Promise<number> {
  const [row] = await database.acrossTenants(({ em }) =>
    em.execute<{ pid: number }[]>('select pg_backend_pid() as pid'),
  );
  return parentOf(row?.pid ?? 0);
}
