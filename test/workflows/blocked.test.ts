import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { all, create, flat } from '../support/billing-shapes.ts';
import { eventually } from '../support/stack.ts';
import { startTimeline, type Timeline } from './messages-scene.ts';

let timeline: Timeline;
beforeAll(async () => {
  timeline = await startTimeline();
});
afterAll(() => timeline.stack.close());

const query = (text: string, values: unknown[]) => timeline.stack.api.db.query(text, values);

/** Four groups of one entity, all due at the same instants; the second will break. */
interface Place {
  readonly api: Client;
  readonly entityId: string;
  readonly groupIds: readonly string[];
}

async function openPlace(): Promise<Place> {
  timeline.set('2026-01-01T00:00:00Z');
  const api = await timeline.stack.api.tenant();
  const entity = await create(api, '/billing-entities', {
    entityCode: 'SHOP',
    displayName: 'Shop',
    countryCode: 'US',
    baseCurrency: 'USD',
  });
  const groupIds: string[] = [];
  for (const name of ['first', 'breaks', 'third', 'fourth']) {
    const payer = await create(api, '/customers', { name, billingEntityId: entity.id });
    const group = await create(api, '/billing-groups', {
      payerCustomerId: payer.id,
      anchorDate: '2026-01-01',
      settleMinutes: 0,
    });
    await create(api, '/subscriptions', {
      customerId: payer.id,
      billingGroupId: group.id,
      prices: [flat(name, '31.00')],
    });
    groupIds.push(group.id);
  }
  const place = { api, entityId: entity.id, groupIds };
  await eventually(async () => (await numbersOf(place)).length === 4, 'January’s invoices');
  return place;
}

const numbersOf = async ({ api }: Place): Promise<string[]> =>
  (await all(api, '/invoices?status=OPEN')).map(({ number }): string => number).toSorted();
const numbersUpTo = (last: number): string[] =>
  Array.from({ length: last }, (_, index) => `INV-${String(index + 1).padStart(4, '0')}`);
const workflowOf = ({ api }: Place, groupId: string) =>
  timeline.stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, groupId));
const runsOf = async ({ api }: Place, groupId: string) => all(api, `/billing-groups/${groupId}/runs`);

/** All four wake at once. */
async function wakeAt(place: Place, now: string): Promise<void> {
  timeline.set(now);
  await Promise.all(place.groupIds.map((groupId) => workflowOf(place, groupId).signal('refresh')));
}

interface Cause {
  readonly what: string;
  readonly break: (place: Place) => Promise<unknown>;
  readonly mend: (place: Place) => Promise<unknown>;
  /** What the operator reads: what is wrong, where, and what to do. */
  readonly reason: RegExp;
}

const setPrice = (change: object) => (place: Place) =>
  query(`update prices set definition = definition || $2::jsonb where tenant_id = $1 and code = 'breaks'`, [
    place.api.tenantId,
    JSON.stringify(change),
  ]);
/** Of the group, and of the run that is there by then. */
const setCurrency = (code: string) => async (place: Place) => {
  await query('update billing_groups set currency = $2 where id = $1', [place.groupIds[1], code]);
  await query(`update billing_runs set currency = $2 where billing_group_id = $1 and status <> 'ISSUED'`, [
    place.groupIds[1],
    code,
  ]);
};

const causes: readonly Cause[] = [
  {
    what: 'an amount that is none',
    break: setPrice({ amount: 'ten' }),
    mend: setPrice({ amount: '31.00' }),
    reason: /Price "breaks" cannot be charged. amount: "ten" is not a decimal number .* then resume the group/,
  },
  {
    what: 'an unknown price model',
    break: setPrice({ model: 'NONE' }),
    mend: setPrice({ model: 'FLAT' }),
    reason: /Price "breaks" cannot be charged. model: NONE is not supported; .* then resume the group/,
  },
  {
    what: 'a cadence that is none',
    break: setPrice({ cadence: { interval: 'FORTNIGHT', count: 1 } }),
    mend: setPrice({ cadence: { interval: 'MONTH', count: 1 } }),
    reason: /Price "breaks" cannot be charged. cadence: .*, not in FORTNIGHT. .* then resume the group/,
  },
  {
    what: 'a currency that was withdrawn',
    break: setCurrency('BGN'),
    mend: setCurrency('USD'),
    reason: /issued in BGN, .* then resume the group/,
  },
];

describe.each(causes)('a run that cannot succeed because of $what', ({ break: breakIt, mend, reason }) => {
  test('is BLOCKED and says what to do, the others are issued; after the cure one call finishes it', async () => {
    const place = await openPlace();
    const { api, groupIds } = place;
    const broken = groupIds[1] as string;
    await breakIt(place);
    await wakeAt(place, '2026-02-01T00:00:01Z');

    const group = await eventually(
      async () => {
        const reply = await api.get(`/billing-groups/${broken}`);
        return reply.body.status === 'BLOCKED' ? reply.body : null;
      },
      'the group to be BLOCKED',
      60,
    );
    expect(group.statusReason).toMatch(reason);
    expect((await runsOf(place, broken)).at(-1)).toMatchObject({ status: 'BLOCKED', reason: group.statusReason });
    await eventually(async () => {
      const { typedSearchAttributes } = await workflowOf(place, broken).describe();
      return typedSearchAttributes
        .getAll()
        .some(({ key, value }) => key.name === 'TributaryStatus' && value === 'BLOCKED');
    }, 'the search attribute');
    await eventually(async () => (await numbersOf(place)).length === 7, 'the invoices of the others');
    expect(await numbersOf(place), 'what cannot be issued takes no number').toEqual(numbersUpTo(7));

    await mend(place);
    await create(api, `/billing-groups/${broken}/resume`, {});
    await eventually(async () => (await numbersOf(place)).length === 8, 'the invoice that was blocked');
    expect(await numbersOf(place)).toEqual(numbersUpTo(8));
    await wakeAt(place, '2026-03-01T00:00:01Z');
    await eventually(async () => (await numbersOf(place)).length === 12, 'March');
    expect(await numbersOf(place)).toEqual(numbersUpTo(12));
    for (const groupId of groupIds) {
      expect(
        (await runsOf(place, groupId)).map(({ boundaryAt, status }) => `${boundaryAt.slice(0, 10)} ${status}`),
      ).toEqual(['2026-01-01 ISSUED', '2026-02-01 ISSUED', '2026-03-01 ISSUED']);
      expect((await api.get(`/billing-groups/${groupId}`)).body).toMatchObject({
        status: 'ACTIVE',
        statusReason: null,
      });
    }
  }, 120_000);
});
