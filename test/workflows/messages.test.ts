import { afterAll, beforeAll, expect, test } from 'vitest';
import { create, flat } from '../support/billing-shapes.ts';
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

/** A message, sent while the group sleeps on 20 January or while it runs the boundary of 1 February, and the books after. */
interface Case {
  readonly message: string;
  readonly send: (scene: Scene) => Promise<unknown>;
  /** Invoices after the one of January. What came after a cut-off is on the next one (RT5). */
  readonly asleep: readonly string[];
  readonly running: readonly string[];
  /** Sent on 20 March, to undo what stops the group. */
  readonly undo?: (scene: Scene) => Promise<unknown>;
  /** What the group had billed by then, stopped as it was. */
  readonly stopped?: { readonly asleep: readonly string[]; readonly running: readonly string[] };
  /** What the workflow waits for at last. */
  readonly waitingFor?: string;
}

const UNCHANGED = ['2026-02-01: 31.00', '2026-03-01: 31.00', '2026-04-01: 31.00'];
const TO_THE_TENTH = ['2026-02-10: 40.00', '2026-03-10: 31.00'];

const tell =
  (verb: string, body: object = {}) =>
  (scene: Scene) =>
    create(scene.api, `/billing-groups/${scene.groupId}/${verb}`, body);
const update =
  (verb: string, ...args: unknown[]) =>
  ({ handle }: Scene) =>
    handle.executeUpdate(verb, { args: args as [] });
const charge = ({ api, payerId, groupId }: Scene) =>
  create(api, '/charges', { customerId: payerId, billingGroupId: groupId, description: 'Once', amount: '5.00' });
const refused = (message: (scene: Scene) => Promise<unknown>) => async (scene: Scene) => {
  const said: Error = await message(scene).then(
    () => new Error('not refused'),
    (error) => error,
  );
  expect(`${said.message} ${(said.cause as Error | undefined)?.message}`).toContain('still has something to bill');
};
const both =
  (...messages: ((scene: Scene) => Promise<unknown>)[]) =>
  async (scene: Scene) => {
    for (const send of messages) await send(scene);
  };

