import { getHeapStatistics } from 'node:v8';
import { advanceGroups } from '../src/db/billing/advance-groups.ts';
import { billRun } from '../src/db/billing/bill-runs.ts';
import { previewInvoices } from '../src/db/invoices/preview.ts';
import { workflowId } from '../src/workflows/contract.ts';
import { makeRealCrowd } from '../test/activities/crowd.ts';
import pg from 'pg';
import type { Bed, Ground } from './bed.ts';
import { countStatements } from './count-statements.ts';
import { type Finding, middleOf, timed, times, whole } from './report.ts';
import { assertIssued, type Cpu, startClock, workBoundary, type Worked } from './work-boundary.ts';

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
const WARM = 5;
/** Of an invoice of 100 000 lines fewer: each takes many seconds, and varies less. */
const measuredOf = (lines: number): number => (lines > 10_000 ? 5 : 10);
/** Before the first boundary, 2026-01-01. */
const MADE_AT = '2025-12-31T12:00:00.000Z';

/** What Kill Bill's tuned set-up spends on a child of one line when a thousand are billed to one parent, in milliseconds. */
const KILL_BILL_CPU_MS = 86;

/** What a boundary took, called as its workflow calls it. */
interface Called {
  readonly ms: number;
  readonly statements: number;
  readonly heapMb: number;
  readonly previewMs: number;
}

/** One invoice for a payer and all its children: statements, time, CPU and memory as their number grows. */
export async function measureConsolidated(bed: Bed): Promise<Finding> {
  const sent = countStatements();
  const rows: string[][] = [];
  for (const [children, items] of SHAPES) {
    const { called, worked } = await billShape(bed, { children, items }, sent);
    const lines = children * items;
    const { node, postgres, temporal } = worked;
    rows.push([
      whole(children),
      whole(lines),
      whole(called.statements),
      whole(called.ms),
      whole((called.ms * 1000) / lines),
      whole(worked.ms),
      whole(node),
      whole(postgres),
      whole(temporal),
      whole(((node + postgres + temporal) * 1000) / children),
      times(KILL_BILL_CPU_MS / ((node + postgres + temporal) / children), 1),
      whole(called.heapMb),
      times(called.previewMs, called.ms),
    ]);
  }
  return {
    title:
      'One invoice for a payer and all its children, from due to asleep again, the median of ten boundaries, of ' +
      '100 000 lines of five; its workflow in real time, CPU above what rest costs, the mean',
    columns: [
      'children',
      'lines',
      'statements',
      'ms',
      'µs a line',
      'by its workflow ms',
      'CPU ms node',
      'PostgreSQL',
      'Temporal',
      'µs a child',
      "less than Kill Bill's",
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
): Promise<{ called: Called; worked: Worked }> {
  const clock = startClock();
  clock.set(MADE_AT);
  const ground = await bed.open({ clock });
  const watch = new pg.Client({ connectionString: ground.database.ownerUrl });
  await watch.connect();
  const { groupId } = await makeRealCrowd(ground.database, ground.tenantId, shape);
  const each = WARM + measuredOf(shape.children * shape.items);
  const boundaries = Array.from({ length: 2 * each }, (_, month) => new Date(Date.UTC(2026, month, 1)).toISOString());
  const called: Called[] = [];
  for (const at of boundaries.splice(0, each)) {
    clock.set(at);
    called.push(await callBoundary(ground, groupId, sent));
    await assertIssued(watch, at);
  }
  await ground.startWorker();
  const handle = bed.temporal.workflow.getHandle(workflowId.billingGroup(ground.tenantId, groupId));
  const worked: Worked[] = [];
  for (const at of boundaries) worked.push(await workBoundary({ bed, watch, clock, handle }, at));
  await watch.end();
  await ground.close();
  return { called: middleOf(called.slice(WARM), ({ ms }) => ms), worked: summaryOf(worked.slice(WARM)) };
}

/** The kernel counts CPU in hundredths of a second: the mean says more than the median. */
function summaryOf(worked: readonly Worked[]): Worked {
  const mean = (part: keyof Cpu) => worked.reduce((sum, one) => sum + one[part], 0) / worked.length;
  return {
    ms: middleOf(worked, ({ ms }) => ms).ms,
    node: mean('node'),
    postgres: mean('postgres'),
    temporal: mean('temporal'),
  };
}

async function callBoundary(
  { database, tenantId }: Ground,
  groupId: string,
  sent: { statements: number },
): Promise<Called> {
  const preview = await timed(() =>
    database.inTenant(tenantId, (tx) => previewInvoices(tx, groupId), { readOnly: true }),
  );
  const before = sent.statements;
  // As its workflow does: what is small is billed by the first look; what is large by itself, and then it is asked what is next.
  const look = async () => (await database.inTenant(tenantId, (tx) => advanceGroups(tx, [groupId]))).get(groupId);
  const { ms } = await timed(async () => {
    const plan = await look();
    if (plan?.step.kind !== 'RUN') return;
    const { runId } = plan.step;
    const isBilled = await database.inTenant(tenantId, (tx) => billRun(tx, runId));
    if (!isBilled) throw new Error(`Run ${runId} was not billed at once.`);
    await look();
  });
  const statements = sent.statements - before;
  return { ms, statements, heapMb: getHeapStatistics().used_heap_size / 2 ** 20, previewMs: preview.ms };
}
