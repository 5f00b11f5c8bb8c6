import { getHeapStatistics } from 'node:v8';
import { billRun } from '../src/db/billing/bill-runs.ts';
import { moveClock } from '../src/db/billing/move-clock.ts';
import { planStep } from '../src/db/billing/plan-step.ts';
import { previewInvoices } from '../src/db/invoices/preview.ts';
import { advanceTestClock } from '../src/db/test-clocks.ts';
import { makeCrowd } from '../test/activities/crowd.ts';
import type { Bed, Ground } from './bed.ts';
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

/** One invoice for a payer and all its children: statements, time and memory as their number grows. */
export async function measureConsolidated(bed: Bed): Promise<Finding> {
  const sent = countStatements();
  const rows: string[][] = [];
  for (const [children, items] of SHAPES) {
    const measured = await billShape(bed, { children, items }, sent);
    const { ms, statements, node, postgres, heapMb, previewMs } = measured[Math.floor(measured.length / 2)] as Measured;
    const lines = children * items;
    rows.push([
      whole(children),
      whole(lines),
      whole(statements),
      whole(ms),
      whole((ms * 1000) / lines),
      whole((node * 1000) / lines),
      whole((postgres * 1000) / lines),
      times(KILL_BILL_CPU_MS / ((node + postgres) / children), 1),
      whole(heapMb),
      times(previewMs, ms),
    ]);
  }
  return {
    title: `One invoice for a payer and all its children, due to issued: plan and run, the median of ${MEASURED} boundaries`,
    columns: [
      'children',
      'lines',
      'statements',
      'ms',
      'µs a line',
      'CPU µs node',
      'PostgreSQL',
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
): Promise<Measured[]> {
  const ground = await bed.open();
  const { database, tenantId } = ground;
  const crowd = await makeCrowd(database, tenantId, shape);
  const measured: Measured[] = [];
  for (let month = 0; month < WARM + MEASURED; month += 1) {
    const one = await billBoundary(ground, crowd, new Date(Date.UTC(2026, month, 1)).toISOString(), sent);
    if (month >= WARM) measured.push(one);
  }
  await ground.close();
  return measured.toSorted((a, b) => a.ms - b.ms);
}

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
  const { ms } = await timed(async () => {
    const { step } = await database.inTenant(tenantId, (tx) => planStep(tx, crowd.groupId));
    if (step.kind !== 'RUN') throw new Error(`The group has nothing to run: ${step.kind}.`);
    const isBilled = await database.inTenant(tenantId, (tx) => billRun(tx, step.runId));
    if (!isBilled) throw new Error(`Run ${step.runId} was not billed at once.`);
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
