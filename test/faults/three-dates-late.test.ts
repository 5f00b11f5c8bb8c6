import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowId } from '../../src/workflows/contract.ts';
import type { Client } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { eventually, startTestStack, type TestStack } from '../support/stack.ts';
import { DOWN, type Place, PLACES, UP } from './support/missed-dates.ts';
import { type OwnPostgres, type OwnTemporal, startOwnPostgres, startOwnTemporal } from './support/own-servers.ts';
import { flawsOf } from './support/proof.ts';

/** Real time, moved at its one source: what the product takes for now is this far from what the machine does. */
let shift = 0;
const clock = { now: () => new Date(Date.now() + shift).toISOString() };
const setClock = (instant: string): void => {
  shift = Date.parse(instant) - Date.now();
};

let postgres: OwnPostgres;
let temporal: OwnTemporal;
let stack: TestStack;
let api: Client;
let worker: { stop(): Promise<void> } | null = null;
beforeAll(async () => {
  [postgres, temporal] = await Promise.all([startOwnPostgres({ clock }), startOwnTemporal()]);
  stack = await startTestStack({ clock, workers: 0, db: postgres.db, temporalAddress: temporal.address });
  api = await stack.api.tenant();
});
afterAll(async () => {
  await goDown();
  await stack.close();
  await Promise.all([postgres.remove(), temporal.remove()]);
});

const goUp = async (): Promise<void> => {
  worker = await stack.addWorker();
};
const goDown = async (): Promise<void> => {
  await worker?.stop();
  worker = null;
};

interface Payer {
  readonly customerId: string;
  readonly groupId: string;
}

let made = 0;

/** A payer with a monthly item in advance and one in arrears, billed by an entity of its own in the zone. */
async function payerIn(zone: string, startDate: string): Promise<Payer> {
  made += 1;
  const entity = await create(api, '/billing-entities', {
    entityCode: `ENT${made}`,
    displayName: zone,
    countryCode: 'DE',
    baseCurrency: 'EUR',
    billingTimezone: zone,
    invoiceNumberFormat: '{seq}',
  });
  const customer = await create(api, '/customers', { name: zone, billingEntityId: entity.id });
  const group = await create(api, '/billing-groups', { payerCustomerId: customer.id, settleMinutes: 0 });
  await create(api, '/subscriptions', {
    customerId: customer.id,
    billingGroupId: group.id,
    startDate,
    prices: [flat('base', '30.00'), flat('used', '12.00', { billing: 'ARREARS' })],
  });
  return { customerId: customer.id, groupId: group.id };
}

const handleOf = (groupId: string) => stack.temporal.workflow.getHandle(workflowId.billingGroup(api.tenantId, groupId));

/** What a group's workflow says that it waits for. */
const waitingFor = (groupId: string): Promise<string> =>
  handleOf(groupId)
    .query<{ waitingFor: string }>('state')
    .then((state) => state.waitingFor)
    .catch(() => '');

interface Issued {
  readonly number: string;
  readonly boundaryAt: string;
  readonly issueDate: string;
  readonly issuedAt: string;
  /** `description amount [start, end)` */
  readonly lines: readonly string[];
}

/** The issued invoices of a group in the order of their numbers. */
async function invoicesOf(groupId: string): Promise<Issued[]> {
  const rows = await stack.api.db.query<Record<string, string & Date>>(
    `select v.id, v.number, v.boundary_at, v.issue_date::text, v.issued_at, l.price_code, l.description, l.amount::float,
            l.period_start, l.period_end
       from invoices v join invoice_lines l on l.tenant_id = v.tenant_id and l.invoice_id = v.id
      where v.billing_group_id = $1 and v.number is not null order by v.number::int, l.position`,
    [groupId],
  );
  return [...Map.groupBy(rows, ({ number }) => number)].map(([number, lines]) => {
    const [first = {}] = lines;
    return {
      number: String(number),
      boundaryAt: first['boundary_at']?.toISOString() ?? '',
      issueDate: String(first['issue_date']),
      issuedAt: first['issued_at']?.toISOString() ?? '',
      lines: lines.map(
        ({ price_code, description, amount, period_start, period_end }) =>
          `${price_code ?? description} ${amount}${period_start == null ? '' : ` [${period_start.toISOString()}, ${period_end?.toISOString()})`}`,
      ),
    };
  });
}

/** A charge that somebody makes when the product's clock says so. */
const chargeAt = async (instant: string, { customerId, groupId }: Payer, description: string, more: object = {}) => {
  setClock(instant);
  await create(api, '/charges', { customerId, billingGroupId: groupId, description, amount: '5.00', ...more });
};

const plusHours = (instant: string, hours: number): string =>
  new Date(Date.parse(instant) + hours * 3_600_000).toISOString();

