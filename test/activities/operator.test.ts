import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GroupCommand } from '../../src/workflows/contract.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { billRun } from '../support/billing.ts';
import { rowsOf } from './dump.ts';
import { richScene, type Scene, sendClock } from './scene.ts';
import { activitiesOn } from './steps.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ clock: { now: () => '2026-06-01T12:00:00.000Z' } });
});
afterAll(() => api.close());

const attempts = (activityId: string) => activitiesOn(api.db.database, activityId);

/** The scene with its boundary's run open. */
async function openScene(): Promise<Scene & { runId: string }> {
  const scene = await richScene(api);
  await sendClock(api, scene);
  await attempts('move').moveClock(scene);
  const { step } = await attempts('plan').planNextStep(scene);
  return { ...scene, runId: step.kind === 'RUN' ? step.runId : '' };
}

const runOf = async (runId: string) => (await api.db.query('select * from billing_runs where id = $1', [runId]))[0];

describe('a run that fails', () => {
  test('is marked once, however often that is attempted, and counts each time that it is tried again', async () => {
    const scene = await openScene();
    const block = { tenantId: scene.tenantId, runId: scene.runId, reason: 'The price is broken.' };
    await attempts('block').blockRun(block);
    const once = await rowsOf(api.db, scene.tenantId);
    expect(await runOf(scene.runId)).toMatchObject({ status: 'BLOCKED', failures: 1, reason: block.reason });
    await attempts('block').blockRun(block);
    await Promise.all([attempts('block').blockRun(block), attempts('block').blockRun(block)]);
    expect(await rowsOf(api.db, scene.tenantId)).toEqual(once);

    await attempts('resume').commandGroup({ ...scene, command: { verb: 'resume' } });
    await attempts('block').blockRun({ ...block, reason: 'It still is.' });
    expect(await runOf(scene.runId)).toMatchObject({ status: 'BLOCKED', failures: 2, reason: 'It still is.' });
    const waits = await api.db.query<{ minutes: string }>(
      `select extract(epoch from r.retry_at - c.now_at) / 60 as minutes
         from billing_runs r join test_clocks c on c.id = r.test_clock_id where r.id = $1`,
      [scene.runId],
    );
    expect(Number(waits[0]?.minutes)).toBe(30);
  });

  test('says that the database is away, once, and forgets it when it goes on', async () => {
    const scene = await openScene();
    const note = { tenantId: scene.tenantId, runId: scene.runId, reason: 'DATABASE' };
    await attempts('note').noteRunReason(note);
    const once = await rowsOf(api.db, scene.tenantId);
    await attempts('note').noteRunReason(note);
    expect(await rowsOf(api.db, scene.tenantId)).toEqual(once);
    expect(await runOf(scene.runId)).toMatchObject({ status: 'OPEN', reason: 'DATABASE' });
    await billRun(api.db.database, scene.tenantId, scene.runId);
    expect(await runOf(scene.runId)).toMatchObject({ status: 'ISSUED', reason: null });
  });

  test('that is over is neither blocked nor given a reason', async () => {
    const scene = await openScene();
    await billRun(api.db.database, scene.tenantId, scene.runId);
    const issued = await rowsOf(api.db, scene.tenantId);
    await attempts('late').blockRun({ ...scene, reason: 'Too late.' });
    await attempts('late').noteRunReason({ ...scene, reason: 'DATABASE' });
    expect(await rowsOf(api.db, scene.tenantId)).toEqual(issued);
  });
});

describe('what an operator tells a group happens once', () => {
  const commands: GroupCommand[] = [
    { verb: 'billNow' },
    { verb: 'skip' },
    { verb: 'realign', anchorDate: '2026-03-15', effective: '2026-03-01' },
    { verb: 'pause' },
    { verb: 'resume' },
  ];

  test('however often the same activity is attempted', async () => {
    const scene = await richScene(api);
    for (const command of commands) {
      const attempt = () => attempts(command.verb).commandGroup({ ...scene, command });
      await attempt();
      const once = await rowsOf(api.db, scene.tenantId);
      await attempt();
      expect(await rowsOf(api.db, scene.tenantId), command.verb).toEqual(once);
    }
    const told = await api.db.query<{ action: string }>(
      `select action from audit_events where tenant_id = $1 and actor = 'temporal' order by id`,
      [scene.tenantId],
    );
    expect(told.map(({ action }) => action)).toEqual(commands.map(({ verb }) => `billing_group.${verb}`));
  });

  test('and again when it is told again', async () => {
    const scene = await richScene(api);
    await attempts('pause 1').commandGroup({ ...scene, command: { verb: 'pause' } });
    await attempts('resume 1').commandGroup({ ...scene, command: { verb: 'resume' } });
    await expect(attempts('resume 2').commandGroup({ ...scene, command: { verb: 'resume' } })).rejects.toMatchObject({
      type: 'BillingError',
      nonRetryable: true,
      details: ['group.status'],
    });
  });

  test('two attempts at once: one does it, the other does nothing or is told to try again', async () => {
    const scene = await richScene(api);
    const attempt = () => attempts('bill now').commandGroup({ ...scene, command: { verb: 'billNow' } });
    const outcomes = await Promise.allSettled([attempt(), attempt(), attempt()]);
    expect(outcomes.map(({ status }) => status)).toContain('fulfilled');
    const runs = await api.db.query(`select 1 from billing_runs where tenant_id = $1 and kind = 'BILL_NOW'`, [
      scene.tenantId,
    ]);
    expect(runs).toHaveLength(1);
  });
});
