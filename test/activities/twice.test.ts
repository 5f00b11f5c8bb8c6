import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { BEFORE_COMMIT, crashing } from './broken-database.ts';
import { comparableRowsOf, type Dump, rowsOf } from './dump.ts';
import { richScene, type Scene, sendClock } from './scene.ts';
import { activitiesOn, STEPS } from './steps.ts';

let api: TestApi;
/** All rows of a tenant whose boundary was carried out with each activity done once, alone. */
let once: Dump;
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => '2026-06-01T12:00:00.000Z' } });
  once = await rowsAfter((work) => work());
});
afterAll(() => api.close());

/** What a boundary takes from the clock's arrival to the sleep after it, in order. */
const STAGES = ['moveClock', 'planNextStep', ...STEPS, 'planNextStep', 'moveClock'] as const;
type Stage = (typeof STAGES)[number];

/** Does a stage of a scene, `by` another database when that is given, which may fail where ours does not. */
type Work = (by?: Database) => Promise<unknown>;

/** Carries the boundary of a new scene out; `carry` says how each stage is done. */
async function rowsAfter(carry: (work: Work, stage: Stage, scene: Scene) => Promise<unknown>): Promise<Dump> {
  const scene = await richScene(api);
  await sendClock(api, scene);
  const { tenantId, testClockId, groupId } = scene;
  let runId = '';
  for (const stage of STAGES) {
    if (stage === 'collectCharges') runId = await openRun(tenantId);
    const work: Work = (by = api.db.database) => activitiesOn(by)[stage]({ tenantId, testClockId, groupId, runId });
    await carry(work, stage, scene);
  }
  return comparableRowsOf(api.db, tenantId);
}

const openRun = async (tenantId: string): Promise<string> => {
  const [run] = await api.db.query<{ id: string }>(
    `select id from billing_runs where tenant_id = $1 and status = 'OPEN'`,
    [tenantId],
  );
  if (run === undefined) throw new Error('No run is open.');
  return run.id;
};

test('the scene writes to every table that a run can write to', () => {
  const empty = Object.keys(once).filter((table) => once[table]?.length === 0);
  expect(empty.toSorted()).toEqual([
    'customer_contacts',
    'idempotency_keys',
    'payments',
    'plan_versions',
    'plans',
    'skipped_boundaries',
  ]);
  expect(once['credit_reservations']).toHaveLength(2);
  expect(once['invoice_lines']).toContainEqual(
    expect.objectContaining({ kind: 'PRORATION_CREDIT', amount: -10.8, tax_percent: 18.75 }),
  );
  expect(once['coupon_reservations']).toContainEqual(
    expect.objectContaining({ invoice_id: 'inv#003', amount: 62, remainder: 0, status: 'CAPTURED' }),
  );
});

test('every activity of a run done twice gives the same rows', async () => {
  const rows = await rowsAfter(async (work, stage, { tenantId }) => {
    const answer = await work();
    const written = await rowsOf(api.db, tenantId);
    expect(await work(), stage).toEqual(answer);
    expect(await rowsOf(api.db, tenantId), stage).toEqual(written);
  });
  expect(rows).toEqual(once);
});

test('a whole run done twice gives the same rows', async () => {
  const done: Work[] = [];
  const rows = await rowsAfter(async (work, stage, { tenantId }) => {
    await work();
    if (STEPS.some((step) => step === stage)) done.push(work);
    if (stage !== 'issueInvoice') return;
    const written = await rowsOf(api.db, tenantId);
    for (const again of done) await again();
    expect(await rowsOf(api.db, tenantId)).toEqual(written);
  });
  expect(rows).toEqual(once);
});

test('two attempts of every activity at once give the same rows', async () => {
  const rows = await rowsAfter((work) => Promise.all([work(), work()]));
  expect(rows).toEqual(once);
});

describe('an activity that fails after its work, before its commit, leaves nothing, and the run goes on', () => {
  test.each([...new Set(STAGES)])('%s', async (failing) => {
    const rows = await rowsAfter(async (work, stage, { tenantId }) => {
      if (stage === failing) {
        const before = await rowsOf(api.db, tenantId);
        await expect(work(crashing(api.db.database))).rejects.toThrow(BEFORE_COMMIT);
        expect(await rowsOf(api.db, tenantId)).toEqual(before);
      }
      await work();
    });
    expect(rows).toEqual(once);
  });
});
