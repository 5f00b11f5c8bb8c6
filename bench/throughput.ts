import type { Bed, Ground } from './bed.ts';
import { advance } from './history.ts';
import { makeCharges, makePayers } from './payers.ts';
import { type Finding, inParallel, timed, times, whole } from './report.ts';
import { issue, prepare } from './steps.ts';

const GROUPS = 200;
const ISSUES = 200;

/** Groups that are all due at the same instant, by one worker, through Temporal. */
export async function measureRuns(bed: Bed): Promise<Finding> {
  const ground = await bed.open();
  await ground.startWorker();
  const testClockId = await makePayers(ground, GROUPS);
  const rows: string[][] = [];
  let first = 0;
  for (const [what, to] of [
    ['the first boundary, their workflows begin', '2026-01-01T00:00:00.000Z'],
    ['the second, they wake', '2026-02-01T00:00:00.000Z'],
    ['the third', '2026-03-01T00:00:00.000Z'],
  ] as const) {
    const { ms } = await timed(() => advance(ground, testClockId, to));
    if (first === 0) first = ms;
    rows.push([what, whole(GROUPS), (GROUPS / (ms / 1000)).toFixed(1), times(first, ms)]);
  }
  await ground.close();
  return {
    title: `${GROUPS} groups due at the same instant, one worker: clock, signals, workflows, runs, invoices`,
    columns: ['boundary', 'runs', 'runs a second', 'as fast'],
    rows,
  };
}

/** Numbers of one entity are given one after the other: what that costs when many ask at once. */
export async function measureIssues(bed: Bed): Promise<Finding> {
  const rows: string[][] = [];
  let alone = 0;
  for (const width of [1, 4, 16]) {
    const ground = await bed.open();
    const runs = await makeCharges(ground, ISSUES);
    const before = await timed(() => inParallel(runs, width, (runId) => prepare(ground, runId)));
    const { ms } = await timed(() => inParallel(runs, width, (runId) => issue(ground, runId)));
    await assertGapless(ground);
    await ground.close();
    if (alone === 0) alone = ms;
    rows.push([
      `${width} at a time`,
      whole(ISSUES),
      whole(ISSUES / (ms / 1000)),
      times(alone, ms),
      times(ms, before.ms),
    ]);
  }
  return {
    title: `${ISSUES} invoices of one entity: the last step of each run alone`,
    columns: ['issued', 'invoices', 'invoices a second', 'as fast', 'of all the steps before'],
    rows,
  };
}

async function assertGapless({ database, tenantId }: Ground): Promise<void> {
  const rows = await database.inTenant(tenantId, (tx) =>
    tx.db.selectFrom('invoices').where('number', 'is not', null).orderBy('number').select('number').execute(),
  );
  const isGapless = rows.every(({ number }, index) => number === `INV-${String(index + 1).padStart(4, '0')}`);
  if (!isGapless || rows.length !== ISSUES) throw new Error('The numbers have a gap.');
}
