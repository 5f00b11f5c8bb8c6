import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { quietLog } from '../support/database.ts';
import { whileCalled } from './faults.ts';
import { expectInOrder } from './in-order.ts';
import {
  advance,
  BOUNDARY,
  customer,
  dueOf,
  group,
  inBatches,
  openPlace,
  type Place,
  reach,
  subscribe,
} from './place.ts';
import { activitiesOn } from './steps.ts';

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

test('a boundary that is skipped while its group is about to be looked at is not billed', async () => {
  const place = await openPlace(api);
  const payer = await customer(place, 'Payer');
  const groupId = await group(place, payer);
  await subscribe(place, payer, groupId, '10.00');
  await reach(place);
  const { tenantId } = place.client;
  const skip = {
    activity: 'commandGroup',
    tenantId,
    perform: (by: Database) =>
      activitiesOn(by).commandGroup({ tenantId, groupId, command: { verb: 'skip', boundaryAt: BOUNDARY } }),
  };
  await whileCalled(api.db, skip, () => advance(other, place, [groupId]));
  expect(await api.db.query('select 1 from invoices where tenant_id = $1', [tenantId])).toEqual([]);
});

describe('groups of several boundaries that are late', () => {
  const LATE = '2026-01-25T00:00:00.000Z';
  const anchors = [
    { name: 'Third', anchorDate: '2026-01-20' },
    { name: 'First', anchorDate: '2026-01-05' },
    { name: 'Second', anchorDate: '2026-01-10' },
  ];

  /** A group for each anchor, with a payer of its own; the subscriptions are an owner's, or the payer's. */
  async function makeLate(place: Place, owner: string | null): Promise<string[]> {
    const ids: string[] = [];
    for (const { name, anchorDate } of anchors) {
      const payer = await customer(place, name);
      const { id } = await create(place.client, '/billing-groups', { payerCustomerId: payer, anchorDate });
      const payment = owner === null ? {} : { invoicingCustomerId: payer };
      await subscribe(place, owner ?? payer, id, '40.00', { startDate: anchorDate, ...payment });
      ids.push(id);
    }
    const late = `update test_clocks set now_at = $2, target_at = $2, status = 'ADVANCING' where id = $1`;
    await api.db.query(late, [place.testClockId, LATE]);
    return ids;
  }

  test('are numbered oldest first', async () => {
    const place = await openPlace(api);
    expect(await inBatches(place, await makeLate(place, null))).toHaveLength(1);
    const rows = await api.db.query<{ name: string }>(
      `select c.name from invoices v join customers c on c.id = v.payer_customer_id
        where v.tenant_id = $1 order by v.number`,
      [place.client.tenantId],
    );
    expect(rows.map(({ name }) => name)).toEqual(['First', 'Second', 'Third']);
  });

  test('take a coupon that they share oldest first, and no more than it is worth', async () => {
    const place = await openPlace(api);
    const owner = await customer(place, 'Owner');
    const coupon = { code: 'MUCH', type: 'FIXED', amount: '95.00', currency: 'USD', duration: 'ONCE' };
    await create(place.client, '/coupons', { ...coupon, carryRemainder: true });
    await create(place.client, '/coupon-redemptions', { couponCode: 'MUCH', customerId: owner });
    const groupIds = await makeLate(place, owner);
    await inBatches(place, groupIds);
    expect(await dueOf(place, groupIds)).toEqual([25, 0, 0]);
  });
});

test('one group whose price is broken does not disturb the others of its batch', async () => {
  const place = await openPlace(api);
  const groupIds: string[] = [];
  for (let index = 0; index < 12; index += 1) {
    const payer = await customer(place, `Payer ${index}`);
    groupIds.push(await group(place, payer));
    await subscribe(place, payer, groupIds.at(-1) as string, '10.00', {
      prices: [flat(index === 5 ? 'broken' : 'base', '10.00')],
    });
  }
  const setModel = (model: string) =>
    api.db.query(
      `update prices set definition = jsonb_set(definition, '{model}', to_jsonb($2::text))
        where tenant_id = $1 and code = 'broken'`,
      [place.client.tenantId, model],
    );
  await setModel('NONE');
  await reach(place);
  const { tenantId } = place.client;
  let transactions = 0;
  const counting: Database = {
    ...api.db.database,
    inTenant: (...transaction) => {
      transactions += 1;
      return api.db.database.inTenant(...transaction);
    },
  };
  const { advanceGroup } = activitiesOn(counting);
  const outcomes = await Promise.allSettled(groupIds.map((groupId) => advanceGroup({ tenantId, groupId })));
  const failed = outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected' ? [{ index, message: (outcome.reason as Error).message }] : [],
  );
  expect(failed).toEqual([{ index: 5, message: expect.stringMatching(/price/) }]);
  expect(transactions, 'twelve together, then halves of what fails').toBe(7);
  const open = await api.db.query('select 1 from billing_runs where tenant_id = $1 and status <> $2', [
    tenantId,
    'ISSUED',
  ]);
  expect(open).toEqual([]);
  expect(await dueOf(place, groupIds)).toEqual(groupIds.map((_, index) => (index === 5 ? 0 : 10)));

  await setModel('FLAT');
  await advanceGroup({ tenantId, groupId: groupIds[5] as string });
  expect(await dueOf(place, groupIds)).toEqual(groupIds.map(() => 10));
  await expectInOrder(api.db, tenantId);
});
