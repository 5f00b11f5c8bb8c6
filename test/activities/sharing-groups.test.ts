import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { create } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { whileCalled } from './faults.ts';
import { expectInOrder } from './in-order.ts';
import { advance, books, customer, dueOf, group, inBatches, openPlace, type Place, reach, subscribe } from './place.ts';

const clock = { now: () => '2026-06-01T12:00:00.000Z' };
let api: TestApi;
let other: Database;
beforeAll(async () => {
  api = await startTestApi({ clock });
  other = await openDatabase({ ownerUrl: api.db.ownerUrl, log: quietLog, poolSize: 6, clock });
});
afterAll(async () => {
  await other.close();
  await api.close();
});

/** Who has something in common, and so cannot be billed with whom. */
interface Sharing {
  readonly what: string;
  /** Makes groups; their ids in the order of creation. */
  readonly make: (place: Place) => Promise<string[]>;
  /** The places of the groups in the transactions that bill them all. */
  readonly batches: number[][];
  /** What each group is to pay. */
  readonly due: number[];
}

const sharings: readonly Sharing[] = [
  {
    what: 'nothing: all go together',
    make: async (place) => {
      const ids: string[] = [];
      for (const name of ['A', 'B', 'C']) {
        const payer = await customer(place, name);
        ids.push(await group(place, payer));
        await subscribe(place, payer, ids.at(-1) as string, '10.00');
      }
      return ids;
    },
    batches: [[0, 1, 2]],
    due: [10, 10, 10],
  },
  {
    what: 'a payer and its wallet',
    make: async (place) => {
      const payer = await customer(place, 'Payer');
      const ids = [await group(place, payer), await group(place, payer), await group(place, payer)];
      for (const id of ids) await subscribe(place, payer, id, '40.00');
      await create(place.client, '/credits', { customerId: payer, amount: '50.00', currency: 'USD' });
      return ids;
    },
    batches: [[0], [1], [2]],
    due: [0, 30, 40],
  },
  {
    what: 'an owner whose coupon is good for one cycle',
    make: async (place) => {
      const owner = await customer(place, 'Owner');
      const ids: string[] = [];
      for (const name of ['First', 'Second']) {
        const payer = await customer(place, name);
        ids.push(await group(place, payer));
        await subscribe(place, owner, ids.at(-1) as string, '40.00', { invoicingCustomerId: payer });
      }
      const coupon = { code: 'ONCE', type: 'FIXED', amount: '15.00', currency: 'USD', duration: 'ONCE' };
      await create(place.client, '/coupons', coupon);
      await create(place.client, '/coupon-redemptions', { couponCode: 'ONCE', customerId: owner });
      return ids;
    },
    batches: [[0], [1]],
    due: [25, 40],
  },
  {
    what: 'an owner whose coupon carries its rest on',
    make: async (place) => {
      const owner = await customer(place, 'Owner');
      const ids: string[] = [];
      for (const name of ['First', 'Second']) {
        const payer = await customer(place, name);
        ids.push(await group(place, payer));
        await subscribe(place, owner, ids.at(-1) as string, '40.00', { invoicingCustomerId: payer });
      }
      const coupon = { code: 'MUCH', type: 'FIXED', amount: '55.00', currency: 'USD', duration: 'ONCE' };
      await create(place.client, '/coupons', { ...coupon, carryRemainder: true });
      await create(place.client, '/coupon-redemptions', { couponCode: 'MUCH', customerId: owner });
      return ids;
    },
    batches: [[0], [1]],
    due: [0, 25],
  },
  {
    what: 'one account with the next: each but the first waits for those before it',
    make: async (place) => {
      const [a, b, c, alone] = [
        await customer(place, 'A'),
        await customer(place, 'B'),
        await customer(place, 'C'),
        await customer(place, 'Alone'),
      ];
      const ids = [
        await group(place, a),
        await group(place, b),
        await group(place, c),
        await group(place, alone),
      ] as const;
      await subscribe(place, a, ids[0], '10.00');
      await subscribe(place, a, ids[1], '11.00', { invoicingCustomerId: b });
      await subscribe(place, b, ids[2], '12.00', { invoicingCustomerId: c });
      await subscribe(place, alone, ids[3], '13.00');
      return [...ids];
    },
    batches: [[0, 3], [1], [2]],
    due: [10, 11, 12, 13],
  },
  {
    what: 'a subscription that moves from one to the other',
    make: async (place) => {
      const payer = await customer(place, 'Payer');
      const ids = [await group(place, payer), await group(place, payer)] as const;
      const moved = await subscribe(place, payer, ids[0], '10.00', { startDate: '2026-01-15' });
      await subscribe(place, payer, ids[0], '7.00');
      await subscribe(place, payer, ids[1], '11.00');
      await place.client.put(`/subscriptions/${moved}`, { billingGroupId: ids[1], effective: '2026-02-01' });
      return [...ids];
    },
    batches: [[0], [1]],
    due: [7, 26.48],
  },
];

describe.each(sharings)('groups that have in common $what', ({ make, batches, due }) => {
  test('come to the same as one after the other', async () => {
    const place = await openPlace(api);
    const groupIds = await make(place);
    await reach(place);
    const answered = await inBatches(place, groupIds);
    expect(answered.map((ids) => ids.map((id) => groupIds.indexOf(id)))).toEqual(batches);
    expect(await dueOf(place, groupIds)).toEqual(due);

    const alone = await openPlace(api);
    const oneByOne = await make(alone);
    await reach(alone);
    for (const id of oneByOne) await inBatches(alone, [id]);
    expect(await books(place)).toEqual(await books(alone));
  });

  test('come to the same when a second worker bills the rest while the first has not committed', async () => {
    const place = await openPlace(api);
    const groupIds = await make(place);
    await reach(place);
    const [first, ...rest] = groupIds;
    const call = {
      activity: 'advanceGroup',
      tenantId: place.client.tenantId,
      perform: (by: Database) => advance(by, place, [first as string]),
    };
    await whileCalled(api.db, call, async () => {
      for (let left = rest; left.length > 0;) {
        const plans = await advance(other, place, left);
        left = left.filter((id) => !plans.has(id));
      }
    });
    expect(await dueOf(place, groupIds)).toEqual(due);
    await expectInOrder(api.db, place.client.tenantId);
  });
});
