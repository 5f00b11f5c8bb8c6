import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../support/api.ts';
import { all, create, flat, perUnit, setup } from '../support/billing-shapes.ts';
import { advanceClock, eventually, startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let api: Client;

beforeAll(async () => {
  stack = await startTestStack();
  api = await stack.api.tenant();
});
afterAll(() => stack.close());

const clockAt = async (now: string): Promise<string> => (await create(api, '/test-clocks', { name: 'test', now })).id;

const entityIn = (code: string, billingTimezone: string, baseCurrency = 'USD') =>
  create(api, '/billing-entities', {
    entityCode: code,
    displayName: code,
    legalName: code,
    baseCurrency,
    countryCode: 'US',
    billingTimezone,
    invoiceNumberPrefix: code,
  });

const invoicesOf = (customerId: string) => all(api, `/customers/${customerId}/invoices?include=lines`);

/** The periods of an item over all invoices, oldest first. */
const periods = (invoices: any[], priceCode: string) =>
  invoices
    .flatMap((invoice) => invoice.lines)
    .filter((line) => line.priceCode === priceCode)
    .map((line) => ({ start: Date.parse(line.periodStart), end: Date.parse(line.periodEnd) }))
    .toSorted((a, b) => a.start - b.start);

describe('the same tree over 14 months from an anchor of 31 January', () => {
  // Los Angeles and Berlin change their clocks at night, Cairo, Beirut and Havana at midnight; Tokyo and Kolkata never.
  const zones = [
    ['LAX', 'America/Los_Angeles'],
    ['BER', 'Europe/Berlin'],
    ['TYO', 'Asia/Tokyo'],
    ['CCU', 'Asia/Kolkata'],
    ['CAI', 'Africa/Cairo'],
    ['BEY', 'Asia/Beirut'],
    ['HAV', 'America/Havana'],
  ] as const;
  // prettier-ignore
  const days = ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31', '2026-06-30', '2026-07-31', '2026-08-31',
    '2026-09-30', '2026-10-31', '2026-11-30', '2026-12-31', '2027-01-31', '2027-02-28'];

  test('every boundary is the local midnight of its day, and periods tile', async () => {
    const clock = await clockAt('2026-01-15T00:00:00Z');
    const trees = await Promise.all(
      zones.map(async ([code, zone]) => {
        const entity = await entityIn(code, zone);
        const parent = await create(api, '/customers', {
          name: `${code} parent`,
          testClockId: clock,
          billingEntityId: entity.id,
        });
        const child = await create(api, '/customers', { name: `${code} child`, parentCustomerId: parent.id });
        for (const customerId of [parent.id, child.id]) {
          await create(api, '/subscriptions', { customerId, prices: [flat('base', '10.00')], startDate: '2026-01-31' });
        }
        return { code, zone, parent };
      }),
    );
    await advanceClock(api, clock, '2027-03-01T12:00:00Z');

    for (const { code, zone, parent } of trees) {
      const invoices = await invoicesOf(parent.id);
      expect(
        invoices.map((invoice) => invoice.issueDate),
        zone,
      ).toEqual(days);
      expect(invoices.map((invoice) => invoice.number)).toEqual(
        days.map((_, index) => `${code}-${String(index + 1).padStart(4, '0')}`),
      );
      for (const invoice of invoices) {
        const at = new Intl.DateTimeFormat('en-CA', {
          timeZone: zone,
          dateStyle: 'short',
          timeStyle: 'medium',
          hour12: false,
        });
        const before = Date.parse(invoice.boundaryAt) - 1;
        expect(at.format(before).slice(0, 10) < invoice.issueDate, `${zone} ${invoice.boundaryAt}`).toBe(true);
        expect(at.format(Date.parse(invoice.boundaryAt)).slice(0, 10)).toBe(invoice.issueDate);
        expect(invoice.issuedAt).toBe(invoice.boundaryAt);
        expect(invoice.total).toBe('20.00');
        expect(invoice.accounts.map((account: any) => account.label)).toEqual(['Primary Account', 'Linked Account']);
      }
      const tiles = periods(invoices, 'base');
      expect(tiles).toHaveLength(28);
      const unique = tiles.filter((_, index) => index % 2 === 0);
      for (const [index, tile] of unique.entries()) {
        expect(tiles[index * 2 + 1]).toEqual(tile);
        if (index > 0) expect(tile.start).toBe(unique[index - 1]?.end);
      }
    }
  });
});

