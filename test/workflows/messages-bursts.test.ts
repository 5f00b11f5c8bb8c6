import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Reply } from '../support/api.ts';
import { all, create } from '../support/billing-shapes.ts';
import { eventually } from '../support/stack.ts';
import {
  booksOf,
  expectOnceOnly,
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

const BURST = 100;
/** What a wake that finds nothing new costs: the signal, a workflow task (3), the look, a timer canceled and one started. */
const EVENTS_OF_A_WAKE = 7;

const burst = ({ handle }: Scene) => Promise.all(Array.from({ length: BURST }, () => handle.signal('refresh')));
const historyLength = async ({ handle }: Scene): Promise<number> => (await handle.describe()).historyLength;
const charge = ({ api, payerId, groupId }: Scene, amount: string) =>
  create(api, '/charges', { customerId: payerId, billingGroupId: groupId, description: 'Once', amount });
const requested = async ({ api, groupId }: Scene): Promise<{ status: string; invoiceId: string | null }[]> =>
  (await all(api, `/billing-groups/${groupId}/runs`)).filter(({ kind }) => kind === 'BILL_NOW');
const commands = async ({ api, groupId }: Scene): Promise<string[]> =>
  (await all(api, `/audit-events?subjectType=billing_group&subjectId=${groupId}`))
    .filter(({ action }) => action === 'billing_group.billNow')
    .map(({ actor }) => actor);

test(`${BURST} signals at once, asleep and during a run: each boundary is billed once, and history grows by little`, async () => {
  const scene = await openScene(timeline);
  timeline.set('2026-01-20T12:00:00Z');
  const before = await historyLength(scene);
  await burst(scene);
  await scene.settle();
  const asleep = (await historyLength(scene)) - before;
  await whileRunning(
    scene,
    () => scene.wake('2026-02-01T00:00:01Z'),
    () => burst(scene),
  );
  await scene.settle();
  const running = (await historyLength(scene)) - before - asleep;
  await passTo(scene, '2026-03-01T00:00:01Z');

  expect(await booksOf(scene)).toEqual(['2026-01-01: 31.00', '2026-02-01: 31.00', '2026-03-01: 31.00']);
  await expectOnceOnly(scene);
  expect((await all(scene.api, `/billing-groups/${scene.groupId}/runs`)).length).toBe(3);
  expect(asleep, 'no wake costs more than one look').toBeLessThanOrEqual(BURST * EVENTS_OF_A_WAKE);
  // What comes during a run waits for its end and is one look.
  expect(running, 'a run, and one look after it').toBeLessThanOrEqual(BURST + 60);
});

test('bill now with one Idempotency-Key, sent twenty times at once, is one request', async () => {
  const scene = await openScene(timeline);
  timeline.set('2026-01-20T12:00:00Z');
  await charge(scene, '5.00');
  const headers = { 'Idempotency-Key': randomUUID() };
  const send = async (): Promise<Reply> =>
    eventually(async () => {
      const reply = await scene.api.post(`/billing-groups/${scene.groupId}/bill-now`, {}, headers);
      // Another one with this key is in flight: it says so, and when to come back.
      if (reply.status === 409) expect(reply.headers.get('retry-after')).not.toBeNull();
      return reply.status === 409 ? null : reply;
    }, 'an answer');
  const replies = await Promise.all(Array.from({ length: 20 }, send));
  expect(new Set(replies.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
  expect(replies.filter(({ headers: sent }) => sent.get('idempotent-replayed') !== 'true')).toHaveLength(1);
  await scene.settle();
  await passTo(scene, '2026-02-01T00:00:01Z');
  expect(await booksOf(scene)).toEqual(['2026-01-01: 31.00', 'at once on 2026-01-20: 5.00', '2026-02-01: 31.00']);
  expect((await requested(scene)).map(({ status }) => status)).toEqual(['ISSUED']);
  expect(await commands(scene)).toHaveLength(1);
});

test('bill now from many sides at once bills what waits once; the others find nothing', async () => {
  const scene = await openScene(timeline);
  timeline.set('2026-01-20T12:00:00Z');
  await charge(scene, '5.00');
  await charge(scene, '7.00');
  const updateId = randomUUID();
  const all20 = Array.from({ length: 20 }, () => scene.handle.executeUpdate('billNow'));
  const same = Array.from({ length: 5 }, () => scene.handle.executeUpdate('billNow', { updateId }));
  const byApi = Array.from({ length: 10 }, () => create(scene.api, `/billing-groups/${scene.groupId}/bill-now`, {}));
  await Promise.all([...all20, ...same, ...byApi]);
  await scene.settle();
  expect(await booksOf(scene)).toEqual(['2026-01-01: 31.00', 'at once on 2026-01-20: 12.00']);
  const runs = await requested(scene);
  expect(runs.map(({ status }) => status).toSorted()).toEqual([...Array(30).fill('EMPTY'), 'ISSUED']);
  const actors = await commands(scene);
  expect(
    actors.filter((actor) => actor === 'temporal'),
    'one update id is one command',
  ).toHaveLength(21);
  expect(actors).toHaveLength(31);
  await passTo(scene, '2026-02-01T00:00:01Z');
  expect((await booksOf(scene)).slice(2)).toEqual(['2026-02-01: 31.00']);
  await expectOnceOnly(scene);
});

test('the first event, waiting for members to settle and asked for from many sides, runs once', async () => {
  timeline.set('2026-01-01T09:00:00Z');
  const api = await timeline.stack.api.tenant();
  const payer = await create(api, '/customers', { name: 'Settling' });
  const { billingGroupId: groupId } = await create(api, '/subscriptions', {
    customerId: payer.id,
    prices: [{ code: 'base', type: 'RECURRING', model: 'FLAT', amount: '31.00' }],
  });
  const tell = () => api.post(`/billing-groups/${groupId}/bill-now`, {});
  const statuses = (await Promise.all(Array.from({ length: 20 }, tell))).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200]));
  const runs = await eventually(async () => {
    const found = await all(api, `/billing-groups/${groupId}/runs`);
    return found.every(({ status }) => status === 'ISSUED' || status === 'EMPTY') ? found : null;
  }, 'the runs to end');
  expect(runs.filter(({ status }) => status === 'ISSUED')).toMatchObject([{ kind: 'BOUNDARY' }]);
  const invoices = await all(api, `/customers/${payer.id}/invoices`);
  expect(invoices.map(({ number, total }) => `${number} ${total}`)).toEqual(['INV-0001 31.00']);
});
