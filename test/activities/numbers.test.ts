import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCharge } from '../../src/db/charges/create.ts';
import { createCustomer } from '../../src/db/customer-changes.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { changeEntity, createEntity } from '../../src/db/entity-changes.ts';
import { createSubscription } from '../../src/db/subscriptions/create.ts';
import { createTestClock } from '../../src/db/test-clocks.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { billRun, billUntil } from '../support/billing.ts';
import { quietLog } from '../support/database.ts';
import { toPrice } from './build-world.ts';
import { activitiesOn } from './steps.ts';

let api: TestApi;
/** As many processes as a small installation has: each its own pool. */
let processes: Database[];
beforeAll(async () => {
  api = await startTestApi();
  const open = () => openDatabase({ ownerUrl: api.db.ownerUrl, log: quietLog, poolSize: POOL_SIZE });
  processes = [api.db.database, await open(), await open(), await open()];
});
afterAll(async () => {
  await Promise.all(processes.slice(1).map((database) => database.close()));
  await api.close();
});

const POOL_SIZE = 6;

/** Each process takes its share of the runs, as many at a time as it has connections: nobody waits for one in vain. */
async function shareOut(
  runs: readonly string[],
  work: (database: Database, runId: string) => Promise<unknown>,
): Promise<void> {
  const lanes = processes.flatMap((database, number) => {
    const own = runs.filter((_, index) => index % processes.length === number);
    return Array.from({ length: POOL_SIZE }, async () => {
      for (let runId = own.pop(); runId !== undefined; runId = own.pop()) await work(database, runId);
    });
  });
  await Promise.all(lanes);
}

const BY = { actor: 'test', mode: 'TEST' } as const;

/** As many runs outside any group as are asked for, each with one charge and a payer of its own. */
async function openRuns({ tenantId }: Client, count: number): Promise<string[]> {
  await api.db.database.inTenant(tenantId, async (tx) => {
    for (let made = 0; made < count; made += 1) {
      const { id } = await createCustomer(tx, { name: `Payer ${made}` }, BY);
      const charge = { customerId: id, description: 'One', amount: '1.00', timing: 'IMMEDIATE' } as const;
      await createCharge(tx, charge, BY.actor);
    }
  });
  const runs = await api.db.query<{ id: string }>('select id from billing_runs where tenant_id = $1', [tenantId]);
  return runs.map(({ id }) => id);
}

const issued = ({ tenantId }: Client) =>
  api.db.query<{ number: string; issued_at: Date; issue_date: string }>(
    `select number, issued_at, issue_date::text from invoices
      where tenant_id = $1 and number is not null order by number`,
    [tenantId],
  );