test('a hierarchy of 30 set up in one go, today, is one first invoice', async () => {
  const clock = await clockAt('2026-05-10T09:30:00Z');
  const root = await create(api, '/customers', { name: 'Holding', testClockId: clock });
  const parents = [root];
  for (let index = 1; index < 30; index += 1) {
    const parent = parents[Math.floor((index - 1) / 3)];
    parents.push(await create(api, '/customers', { name: `Company ${index}`, parentCustomerId: parent.id }));
  }
  await Promise.all(
    parents.map(({ id }) =>
      create(api, '/subscriptions', {
        customerId: id,
        prices: [perUnit('seats', '3.00'), setup('start', '1.00')],
        quantity: 2,
      }),
    ),
  );
  await advanceClock(api, clock, '2026-05-10T09:30:00Z');
  const invoices = await invoicesOf(root.id);
  expect(invoices).toHaveLength(1);
  expect(invoices[0]).toMatchObject({ total: '210.00', boundaryAt: '2026-05-10T00:00:00.000Z', status: 'OPEN' });
  expect(invoices[0].lines).toHaveLength(60);
  await advanceClock(api, clock, '2026-06-10T00:00:00Z');
  expect((await invoicesOf(root.id)).map((invoice) => invoice.total)).toEqual(['210.00', '180.00']);
});

test('two groups of one payer give two invoices per cycle', async () => {
  const clock = await clockAt('2026-03-01T00:00:00Z');
  const payer = await create(api, '/customers', { name: 'Payer', testClockId: clock });
  const group = (name: string, anchorDate: string) =>
    create(api, '/billing-groups', {
      payerCustomerId: payer.id,
      name,
      anchorDate,
      cadence: { interval: 'MONTH', count: 1 },
    });
  const first = await group('A and B', '2026-03-05');
  const second = await group('C, D and the parent', '2026-03-20');
  const child = (name: string) => create(api, '/customers', { name, parentCustomerId: payer.id });
  const [a, b, c, d] = [await child('A'), await child('B'), await child('C'), await child('D')];
  for (const [customer, billingGroupId] of [
    [a, first.id],
    [b, first.id],
    [c, second.id],
    [d, second.id],
    [payer, second.id],
  ]) {
    await create(api, '/subscriptions', {
      customerId: customer.id,
      billingGroupId,
      prices: [flat('base', '30.00')],
      startDate: '2026-03-05',
    });
  }
  await advanceClock(api, clock, '2026-04-30T00:00:00Z');
  const invoices = await invoicesOf(payer.id);
  expect(
    invoices.map(({ boundaryAt, billingGroupId, total }) => [boundaryAt.slice(0, 10), billingGroupId, total]),
  ).toEqual([
    ['2026-03-05', first.id, '60.00'],
    // The stub of 5 to 20 March is 15 of the 28 days from 20 February; then the whole month.
    ['2026-03-20', second.id, '138.21'],
    ['2026-04-05', first.id, '60.00'],
    ['2026-04-20', second.id, '90.00'],
  ]);
});

test('a child re-parented mid-cycle: nothing issued moves, running subscriptions keep their payer, new ones follow', async () => {
  const clock = await clockAt('2026-03-01T00:00:00Z');
  const [before, after] = [
    await create(api, '/customers', { name: 'Before', testClockId: clock }),
    await create(api, '/customers', { name: 'After', testClockId: clock }),
  ];
  const child = await create(api, '/customers', { name: 'Child', parentCustomerId: before.id });
  const running = await create(api, '/subscriptions', { customerId: child.id, prices: [flat('old', '10.00')] });
  await advanceClock(api, clock, '2026-03-10T00:00:00Z');
  const issued = await invoicesOf(before.id);
  expect((await api.put(`/customers/${child.id}`, { parentCustomerId: after.id })).status).toBe(200);
  const added = await create(api, '/subscriptions', { customerId: child.id, prices: [flat('new', '20.00')] });
  expect([running.payerCustomerId, added.payerCustomerId]).toEqual([before.id, after.id]);
  await advanceClock(api, clock, '2026-04-15T00:00:00Z');
  const kept = await invoicesOf(before.id);
  expect(kept[0]).toEqual(issued[0]);
  expect(kept.map((invoice) => invoice.lines.map((line: any) => line.priceCode))).toEqual([['old'], ['old']]);
  expect((await invoicesOf(after.id)).map((invoice) => invoice.lines.map((line: any) => line.priceCode))).toEqual([
    ['new'],
    ['new'],
  ]);
});