describe('everything was off over three billing dates, in real time', () => {
  const payers = new Map<Place, Payer>();
  let nightOwl: Payer;

  beforeAll(async () => {
    setClock(DOWN);
    await goUp();
    for (const place of PLACES) payers.set(place, await payerIn(place.zone, place.startDate));
    for (const { groupId } of payers.values()) {
      await eventually(async () => (await invoicesOf(groupId)).length === 1, 'the invoice before the outage');
      await eventually(async () => (await waitingFor(groupId)).startsWith('sleeping until'), 'the group to sleep');
    }
    // One whose timer runs out in Temporal during the outage, or soon after it.
    setClock('2026-02-20T23:59:15.000Z');
    nightOwl = await payerIn('UTC', '2026-02-21');
    await eventually(
      async () => (await waitingFor(nightOwl.groupId)).startsWith('sleeping until 2026-02-21'),
      'its timer',
      40,
    );
    await goDown();

    for (const [{ losesWorkflow }, { groupId }] of payers) {
      if (losesWorkflow) await handleOf(groupId).terminate('lost in the outage');
    }
    // The API goes on for a while, and each group is charged in the evening of its first missed date, and in the next one.
    const inOrder = [...payers].toSorted(([a], [b]) => a.boundaries[1].localeCompare(b.boundaries[1]));
    for (const [{ boundaries }, payer] of inOrder) {
      await chargeAt(plusHours(boundaries[1], 18), payer, 'On the date');
      await chargeAt(plusHours(boundaries[1], 30), payer, 'On the day after');
      await chargeAt(plusHours(boundaries[1], 31), payer, 'After all three', { chargeOn: '2026-05-09' });
    }
    // Then nothing is left that runs.
    await Promise.all([postgres.stop(), temporal.stop()]);
    expect((await api.get('/tenant')).status).toBe(503);
    setClock(UP);
    await Promise.all([postgres.start(), temporal.start()]);
    await goUp();
  }, 300_000);

  test.each(PLACES)('$zone: three runs, oldest first, each for its own date', async (place) => {
    const { groupId } = payers.get(place) as Payer;
    const [ran, first, second, third, next] = place.boundaries;
    await eventually(async () => (await invoicesOf(groupId)).length >= 4, 'the three invoices', 90);
    await eventually(async () => (await waitingFor(groupId)).startsWith('sleeping until'), 'the group to sleep again');
    const [, ...late] = await invoicesOf(groupId);

    expect(late.map(({ number, boundaryAt }) => [number, boundaryAt])).toEqual([
      ['2', first],
      ['3', second],
      ['4', third],
    ]);
    expect(late.map(({ issueDate }) => issueDate)).toEqual(Array.from({ length: 3 }, () => place.issueDate));
    expect(late.every(({ issuedAt }) => issuedAt >= UP)).toBe(true);
    const runs = await stack.api.db.query<{ boundary_at: Date; status: string }>(
      `select boundary_at, status from billing_runs where billing_group_id = $1 order by created_at, id`,
      [groupId],
    );
    expect(runs.map(({ boundary_at, status }) => [boundary_at.toISOString(), status])).toEqual(
      [ran, first, second, third].map((boundaryAt) => [boundaryAt, 'ISSUED']),
    );
    expect(late.map(({ lines }) => lines)).toEqual([
      [`base 30 [${first}, ${second})`, `used 12 [${ran}, ${first})`, 'On the date 5'],
      [`base 30 [${second}, ${third})`, `used 12 [${first}, ${second})`, 'On the day after 5'],
      [`base 30 [${third}, ${next})`, `used 12 [${second}, ${third})`],
    ]);
    const { body: group } = await api.get(`/billing-groups/${groupId}`);
    expect(Date.parse(group.nextBillingAt)).toBe(Date.parse(next));
  });

  test('a group whose timer ran out meanwhile catches up as well', async () => {
    await eventually(async () => (await invoicesOf(nightOwl.groupId)).length >= 3, 'the three invoices', 90);
    const late = await invoicesOf(nightOwl.groupId);
    expect(late.map(({ boundaryAt, issueDate }) => [boundaryAt, issueDate])).toEqual([
      ['2026-02-21T00:00:00.000Z', '2026-05-10'],
      ['2026-03-21T00:00:00.000Z', '2026-05-10'],
      ['2026-04-21T00:00:00.000Z', '2026-05-10'],
    ]);
  });

  test('nothing in the books breaks a rule', async () => {
    for (const { groupId } of [...payers.values(), nightOwl])
      await eventually(async () => (await waitingFor(groupId)).startsWith('sleeping until'), 'the group to sleep', 90);
    expect(await flawsOf(stack.api.db, api.tenantId)).toEqual({});
  });
});

test('a timer that runs out before the clock says so bills nothing: the group looks, and sleeps on', async () => {
  setClock('2026-06-30T23:59:00.000Z');
  if (worker === null) await goUp();
  const { groupId } = await payerIn('UTC', '2026-07-01');
  await eventually(
    async () => (await waitingFor(groupId)).startsWith('sleeping until 2026-07-01'),
    'the group to sleep',
    45,
  );
  // The machine's clock is put right by an hour, and Temporal's timer does not know.
  setClock('2026-06-30T22:59:00.000Z');
  const timers = async (): Promise<number> =>
    (await handleOf(groupId).fetchHistory()).events?.filter((event) => event.timerStartedEventAttributes != null)
      .length ?? 0;
  await eventually(async () => (await timers()) >= 2, 'the group to sleep again', 120);
  expect(await invoicesOf(groupId)).toEqual([]);

  setClock('2026-07-01T00:01:30.000Z');
  const invoices = await eventually(
    async () => {
      const found = await invoicesOf(groupId);
      return found.length > 0 ? found : null;
    },
    'the sweep to find it',
    90,
  );
  expect(invoices.map(({ boundaryAt, issueDate }) => [boundaryAt, issueDate])).toEqual([
    ['2026-07-01T00:00:00.000Z', '2026-07-01'],
  ]);
});
