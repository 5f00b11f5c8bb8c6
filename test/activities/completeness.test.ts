import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { makeCrowd } from './crowd.ts';
import { activitiesOn, STEPS } from './steps.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** Every statement of the process while the work is done, transaction control included. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const spy = vi.spyOn(pg.Client.prototype, 'query');
  try {
    await work();
    return spy.mock.calls.map(([query]) => (typeof query === 'string' ? query : String((query as unknown as { text: string }).text)));
  } finally {
    spy.mockRestore();
  }
}

async function billCrowd(children: number) {
  const { tenantId } = await api.tenant();
  const started = performance.now();
  const crowd = await makeCrowd(api.db.database, tenantId, { children, items: 10 });
  const made = performance.now();
  const input = { tenantId, ...crowd, runId: '' };
  const activities = activitiesOn(api.db.database);
  await api.db.database.inTenant(tenantId, (tx) => advanceTestClock(tx, crowd.testClockId, '2026-01-01T00:00:00.000Z', 'test'));
  await activities.moveClock(input);
  const times: [string, number, number][] = [];
  for (const name of ['planNextStep', ...STEPS] as const) {
    const before = performance.now();
    const statements = await statementsOf(async () => {
      const answer = await activities[name](input);
      if (name === 'planNextStep') input.runId = (answer as { step: { runId: string } }).step.runId;
    });
    times.push([name, statements.length, Math.round(performance.now() - before)]);
    if (process.env['DEBUG_SQL'] && children === 10) console.log(name, statements.map((s) => s.replace(/\s+/g, ' ').slice(0, 150)).join('\n'));
  }
  console.log(children, 'setup', Math.round(made - started), times, times.reduce((t, [, n]) => t + n, 0), times.reduce((t, [, , n]) => t + n, 0));
  return times;
}

test('try', async () => {
  await billCrowd(1);
  await billCrowd(10);
  await billCrowd(100);
  await billCrowd(1000);
}, 600_000);
