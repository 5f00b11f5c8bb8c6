import { expect, test } from 'vitest';
import { collectRun } from '../../../src/domain/invoice/collect-run.ts';
import { sum } from '../../../src/domain/money.ts';
import { cadence } from '../billing-group/schedules.ts';
import { item, terms } from '../subscription/items.ts';
import { chargedLine, facts, member, table, waiting } from './run-facts.ts';

// One run, worked by hand: 1 April 2026, monthly on the 1st, in Berlin (31 March 22:00 UTC), in EUR.
//
//   holding                 payer
//   ├── north               ships its subscription somewhere: what recurs of it is split off (G5)
//   │   └── north-1         ended on 15 March a year that it had paid in advance
//   └── south
//   partner                 delegated: not in the tree, so last
//
//   1 January              1 March      10      15     20        1 April       1 May
//   |----------------------|------------*-------x------*---------|-------------|--->
const ZONE = 'Europe/Berlin';
const utc = (date: string, hour: string) => `${date}T${hour}:00:00.000Z`;
const JANUARY = utc('2025-12-31', '23');
const MARCH = utc('2026-02-28', '23');
const APRIL = utc('2026-03-31', '22');
const NEW_YEAR = utc('2026-12-31', '23');

const members = [
  // 5 seats of 12.00, billed in advance through March: April is due, 60.00.
  member('sub_1', 'south', [
    item(JANUARY, {
      itemId: 'seat',
      billedThroughAt: APRIL,
      terms: [terms({ model: 'PER_UNIT', amount: '12' }, { quantity: '5' })],
    }),
  ]),
  // 99.00 in advance for April; 30.00 in arrears for March.
  member(
    'sub_2',
    'holding',
    [
      item(JANUARY, { itemId: 'fee', billedThroughAt: APRIL, price: { code: 'fee', amount: '99' } }),
      item(JANUARY, {
        itemId: 'support',
        billedThroughAt: MARCH,
        price: { code: 'support', amount: '30', billing: 'ARREARS' },
      }),
    ],
    { planName: 'Base' },
  ),
  // From 10 March: 20.00 × 22 ÷ 31 = 14.193…, then April.
  member('sub_3', 'partner', [
    item(utc('2026-03-10', '08'), { itemId: 'resale', price: { code: 'resale', amount: '20' } }),
  ]),
  // From 20 March, 3 seats of 5.00: 15.00 × 12 ÷ 31 = 5.806…, then April; and once 49.00 for the start.
  member(
    'sub_4',
    'north',
    [
      item(utc('2026-03-20', '08'), {
        itemId: 'ship',
        terms: [terms({ model: 'PER_UNIT', amount: '5' }, { quantity: '3' })],
      }),
      item(utc('2026-03-20', '08'), { itemId: 'start', price: { type: 'SETUP', code: 'start', amount: '49' } }),
    ],
    { hasShippingAddress: true },
  ),
  // A year of 120.00 until New Year; unused from 15 March on: 365 − 31 − 28 − 14 = 292 days, 120.00 × 292 ÷ 365 = 96.00.
  member('sub_5', 'north-1', [
    item(JANUARY, {
      itemId: 'year',
      billedThroughAt: NEW_YEAR,
      endAt: utc('2026-03-15', '16'),
      price: { amount: '120', cadence: cadence('YEAR') },
    }),
  ]),
  // Begins a day too late.
  member('sub_6', 'south', [item(utc('2026-04-02', '08'), { itemId: 'late' })]),
  // Weeks of 7.00 in arrears from 1 January: those that end on 5, 12, 19 and 26 March.
  member(
    'sub_7',
    'holding',
    [
      item(JANUARY, {
        itemId: 'week',
        billedThroughAt: utc('2026-02-25', '23'),
        price: { code: 'week', amount: '7', billing: 'ARREARS', cadence: cadence('WEEK') },
      }),
    ],
    { planName: null },
  ),
];

const charges = [
  waiting('chg_1', 'south', '2026-03-25'),
  waiting('chg_2', 'holding', '2026-04-01', {
    description: 'Rebate',
    quantity: '1',
    unitAmount: '-10',
    amount: '-10.00',
  }),
  waiting('chg_3', 'north', '2026-04-02'),
];

const chargedLines = [
  chargedLine('lin_1', 'year', { start: JANUARY, end: NEW_YEAR }, { charged: '120.00', description: 'Team: seat' }),
];

const accountOrder = ['holding', 'north', 'north-1', 'south', 'partner'];
const run = collectRun(facts('2026-04-01', { members, charges, chargedLines, accountOrder }, ZONE));

test('the rollup, line by line', () => {
  const [rollup] = run.invoices;
  expect(rollup?.splitSubscriptionId).toBeNull();
  expect(table(rollup?.lines ?? [], ZONE)).toEqual([
    'holding RECURRING Base: fee [2026-04-01 2026-05-01] 99.00',
    'holding RECURRING Base: support [2026-03-01 2026-04-01] 30.00',
    'holding RECURRING week [2026-02-26 2026-03-05] 7.00',
    'holding RECURRING week [2026-03-05 2026-03-12] 7.00',
    'holding RECURRING week [2026-03-12 2026-03-19] 7.00',
    'holding RECURRING week [2026-03-19 2026-03-26] 7.00',
    'holding ONE_TIME Rebate [– –] -10.00',
    'north SETUP Team: start [– –] 49.00',
    'north-1 PRORATION_CREDIT Unused time: Team: seat [2026-03-15 2027-01-01] -96.00',
    'south RECURRING Team: seat [2026-04-01 2026-05-01] 60.00',
    'south ONE_TIME Cable [– –] 9.00',
    'partner RECURRING Team: resale, 22 of 31 days [2026-03-10 2026-04-01] 14.19',
    'partner RECURRING Team: resale [2026-04-01 2026-05-01] 20.00',
  ]);
  // 99 + 30 + 4 × 7 − 10 + 49 − 96 + 60 + 9 + 14.19 + 20
  expect(sum((rollup?.lines ?? []).map(({ amount }) => amount)).toFixed(2)).toBe('203.19');
});

test('what north has shipped, by itself', () => {
  expect(run.invoices.length).toBe(2);
  expect(run.invoices[1]?.splitSubscriptionId).toBe('sub_4');
  expect(table(run.invoices[1]?.lines ?? [], ZONE)).toEqual([
    'north RECURRING Team: seat, 12 of 31 days [2026-03-20 2026-04-01] 5.81',
    'north RECURRING Team: seat [2026-04-01 2026-05-01] 15.00',
  ]);
});

test('how far each item is billed now', () => {
  const on = run.progress.map(
    ({ itemId, billedThroughAt, finished }) => `${itemId} ${billedThroughAt}${finished ? ', finished' : ''}`,
  );
  const MAY = '2026-04-30T22:00:00.000Z';
  expect(on).toEqual([
    `seat ${MAY}`,
    `fee ${MAY}`,
    `support ${APRIL}`,
    `resale ${MAY}`,
    `ship ${MAY}`,
    'start 2026-03-19T23:00:00.000Z, finished',
    'year 2026-03-14T23:00:00.000Z, finished',
    'week 2026-03-25T23:00:00.000Z',
  ]);
});

test('each member has its outcome', () => {
  expect(run.members.filter(({ outcome }) => outcome === 'NOTHING_DUE')).toEqual([
    { subscriptionId: 'sub_6', outcome: 'NOTHING_DUE' },
  ]);
  expect(run.members.map(({ subscriptionId }) => subscriptionId)).toEqual(
    members.map(({ subscriptionId }) => subscriptionId),
  );
});
