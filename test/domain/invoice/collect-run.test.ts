import { describe, expect, test } from 'vitest';
import { collectRun, type RunFacts } from '../../../src/domain/invoice/collect-run.ts';
import { item, terms } from '../subscription/items.ts';
import { chargedLine, facts, member, table, waiting } from './run-facts.ts';

const midnight = (date: string) => `${date}T00:00:00.000Z`;
const JANUARY = midnight('2026-01-01');

/** A flat item of 10.00 a month in advance, billed through 1 April. */
const running = (itemId: string, changes: Parameters<typeof item>[1] = {}) =>
  item(JANUARY, { itemId, billedThroughAt: midnight('2026-04-01'), ...changes });

const owners = (changes: Partial<RunFacts>) =>
  collectRun(facts('2026-04-01', changes)).invoices.flatMap(({ lines }) => lines.map(({ ownerId }) => ownerId));

describe('the order of lines (RO1)', () => {
  const members = [
    member('sub_1', 'child', [running('a')]),
    member('sub_2', 'payer', [running('b')]),
    member('sub_3', 'nephew', [running('c')]),
  ];

  test('the payer first, then accounts as the tree has them', () => {
    expect(owners({ members, accountOrder: ['payer', 'nephew', 'child'] })).toEqual(['payer', 'nephew', 'child']);
    expect(owners({ members, accountOrder: ['payer', 'child', 'nephew'] })).toEqual(['payer', 'child', 'nephew']);
  });

  test('an account that the order lacks comes last', () => {
    expect(owners({ members, accountOrder: ['payer', 'nephew'] })).toEqual(['payer', 'nephew', 'child']);
  });

  test('within an account by subscription, item and period; one-time charges after', () => {
    const one = member('sub_1', 'payer', [
      running('a', { price: { code: 'second' } }),
      running('b', { price: { code: 'first' } }),
    ]);
    const two = member('sub_2', 'payer', [item(midnight('2026-02-10'), { itemId: 'c' })], { planName: null });
    const charges = [
      waiting('chg_1', 'payer', '2026-03-01'),
      waiting('chg_2', 'payer', '2026-02-01', { description: 'Plug' }),
    ];
    const { invoices } = collectRun(facts('2026-04-01', { members: [one, two], charges }));
    expect(table(invoices[0]?.lines ?? [])).toEqual([
      'payer RECURRING Team: second [2026-04-01 2026-05-01] 10.00',
      'payer RECURRING Team: first [2026-04-01 2026-05-01] 10.00',
      'payer RECURRING seat, 19 of 28 days [2026-02-10 2026-03-01] 6.79',
      'payer RECURRING seat [2026-03-01 2026-04-01] 10.00',
      'payer RECURRING seat [2026-04-01 2026-05-01] 10.00',
      'payer ONE_TIME Cable [– –] 9.00',
      'payer ONE_TIME Plug [– –] 9.00',
    ]);
  });
});

describe('invoices', () => {
  const ships = { hasShippingAddress: true };
  const setup = item(JANUARY, { itemId: 's', price: { type: 'SETUP', code: 'start' } });

  test('without a line there is none', () => {
    expect(collectRun(facts('2026-04-01')).invoices).toEqual([]);
    expect(collectRun(facts('2026-04-01', { members: [member('sub_1', 'payer', [])] })).invoices).toEqual([]);
  });

  test('what recurs of a subscription that ships somewhere is one of its own, in order of first lines (G5)', () => {
    const members = [
      member('sub_1', 'child', [running('a'), setup], ships),
      member('sub_2', 'payer', [running('b')]),
      member('sub_3', 'payer', [running('c')], ships),
    ];
    const charges = [waiting('chg_1', 'child', '2026-04-01')];
    const { invoices } = collectRun(facts('2026-04-01', { members, charges, accountOrder: ['payer', 'child'] }));
    expect(
      invoices.map(({ splitSubscriptionId, lines }) => [splitSubscriptionId, lines.map((line) => line.kind)]),
    ).toEqual([
      [null, ['RECURRING', 'SETUP', 'ONE_TIME']],
      ['sub_3', ['RECURRING']],
      ['sub_1', ['RECURRING']],
    ]);
  });

  test('the credit of such a subscription goes with it', () => {
    const ended = running('a', { endAt: midnight('2026-03-16') });
    const march = chargedLine('lin_1', 'a', { start: midnight('2026-03-01'), end: midnight('2026-04-01') });
    const { invoices } = collectRun(
      facts('2026-04-01', { members: [member('sub_1', 'payer', [ended], ships)], chargedLines: [march] }),
    );
    expect(invoices.map(({ splitSubscriptionId, lines }) => [splitSubscriptionId, table(lines)])).toEqual([
      ['sub_1', ['payer PRORATION_CREDIT Unused time: Team: seat [2026-03-16 2026-04-01] -5.16']],
    ]);
  });

  test('without a rollup the split ones are all there are', () => {
    const { invoices } = collectRun(
      facts('2026-04-01', { members: [member('sub_1', 'payer', [running('a')], ships)] }),
    );
    expect(invoices.map(({ splitSubscriptionId }) => splitSubscriptionId)).toEqual(['sub_1']);
  });
});