const cases: readonly Case[] = [
  { message: 'refresh', send: ({ handle }) => handle.signal('refresh'), asleep: UNCHANGED, running: UNCHANGED },
  {
    message: 'pause, and resume in March',
    send: tell('pause'),
    undo: tell('resume'),
    // What is under way is finished.
    stopped: { asleep: [], running: ['2026-02-01: 31.00'] },
    asleep: UNCHANGED,
    running: UNCHANGED,
  },
  { message: 'pause and resume', send: both(tell('pause'), tell('resume')), asleep: UNCHANGED, running: UNCHANGED },
  {
    message: 'skip of the next boundary',
    send: tell('skip'),
    asleep: ['2026-03-01: 62.00', '2026-04-01: 31.00'],
    running: ['2026-02-01: 31.00', '2026-04-01: 62.00'],
  },
  { message: 'close', send: refused(tell('close')), asleep: UNCHANGED, running: UNCHANGED },
  {
    message: 'realign to the 10th',
    send: tell('realign', { anchorDate: '2026-01-10' }),
    asleep: TO_THE_TENTH,
    running: ['2026-02-01: 31.00', '2026-02-10: 9.96', '2026-03-10: 31.00'],
    waitingFor: 'sleeping until 2026-04-10 00:00 UTC',
  },
  {
    message: 'bill now, of a charge',
    send: both(charge, tell('bill-now')),
    asleep: ['at once on 2026-01-20: 5.00', ...UNCHANGED],
    running: ['2026-02-01: 31.00', 'at once on 2026-02-01: 5.00', '2026-03-01: 31.00', '2026-04-01: 31.00'],
  },
  {
    message: 'a new member',
    send: ({ api, payerId, groupId }) =>
      create(api, '/subscriptions', { customerId: payerId, billingGroupId: groupId, prices: [flat('more', '62.00')] }),
    asleep: ['2026-02-01: 117.00', '2026-03-01: 93.00', '2026-04-01: 93.00'],
    // It begins on the day of a boundary that ran: an invoice of its own (RP1).
    running: ['2026-02-01: 31.00', 'at once on 2026-02-01: 62.00', '2026-03-01: 93.00', '2026-04-01: 93.00'],
  },
  {
    message: 'the end of its only member, now',
    send: ({ api, subscriptionId }) => create(api, `/subscriptions/${subscriptionId}/cancel`, { effective: 'NOW' }),
    asleep: ['2026-02-01: 0.00'],
    running: ['2026-02-01: 31.00', '2026-03-01: 0.00'],
    waitingFor: 'idle: NOTHING_DUE',
  },
  {
    message: 'the move of its only member to another group',
    send: async ({ api, payerId, subscriptionId }) => {
      const other = await create(api, '/billing-groups', {
        payerCustomerId: payerId,
        anchorDate: '2026-01-10',
        settleMinutes: 0,
      });
      const moved = await api.put(`/subscriptions/${subscriptionId}`, { billingGroupId: other.id });
      expect(moved.status).toBe(200);
    },
    asleep: TO_THE_TENTH,
    running: ['2026-02-01: 31.00', '2026-02-10: 9.96', '2026-03-10: 31.00'],
    waitingFor: 'idle: NOTHING_DUE',
  },
  {
    message: 'a one-time charge',
    send: charge,
    asleep: ['2026-02-01: 36.00', '2026-03-01: 31.00', '2026-04-01: 31.00'],
    running: ['2026-02-01: 31.00', '2026-03-01: 36.00', '2026-04-01: 31.00'],
  },
  {
    message: 'a coupon',
    send: async ({ api, payerId }) => {
      await create(api, '/coupons', { code: 'TENTH', name: 'Tenth', type: 'PERCENT', percent: '10' });
      await create(api, '/coupon-redemptions', { couponCode: 'TENTH', customerId: payerId });
    },
    asleep: ['2026-02-01: 27.90', '2026-03-01: 31.00', '2026-04-01: 31.00'],
    running: ['2026-02-01: 31.00', '2026-03-01: 27.90', '2026-04-01: 31.00'],
  },
  {
    message: 'a credit',
    send: ({ api, payerId }) =>
      create(api, '/credits', { customerId: payerId, amount: '10.00', currency: 'USD', kind: 'PROMOTIONAL' }),
    asleep: ['2026-02-01: 31.00, due 21.00', '2026-03-01: 31.00', '2026-04-01: 31.00'],
    running: ['2026-02-01: 31.00', '2026-03-01: 31.00, due 21.00', '2026-04-01: 31.00'],
  },
];

/** The same verbs through Temporal: what the API's case says holds for them. */
const asUpdates: readonly (Omit<Case, 'asleep' | 'running'> & { like: string })[] = [
  { like: 'pause, and resume in March', message: 'pause', send: update('pause'), undo: update('resume') },
  { like: 'pause and resume', message: 'pause, resume', send: both(update('pause'), update('resume')) },
  { like: 'skip of the next boundary', message: 'skip', send: update('skip') },
  { like: 'close', message: 'close', send: refused(update('close')) },
  { like: 'realign to the 10th', message: 'realign', send: update('realign', { anchorDate: '2026-01-10' }) },
  { like: 'bill now, of a charge', message: 'billNow', send: both(charge, update('billNow')) },
];

