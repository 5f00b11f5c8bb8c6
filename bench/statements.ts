import pg from 'pg';
import { moveClock } from '../src/db/billing/move-clock.ts';
import { planStep } from '../src/db/billing/plan-step.ts';
import { previewInvoices } from '../src/db/invoices/preview.ts';
import { advanceTestClock } from '../src/db/test-clocks.ts';
import { type Crowd, makeCrowd } from '../test/activities/crowd.ts';
import type { Bed, Ground } from './bed.ts';
import { type Finding, timed, times, whole } from './report.ts';
import { issue, prepare } from './steps.ts';

const ITEMS = 10;

/** Counts what every connection of this process sends while some work is done. */
async function counted<T>(work: () => Promise<T>): Promise<{ answer: T; statements: number; ms: number }> {
  let statements = 0;
  const { query } = pg.Client.prototype;
  const spy = function (this: pg.Client, ...given: unknown[]): unknown {
    statements += 1;
    return Reflect.apply(query as (...given: unknown[]) => unknown, this, given);
  };
  pg.Client.prototype.query = spy as typeof query;
  try {
    const done = await timed(work);
    return { ...done, statements };
  } finally {
    pg.Client.prototype.query = query;
  }
}

/** A run from its plan to its issue; one invoice for the payer and all its children. */
async function billCrowd(ground: Ground, { groupId }: Crowd): Promise<void> {
  const { step } = await ground.database.inTenant(ground.tenantId, (tx) => planStep(tx, groupId));
  if (step.kind !== 'RUN') throw new Error(`The group has nothing to run: ${step.kind}.`);
  await prepare(ground, step.runId);
  await issue(ground, step.runId);
}

/** Statements and time of one run as its group grows; and what a preview of it costs beside it. */
export async function measureStatements(bed: Bed): Promise<Finding> {
  const ground = await bed.open();
  const { database, tenantId } = ground;
  const rows: string[][] = [];
  let first = 0;
  for (const children of [1, 10, 100, 1000]) {
    const crowd = await makeCrowd(database, tenantId, { children, items: ITEMS });
    await database.inTenant(tenantId, (tx) =>
      advanceTestClock(tx, crowd.testClockId, '2026-01-01T00:00:00.000Z', 'bench'),
    );
    await database.inTenant(tenantId, (tx) => moveClock(tx, crowd.testClockId));
    const preview = await timed(() =>
      database.inTenant(tenantId, (tx) => previewInvoices(tx, crowd.groupId), { readOnly: true }),
    );
    const { statements, ms } = await counted(() => billCrowd(ground, crowd));
    const lines = children * ITEMS;
    if (first === 0) first = ms;
    // prettier-ignore
    rows.push([whole(children), whole(lines), whole(statements), whole(ms), times(ms, first), (ms / lines).toFixed(2), times(preview.ms, ms)]);
  }
  await ground.close();
  return {
    title: 'One run, from the plan to the number: children of ten items each, all on one invoice',
    columns: ['children', 'lines', 'statements', 'ms', 'of the first', 'ms a line', 'its preview'],
    rows,
  };
}