test('each member is collected or has nothing due, and is told so (G12)', () => {
  const members = [
    member('sub_1', 'payer', [running('a')]),
    member('sub_2', 'payer', [item(midnight('2026-04-02'), { itemId: 'b' })]),
    member('sub_3', 'payer', []),
  ];
  expect(collectRun(facts('2026-04-01', { members })).members).toEqual([
    { subscriptionId: 'sub_1', outcome: 'COLLECTED' },
    { subscriptionId: 'sub_2', outcome: 'NOTHING_DUE' },
    { subscriptionId: 'sub_3', outcome: 'NOTHING_DUE' },
  ]);
});

describe('one-time charges (RT5)', () => {
  // prettier-ignore
  test.each([
    { chargeOn: '2026-03-10', taken: true  },
    { chargeOn: '2026-04-01', taken: true  },
    { chargeOn: '2026-04-02', taken: false },
  ])('one dated $chargeOn is taken on 1 April: $taken', ({ chargeOn, taken }) => {
    expect(owners({ charges: [waiting('chg_1', 'payer', chargeOn)] })).toEqual(taken ? ['payer'] : []);
  });
});

describe('an item that ended before what was billed for it is given back the rest (RP5)', () => {
  const year = { start: JANUARY, end: midnight('2027-01-01') };
  const ended = (endAt: string, changes: Parameters<typeof item>[1] = {}) =>
    member('sub_1', 'payer', [item(JANUARY, { itemId: 'a', billedThroughAt: year.end, endAt, ...changes })]);
  const charged = [
    chargedLine('lin_1', 'a', year, { charged: '365.00' }),
    chargedLine('lin_2', 'b', year, { charged: '365.00' }),
  ];
  const lines = (endAt: string, on = '2026-04-01', changes: Parameters<typeof item>[1] = {}) => {
    const { invoices } = collectRun(facts(on, { members: [ended(endAt, changes)], chargedLines: charged }));
    return invoices.flatMap((invoice) => table(invoice.lines));
  };

  //   1 January        16 March 17:00   1 April                          1 January 2027
  //   [----------------x----------------|--------------------------------[--->
  //   [ used: 74 days  [ unused: 291 days, 1.00 each
  // prettier-ignore
  test.each([
    { what: 'from the day of the end on',        end: '2026-03-16T17:00:00.000Z', is: ['payer PRORATION_CREDIT Unused time: Team: seat [2026-03-16 2027-01-01] -291.00'] },
    { what: 'on the day of the event',           end: '2026-04-01T17:00:00.000Z', is: ['payer PRORATION_CREDIT Unused time: Team: seat [2026-04-01 2027-01-01] -275.00'] },
    { what: 'not before the end has come',       end: '2026-04-02T00:00:00.000Z', is: [] },
    { what: 'not when it ends as billed',        end: midnight('2027-01-01'),     is: [] },
  ])('$what', ({ end, is }) => {
    expect(lines(end)).toEqual(is);
  });

  test('the item is finished then, billed through its end', () => {
    const { progress } = collectRun(
      facts('2026-04-01', { members: [ended('2026-03-16T17:00:00.000Z')], chargedLines: charged }),
    );
    expect(progress).toEqual([
      { itemId: 'a', billedThroughAt: midnight('2026-03-16'), phaseKey: null, phaseIndex: null, finished: true },
    ]);
  });

  test('an item billed just through its end is given nothing, whatever lines it has', () => {
    expect(lines('2026-03-16T17:00:00.000Z', '2026-04-01', { billedThroughAt: midnight('2026-03-16') })).toEqual([]);
    expect(lines('2026-03-16T17:00:00.000Z', '2026-04-01', { terms: [] })).toEqual([]);
  });

  test('the credit is written at the terms that hold last', () => {
    const held = [terms({}, { validTo: JANUARY }), terms({ amount: '20' }, { version: 2, validFrom: JANUARY })];
    const members = [ended('2026-03-16T17:00:00.000Z', { terms: held })];
    const { invoices } = collectRun(facts('2026-04-01', { members, chargedLines: charged }));
    expect(invoices[0]?.lines[0]).toMatchObject({ termsVersion: 2, unitAmount: '20' });
  });

  test('several lines of one item, each by itself', () => {
    const march = chargedLine(
      'lin_1',
      'a',
      { start: midnight('2026-03-01'), end: midnight('2026-04-01') },
      { charged: '31.00' },
    );
    const april = chargedLine(
      'lin_2',
      'a',
      { start: midnight('2026-04-01'), end: midnight('2026-05-01') },
      { charged: '30.00' },
    );
    const members = [ended('2026-03-16T17:00:00.000Z', { billedThroughAt: midnight('2026-05-01') })];
    const { invoices } = collectRun(facts('2026-04-01', { members, chargedLines: [march, april] }));
    expect(invoices[0]?.lines.map(({ amount, creditsLineId }) => `${creditsLineId} ${amount}`)).toEqual([
      'lin_1 -16.00',
      'lin_2 -30.00',
    ]);
  });
});

