import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Client } from '../support/api.ts';
import { all, create } from '../support/billing-shapes.ts';
import {
  booksOf,
  expectOnceOnly,
  type Hold,
  openScene,
  passTo,
  type Scene,
  startTimeline,
  type Timeline,
  whileRunning,
} from './messages-scene.ts';

let timeline: Timeline;
beforeAll(async () => {
  timeline = await startTimeline();
});
afterAll(() => timeline.stack.close());

/** An entity that may be suspended, which the default may not; and a coupon, so that a run locks redemptions in its middle. */
async function branch(api: Client): Promise<Record<string, unknown>> {
  const entity = await create(api, '/billing-entities', {
    entityCode: 'BRANCH',
    displayName: 'Branch',
    countryCode: 'US',
    baseCurrency: 'USD',
  });
  await create(api, '/coupons', {
    code: 'NONE',
    name: 'Nearly none',
    type: 'FIXED',
    amount: '1.00',
    currency: 'USD',
    duration: 'FOREVER',
  });
  return { billingEntityId: entity.id };
}

async function openBranch(): Promise<Scene> {
  const scene = await openScene(timeline, branch);
  await create(scene.api, '/coupon-redemptions', { couponCode: 'NONE', customerId: scene.payerId });
  return scene;
}

async function moveEntity({ api }: Scene, action: 'suspend' | 'reactivate'): Promise<void> {
  const entities = await all(api, '/billing-entities');
  const { id } = entities.find(({ entityCode }) => entityCode === 'BRANCH');
  await create(api, `/billing-entities/${id}/${action}`, {});
}

const runsOf = async ({ api, groupId }: Scene): Promise<string[]> =>
  (await all(api, `/billing-groups/${groupId}/runs`)).map(
    ({ boundaryAt, status, reason }) => `${boundaryAt.slice(0, 10)} ${status} ${reason}`,
  );

/** Reactivated on 20 March: what waited is issued then, in order; April as ever. */
async function expectComeBack(scene: Scene, issuedBefore: readonly string[]): Promise<void> {
  await passTo(scene, '2026-03-01T00:00:01Z');
  const waiting = ['2026-02-01: 30.00', '2026-03-01: 30.00'].slice(issuedBefore.length);
  expect(await booksOf(scene)).toEqual(['2026-01-01: 31.00', ...issuedBefore]);
  expect((await runsOf(scene)).slice(1)).toEqual([
    ...issuedBefore.map((one) => `${one.slice(0, 10)} ISSUED null`),
    ...waiting.map((one) => `${one.slice(0, 10)} WAITING ENTITY_SUSPENDED`),
  ]);
  expect((await scene.api.get(`/billing-groups/${scene.groupId}`)).body.status).toBe('ACTIVE');

  timeline.set('2026-03-20T12:00:00Z');
  await moveEntity(scene, 'reactivate');
  await scene.settle();
  const invoices = await all(scene.api, `/customers/${scene.payerId}/invoices`);
  expect(invoices.map(({ issueDate }) => issueDate)).toEqual([
    '2026-01-01',
    ...issuedBefore.map((one) => one.slice(0, 10)),
    ...waiting.map(() => '2026-03-20'),
  ]);
  await passTo(scene, '2026-04-01T00:00:01Z');
  expect(await booksOf(scene)).toEqual([
    '2026-01-01: 31.00',
    '2026-02-01: 30.00',
    '2026-03-01: 30.00',
    '2026-04-01: 30.00',
  ]);
  await expectOnceOnly(scene);
  expect((await scene.state()).waitingFor).toBe('sleeping until 2026-05-01 00:00 UTC');
}

const holds: readonly (Hold & { when: string })[] = [
  { when: 'in the middle of a run', at: 'coupon_redemptions' },
  { when: 'in the middle of a run that is tried again, step by step', at: 'coupon_redemptions', visibly: true },
  { when: 'while a run takes its number', at: 'number_streams' },
  { when: 'while a run that is tried again takes its number', at: 'number_streams', visibly: true },
];

test.each(holds)('an entity suspended $when: nothing is issued after that, until it comes back', async (hold) => {
  const scene = await openBranch();
  const { wasThrough } = await whileRunning(
    scene,
    () => scene.wake('2026-02-01T00:00:01Z'),
    () => moveEntity(scene, 'suspend'),
    hold,
  );
  await scene.settle();
  // Either the suspension came first, and the run waits for the entity; or it had to wait until the run was through.
  await expectComeBack(scene, wasThrough ? [] : ['2026-02-01: 30.00']);
});

test('an entity suspended while its group sleeps: boundaries wait, and are caught up in order', async () => {
  const scene = await openBranch();
  timeline.set('2026-01-20T12:00:00Z');
  await moveEntity(scene, 'suspend');
  await scene.settle();
  await passTo(scene, '2026-02-01T00:00:01Z');
  await expectComeBack(scene, []);
});