const upTo = (count: number, prefix = 'INV-'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index + 1).padStart(4, '0')}`);

/** Numbers without gap or repetition, in the order of time. */
async function expectGapless(tenant: Client, count: number): Promise<void> {
  const invoices = await issued(tenant);
  expect(invoices.map(({ number }) => number)).toEqual(upTo(count));
  const instants = invoices.map(({ issued_at: at }) => at.getTime());
  expect(instants).toEqual(instants.toSorted((a, b) => a - b));
}

describe('many invoices of one entity at once, by four processes', () => {
  test('get every number from 1 on, once, in the order of issue', async () => {
    const tenant = await api.tenant();
    const runs = await openRuns(tenant, 200);
    await shareOut(runs, (database, runId) => billRun(database, tenant.tenantId, runId));
    await expectGapless(tenant, 200);
  });

  test('get them without a gap also when every third issue crashes after its number was taken', async () => {
    const tenant = await api.tenant();
    const runs = await openRuns(tenant, 100);
    let transactions = 0;
    let crashes = 0;
    const crashing = (database: Database): Database => ({
      ...database,
      inTenant: (tenantId, work, options) =>
        database.inTenant(
          tenantId,
          async (tx) => {
            const answer = await work(tx);
            transactions += 1;
            if (transactions % 3 !== 0) return answer;
            crashes += 1;
            throw new Error('crash before commit');
          },
          options,
        ),
    });
    const untilDone = async (database: Database, runId: string): Promise<void> => {
      const input = { tenantId: tenant.tenantId, runId };
      for (const step of ['collectCharges', 'applyCoupons', 'applyTax', 'applyCredits'] as const) {
        await activitiesOn(database)[step](input);
      }
      for (;;) {
        try {
          await activitiesOn(crashing(database)).issueInvoice(input);
          return;
        } catch (error) {
          expect((error as Error).message).toBe('crash before commit');
        }
      }
    };
    await shareOut(runs, untilDone);
    expect(crashes).toBeGreaterThanOrEqual(40);
    await expectGapless(tenant, 100);
  });

  test('begin at the first number that the entity was given', async () => {
    const tenant = await api.tenant();
    const { body } = await tenant.get('/billing-entities');
    await tenant.put(`/billing-entities/${body.items[0].id}`, { firstNumber: 9998 });
    for (const runId of await openRuns(tenant, 4)) await billRun(api.db.database, tenant.tenantId, runId);
    const numbers = (await issued(tenant)).map(({ number }) => number);
    expect(numbers.toSorted((a, b) => a.length - b.length)).toEqual(['INV-9998', 'INV-9999', 'INV-10000', 'INV-10001']);
  });
});

test('a yearly sequence starts again at each zone’s own New Year, without a gap in either year', async () => {
  const tenant = await api.tenant();
  const { tenantId } = tenant;
  const testClockId = await api.db.database.inTenant(tenantId, async (tx) => {
    const clock = await createTestClock(tx, { now: '2026-12-28T00:00:00.000Z', name: 'New Year' }, BY);
    const entity = await createEntity(tx, yearly, BY.actor);
    for (const billingTimezone of ['Asia/Tokyo', 'Pacific/Pago_Pago', 'Pacific/Kiritimati']) {
      await changeEntity(tx, entity.id, { billingTimezone }, BY.actor);
      const customer = await createCustomer(
        tx,
        { name: billingTimezone, testClockId: clock.id, billingEntityId: entity.id },
        BY,
      );
      const subscription = { customerId: customer.id, startDate: '2026-12-29', prices: [daily] };
      await createSubscription(tx, { align: true, proration: 'DAY', coupons: [], ...subscription }, BY.actor);
    }
    return clock.id;
  });
  await billUntil(api.db.database, tenantId, testClockId, '2027-01-04T00:00:00Z');

  const invoices = await issued(tenant);
  for (const year of ['2026', '2027']) {
    const ofYear = invoices.filter(({ issue_date: date }) => date.startsWith(year));
    expect(ofYear.map(({ number }) => number)).toEqual(upTo(ofYear.length, `Y-${year}-`));
    const instants = ofYear.map(({ issued_at: at }) => at.getTime());
    expect(instants).toEqual(instants.toSorted((a, b) => a - b));
  }
  // Three days of the old year in each zone; in the new one as many as had begun by then: 4 in
  // Tokyo, 3 in Pago Pago, 4 in Kiritimati.
  expect(invoices.filter(({ issue_date: date }) => date.startsWith('2026'))).toHaveLength(9);
  expect(invoices.filter(({ issue_date: date }) => date.startsWith('2027'))).toHaveLength(11);
  // Kiritimati's year begins first: its number 1 is older than the last one of 2026.
  const first = invoices.find(({ number }) => number === 'Y-2027-0001');
  const last = invoices.find(({ number }) => number === 'Y-2026-0009');
  expect(first?.issued_at.toISOString()).toBe('2026-12-31T10:00:00.000Z');
  expect(last?.issued_at.toISOString()).toBe('2026-12-31T11:00:00.000Z');
});

const yearly = {
  entityCode: 'YEARLY',
  displayName: 'Yearly',
  countryCode: 'JP',
  baseCurrency: 'JPY',
  numberReset: 'YEARLY',
  invoiceNumberPrefix: 'Y',
  invoiceNumberFormat: '{prefix}-{YYYY}-{seq:0000}',
  creditNoteFormat: '{prefix}-{YYYY}-{seq:0000}',
} as const;

const daily = toPrice(
  {
    model: 'FLAT',
    amount: '100',
    billing: 'ADVANCE',
    cadence: { interval: 'DAY', count: 1 },
    taxInclusive: false,
    taxCode: null,
    setup: false,
  },
  0,
);