describe('the progress of items', () => {
  const progress = (changes: Parameters<typeof item>[1], start = JANUARY) =>
    collectRun(facts('2026-04-01', { members: [member('sub_1', 'payer', [item(start, changes)])] })).progress;
  const key = 'grp_1@1900-01-01T00:00:00.000Z';

  test('is told when something was billed, with its boundary 0', () => {
    expect(progress({}, midnight('2026-03-10'))).toEqual([
      { itemId: 'itm_1', billedThroughAt: midnight('2026-05-01'), phaseKey: key, phaseIndex: 3, finished: false },
    ]);
  });

  test('is not told when nothing has changed', () => {
    expect(progress({}, midnight('2026-04-02'))).toEqual([]);
    expect(progress({ billedThroughAt: midnight('2026-05-01'), phase: { key, index: 0 } })).toEqual([]);
  });

  test('is told when an item only ends', () => {
    const ended = { billedThroughAt: midnight('2026-04-01'), phase: { key, index: 0 }, endAt: midnight('2026-04-01') };
    expect(progress(ended)).toEqual([
      { itemId: 'itm_1', billedThroughAt: midnight('2026-04-01'), phaseKey: key, phaseIndex: 0, finished: true },
    ]);
  });
});

test('a thousand members of ten items give ten thousand lines, charges and credits alike (G12)', () => {
  const every = (endAt: string | null) =>
    Array.from({ length: 1000 }, (_, m) =>
      member(
        `sub_${m}`,
        `cus_${m}`,
        Array.from({ length: 10 }, (__, i) => running(`${m}/${i}`, { endAt })),
      ),
    );
  const members = every(midnight('2026-03-16'));
  const period = { start: midnight('2026-03-01'), end: midnight('2026-04-01') };
  const chargedLines = members.flatMap(({ items }) =>
    items.map(({ itemId }) => chargedLine(`lin_${itemId}`, itemId, period)),
  );
  for (const changes of [{ members: every(null) }, { members, chargedLines }]) {
    const { invoices } = collectRun(facts('2026-04-01', changes));
    expect(invoices[0]?.lines.length).toBe(10_000);
  }
});