test('an entity suspended over two boundaries and reactivated: two invoices, in order, with their own periods', async () => {
  const clock = await clockAt('2026-01-01T00:00:00Z');
  const entity = await entityIn('SUS', 'Europe/Berlin', 'EUR');
  const payer = await create(api, '/customers', { name: 'Patient', testClockId: clock, billingEntityId: entity.id });
  const { billingGroupId } = await create(api, '/subscriptions', {
    customerId: payer.id,
    prices: [flat('base', '10.00')],
    startDate: '2026-01-01',
  });
  await advanceClock(api, clock, '2026-01-15T00:00:00Z');
  expect((await api.post(`/billing-entities/${entity.id}/suspend`)).status).toBe(200);
  await advanceClock(api, clock, '2026-03-15T00:00:00Z');
  expect(await invoicesOf(payer.id)).toHaveLength(1);
  const waiting = await all(api, `/billing-groups/${billingGroupId}/runs`);
  expect(waiting.map(({ status, reason }) => [status, reason])).toEqual([
    ['ISSUED', null],
    ['WAITING', 'ENTITY_SUSPENDED'],
    ['WAITING', 'ENTITY_SUSPENDED'],
  ]);
  expect((await api.post(`/billing-entities/${entity.id}/reactivate`)).status).toBe(200);
  const invoices = await eventually(async () => {
    const found = await invoicesOf(payer.id);
    return found.filter(({ status }) => status === 'OPEN').length === 3 ? found : null;
  }, 'the two late invoices');
  expect(invoices.map(({ number, issueDate, boundaryAt }) => [number, issueDate, boundaryAt])).toEqual([
    ['SUS-0001', '2026-01-01', '2026-01-01T00:00:00.000+01:00'],
    ['SUS-0002', '2026-03-15', '2026-02-01T00:00:00.000+01:00'],
    ['SUS-0003', '2026-03-15', '2026-03-01T00:00:00.000+01:00'],
  ]);
  expect(invoices.map(({ lines }) => lines[0].periodStart.slice(0, 10))).toEqual([
    '2026-01-01',
    '2026-02-01',
    '2026-03-01',
  ]);
});

test('a delegated payer gets the invoice; the subscription stays STANDALONE with its owner', async () => {
  const clock = await clockAt('2026-03-01T00:00:00Z');
  const owner = await create(api, '/customers', { name: 'Owner', testClockId: clock });
  const payer = await create(api, '/customers', { name: 'Finance', externalId: `fin-${clock}`, testClockId: clock });
  const subscription = await create(api, '/subscriptions', {
    customerId: owner.id,
    invoicingCustomerId: `externalId:fin-${clock}`,
    prices: [flat('base', '10.00')],
  });
  expect(subscription).toMatchObject({
    customerId: owner.id,
    payerCustomerId: payer.id,
    subscriptionType: 'STANDALONE',
  });
  const refused = await api.put(`/subscriptions/${subscription.id}`, { invoicingCustomerId: owner.id });
  expect([refused.status, refused.body.code]).toEqual([409, 'subscription.payer_immutable']);
  await advanceClock(api, clock, '2026-03-02T00:00:00Z');
  expect(await invoicesOf(owner.id)).toHaveLength(0);
  const [invoice] = await invoicesOf(payer.id);
  expect(invoice.lines[0]).toMatchObject({ billedFrom: { customerId: owner.id }, billedTo: { customerId: payer.id } });
});

test('cancel now: what is unused is given back on the next event, capped, with a link', async () => {
  const clock = await clockAt('2026-03-01T00:00:00Z');
  const payer = await create(api, '/customers', { name: 'Leaver', testClockId: clock });
  const [stays, leaves] = [
    await create(api, '/subscriptions', { customerId: payer.id, prices: [flat('stay', '31.00')] }),
    await create(api, '/subscriptions', { customerId: payer.id, prices: [flat('leave', '62.00')] }),
  ];
  await advanceClock(api, clock, '2026-03-11T15:00:00Z');
  const canceled = await api.post(`/subscriptions/${leaves.id}/cancel`, { effective: 'NOW' });
  expect(canceled.body).toMatchObject({ status: 'CANCELED', endedAt: '2026-03-11T15:00:00.000Z' });
  expect((await api.post(`/subscriptions/${leaves.id}/cancel`)).status).toBe(409);
  await advanceClock(api, clock, '2026-04-01T00:00:00Z');
  const [, april] = await invoicesOf(payer.id);
  // 11 to 31 March is 21 of 31 days at 2.00 a day.
  expect(april.lines.map((line: any) => [line.kind, line.amount])).toEqual([
    ['RECURRING', '31.00'],
    ['PRORATION_CREDIT', '-42.00'],
  ]);
  expect([april.total, april.creditGranted, april.amountDue]).toEqual(['0.00', '11.00', '0.00']);
  expect(april.status).toBe('PAID');
  expect((await api.get(`/customers/${payer.id}/wallet`)).body.balances).toEqual([
    { currency: 'USD', amount: '11.00' },
  ]);
  await advanceClock(api, clock, '2026-05-01T00:00:00Z');
  const may = (await invoicesOf(payer.id))[2];
  expect([may.total, may.creditsApplied, may.amountDue]).toEqual(['31.00', '11.00', '20.00']);
  expect(stays.status).toBe('ACTIVE');
});
