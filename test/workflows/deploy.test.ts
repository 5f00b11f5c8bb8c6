import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import { startWorker } from '../../src/worker.ts';
import { all, create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { eventually } from '../support/stack.ts';
import { replay, type WorkflowHistory } from './histories.ts';
import {
  booksOf,
  expectOnceOnly,
  lockWaits,
  openScene,
  passTo,
  type Scene,
  startTimeline,
  type Timeline,
  whileRunning,
} from './messages-scene.ts';

/** The last commit of each release, whose workflow code is taken from git, and whether it patched what it began. */
const RELEASES = [
  { version: '0.1.0', commit: '5e4dfe5', patches: false },
  { version: '0.2.0', commit: '1462506', patches: true },
] as const;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const git = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('git', args, { cwd: ROOT, maxBuffer: 2 ** 24 })).stdout;

/** A source archive has no history to take the releases from. */
const hasReleases = await Promise.all(RELEASES.map(({ commit }) => git('cat-file', '-e', `${commit}^{commit}`))).then(
  () => true,
  () => false,
);

/** The workflow code of a release, bundled. */
async function releasedWorkflows(commit: string): Promise<WorkflowBundleWithSourceMap> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-release-'));
  try {
    await mkdir(join(folder, 'workflows'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const files = await git('ls-tree', '--name-only', commit, 'src/workflows/');
    for (const path of files.trim().split('\n')) {
      const source = await git('show', `${commit}:${path}`);
      await writeFile(join(folder, 'workflows', basename(path)), source);
    }
    const logger = new DefaultLogger('ERROR', () => {});
    return await bundleWorkflowCode({ workflowsPath: join(folder, 'workflows', 'index.ts'), logger });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Seconds that a task which a dying worker still took may cost: a release missed an activity only after a minute. */
const LOST = 150;

let timeline: Timeline;

const isPatched = (history: WorkflowHistory): boolean =>
  (history.events ?? []).some(({ markerRecordedEventAttributes: marker }) => marker?.markerName === 'core_patch');

/** A payer on a test clock of its own, in the scene's tenant. */
async function openClock({ api }: Scene): Promise<{ clockId: string; payerId: string; groupId: string }> {
  const clock = await create(api, '/test-clocks', { name: 'deployed', now: '2026-01-01T00:00:00Z' });
  const payer = await create(api, '/customers', { name: 'On a clock', testClockId: clock.id });
  const { billingGroupId } = await create(api, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('on-a-clock', '31.00')],
  });
  await advance(api, clock.id, '2026-01-01T00:00:00Z');
  await untilReady(api, clock.id);
  return { clockId: clock.id, payerId: payer.id, groupId: billingGroupId };
}

const advance = (api: Scene['api'], clockId: string, to: string) =>
  create(api, `/test-clocks/${clockId}/advance`, { to });
const untilReady = (api: Scene['api'], clockId: string) =>
  eventually(async () => (await api.get(`/test-clocks/${clockId}`)).body.status === 'READY', 'the clock', LOST);
const tell = ({ api, groupId }: Scene, verb: string) => create(api, `/billing-groups/${groupId}/${verb}`, {});
const setPrice = ({ api }: Scene, amount: string) =>
  timeline.stack.api.db.query(
    `update prices set definition = definition || jsonb_build_object('amount', $2::text) where tenant_id = $1`,
    [api.tenantId, amount],
  );

/** Stops a worker whose activities wait for locks that the test holds: each attempt is broken off, to be made again later. */
async function stopHeld(worker: { stop(): Promise<void> }): Promise<void> {
  let isStopped = false;
  const stopped = worker.stop().finally(() => {
    isStopped = true;
  });
  await eventually(async () => {
    for (const { pid } of await lockWaits(timeline)) {
      await timeline.stack.api.db.query('select pg_cancel_backend($1)', [pid]);
    }
    return isStopped;
  }, 'the worker to stop');
  await stopped;
}

describe.skipIf(!hasReleases).each(RELEASES)('workflows that began under $version', ({ commit, patches }) => {
  const scenes = {} as Record<'asleep' | 'paused' | 'blocked' | 'running', Scene>;
  let present: { stop(): Promise<void> };
  /** What each had done when the release was stopped. */
  const begun = new Map<string, WorkflowHistory>();
  let clock: Awaited<ReturnType<typeof openClock>>;

  beforeAll(async () => {
    timeline = await startTimeline({ workers: 0 });
    const { stack } = timeline;
    const released = await startWorker({
      database: stack.api.db.database,
      temporal: { address: inject('temporalAddress'), namespace: 'default', taskQueue: stack.taskQueue },
      log: quietLog,
      publicUrl: stack.api.url,
      workflowBundle: await releasedWorkflows(commit),
    });
    for (const name of ['asleep', 'paused', 'blocked', 'running'] as const) scenes[name] = await openScene(timeline);
    clock = await openClock(scenes.running);
    await tell(scenes.paused, 'pause');
    await scenes.paused.settle();
    await setPrice(scenes.blocked, 'none');
    await passTo(scenes.blocked, '2026-02-01T00:00:01Z');
    expect((await scenes.blocked.state()).status).toBe('BLOCKED');

    // The others sleep; these two are in the middle of February's run, one of them while its clock is moved.
    await whileRunning(
      scenes.running,
      async () => {
        // One after the other: together they could be billed by one transaction.
        await advance(scenes.running.api, clock.clockId, '2026-02-01T00:00:00Z');
        await eventually(async () => (await lockWaits(timeline)).length === 1, 'the run on the clock to wait');
        await scenes.running.wake('2026-02-01T00:00:01Z');
        await eventually(async () => (await lockWaits(timeline)).length === 2, 'both runs to wait for their numbers');
      },
      () => stopHeld(released),
    );
    for (const id of Object.values(workflowIds())) {
      const history = await historyOf(id);
      expect(isPatched(history), `${id} ran under the release`).toBe(patches);
      begun.set(id, history);
    }
    present = await stack.addWorker();
  }, 120_000);
  afterAll(async () => {
    await present.stop();
    await timeline.stack.close();
  });

  const workflowIds = (): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(scenes).map(([name, { handle }]) => [name, handle.workflowId])),
    clock: workflowId.billingGroup(scenes.running.api.tenantId, clock.groupId),
  });
  const historyOf = (id: string): Promise<WorkflowHistory> =>
    timeline.stack.temporal.workflow.getHandle(id).fetchHistory();

  /** The same execution did more, under the code of today, to which all of it is what that would have done. */
  async function expectToHaveGoneOn(id: string): Promise<void> {
    const { events } = begun.get(id) ?? {};
    const history = await historyOf(id);
    expect(history.events?.slice(0, 1)).toEqual(events?.slice(0, 1));
    expect(history.events?.length).toBeGreaterThan(events?.length ?? 0);
    expect(isPatched(history)).toBe(true);
    await replay(history);
  }

  test.each(['asleep', 'paused', 'blocked', 'running'] as const)(
    'one that was %s goes on',
    async (name) => {
      const scene = scenes[name];
      timeline.set('2026-02-20T12:00:00Z');
      if (name === 'paused') await tell(scene, 'resume');
      if (name === 'blocked') {
        await setPrice(scene, '31.00');
        await tell(scene, 'resume');
      }
      await scene.settle();
      await passTo(scene, '2026-02-20T12:00:01Z', '2026-03-01T00:00:01Z', '2026-04-01T00:00:01Z');
      expect(await booksOf(scene)).toEqual([
        '2026-01-01: 31.00',
        '2026-02-01: 31.00',
        '2026-03-01: 31.00',
        '2026-04-01: 31.00',
      ]);
      if (name !== 'running') await expectOnceOnly(scene);
      expect(await scene.state()).toMatchObject({
        waitingFor: 'sleeping until 2026-05-01 00:00 UTC',
        status: 'ACTIVE',
        runId: null,
      });
      await expectToHaveGoneOn(scene.handle.workflowId);
    },
    240_000,
  );

  test('one on a clock that was being moved goes on, and so does the clock', async () => {
    const { api } = scenes.running;
    await untilReady(api, clock.clockId);
    await advance(api, clock.clockId, '2026-03-01T00:00:00Z');
    await untilReady(api, clock.clockId);
    const invoices = await all(api, `/customers/${clock.payerId}/invoices`);
    expect(invoices.map(({ issuedAt, total }) => `${issuedAt.slice(0, 10)}: ${total}`)).toEqual([
      '2026-01-01: 31.00',
      '2026-02-01: 31.00',
      '2026-03-01: 31.00',
    ]);
    await expectToHaveGoneOn(workflowIds()['clock'] ?? '');
  }, 240_000);
});