async function toApril(scene: Scene, one: Case, when: 'asleep' | 'running'): Promise<void> {
  const { message, undo, stopped, waitingFor } = one;
  await passTo(scene, '2026-02-10T00:00:01Z', '2026-03-01T00:00:01Z', '2026-03-10T00:00:01Z');
  if (stopped !== undefined) {
    expect(await booksOf(scene), `${message}: stopped`).toEqual(['2026-01-01: 31.00', ...stopped[when]]);
    expect(await scene.state()).toMatchObject({ waitingFor: 'idle: PAUSED', status: 'PAUSED' });
  }
  if (undo !== undefined) {
    timeline.set('2026-03-20T12:00:00Z');
    await undo(scene);
    await scene.settle();
  }
  await passTo(scene, '2026-04-01T00:00:01Z');
  expect(await booksOf(scene), message).toEqual(['2026-01-01: 31.00', ...one[when]]);
  await expectOnceOnly(scene);
  const { body: group } = await scene.api.get(`/billing-groups/${scene.groupId}`);
  expect(await scene.state()).toEqual({
    waitingFor: waitingFor ?? 'sleeping until 2026-05-01 00:00 UTC',
    status: group.status,
    nextBillingAt: group.nextBillingAt,
    runId: null,
  });
  expect(group.status).toBe('ACTIVE');
}

async function expectRightAsleep(one: Case): Promise<void> {
  const scene = await openScene(timeline);
  timeline.set('2026-01-20T12:00:00Z');
  await one.send(scene);
  await scene.settle();
  await passTo(scene, '2026-02-01T00:00:01Z');
  await toApril(scene, one, 'asleep');
}

async function expectRightRunning(one: Case, hold: Hold = {}): Promise<void> {
  const scene = await openScene(timeline);
  await whileRunning(
    scene,
    () => scene.wake('2026-02-01T00:00:01Z'),
    () => one.send(scene),
    hold,
  );
  await scene.settle();
  await toApril(scene, one, 'running');
}

test.each(cases)('$message, while the group sleeps', (one) => expectRightAsleep(one));
test.each(cases)('$message, while a run is under way', (one) => expectRightRunning(one));
test.each(cases)('$message, while a run is tried again', (one) => expectRightRunning(one, { visibly: true }));

const updates = asUpdates.map(({ like, ...one }) => ({ ...cases.find(({ message }) => message === like)!, ...one }));
test.each(updates)('the update $message, while the group sleeps', (one) => expectRightAsleep(one));
test.each(updates)('the update $message, while a run is tried again', (one) =>
  expectRightRunning(one, { visibly: true }),
);

test.each([
  { by: 'the API', close: tell('close') },
  { by: 'an update', close: update('close') },
])(
  'a group that has nothing left to bill is closed by $by: its workflow ends, and still answers',
  async ({ close }) => {
    const scene = await openScene(timeline);
    timeline.set('2026-01-20T12:00:00Z');
    await create(scene.api, `/subscriptions/${scene.subscriptionId}/cancel`, { effective: 'PERIOD_END' });
    await scene.settle();
    await close(scene);
    await scene.handle.result();
    expect(await scene.state()).toMatchObject({ waitingFor: 'closed', status: 'CLOSED', nextBillingAt: null });
    expect((await scene.api.get(`/billing-groups/${scene.groupId}`)).body.status).toBe('CLOSED');
    expect(await booksOf(scene)).toEqual(['2026-01-01: 31.00']);
  },
);

test('a group is closed while its last run is under way: that is finished first', async () => {
  const scene = await openScene(timeline);
  timeline.set('2026-01-20T12:00:00Z');
  await charge(scene);
  await create(scene.api, `/subscriptions/${scene.subscriptionId}/cancel`, { effective: 'PERIOD_END' });
  await scene.settle();
  const wakes = () => scene.wake('2026-02-01T00:00:01Z');
  const { wasThrough } = await whileRunning(scene, wakes, () => tell('close')(scene));
  expect(wasThrough, 'it waits for the run').toBe(false);
  await scene.handle.result();
  expect(await scene.state()).toMatchObject({ waitingFor: 'closed', status: 'CLOSED', nextBillingAt: null });
  expect(await booksOf(scene)).toEqual(['2026-01-01: 31.00', '2026-02-01: 5.00']);
});
