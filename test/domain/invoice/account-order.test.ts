import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderAccounts, type PlacedAccount } from '../../../src/domain/invoice/account-order.ts';

const placed = (...pairs: readonly string[]): PlacedAccount[] =>
  pairs.map((pair) => {
    const [id = '', parentId = ''] = pair.split('<');
    return { id, parentId: parentId === '' ? null : parentId };
  });

const orderFor = (accounts: readonly PlacedAccount[]): string[] | undefined =>
  orderAccounts([{ payerId: 'payer', ownerIds: accounts.map(({ id }) => id) }], accounts)[0];

describe('the order of accounts on an invoice (RO1)', () => {
  test.each([
    ['the payer alone', [], ['payer']],
    ['siblings as they are given', placed('b<payer', 'a<payer'), ['payer', 'b', 'a']],
    [
      'the tree depth first, whenever the grandchildren were made',
      placed('a1<a', 'a<payer', 'b<payer', 'b1<b', 'a2<a'),
      ['payer', 'a', 'a1', 'a2', 'b', 'b1'],
    ],
    ['accounts from elsewhere last', placed('x', 'y<z', 'a<payer'), ['payer', 'a', 'x', 'y']],
    ['an account from above the payer, last', placed('payer<top', 'top', 'a<payer'), ['payer', 'a', 'top']],
    ['the payer first, also when it stands below an owner', placed('top', 'payer<top'), ['payer', 'top']],
  ])('%s', (_, accounts, order) => {
    expect(orderFor(accounts)).toEqual(order);
  });

  test('each party has its own, and none the accounts from elsewhere of another', () => {
    const accounts = placed('x', 'north<top', 'a<north', 'south<top', 'b<south');
    const parties = [
      { payerId: 'top', ownerIds: ['b', 'top', 'a'] },
      { payerId: 'south', ownerIds: ['a', 'x', 'b'] },
      { payerId: 'x', ownerIds: ['x'] },
    ];
    expect(orderAccounts(parties, accounts)).toEqual([
      ['top', 'north', 'a', 'south', 'b'],
      ['south', 'b', 'x', 'a'],
      ['x'],
    ]);
  });

  /** A random forest: each account hangs under the payer, an earlier account, or nothing. */
  const forests = fc.array(fc.nat(), { maxLength: 40 }).map((places) =>
    places.map((place, index): PlacedAccount => {
      const above = ['payer', null, ...Array.from({ length: index }, (__, earlier) => `c${earlier}`)];
      return { id: `c${index}`, parentId: above[place % above.length] ?? null };
    }),
  );

  test('everybody is there once, and below the payer nobody stands between an account and what is below it', () => {
    fc.assert(
      fc.property(forests, (forest) => {
        const order = orderFor(forest) ?? [];
        expect(order.toSorted()).toEqual(['payer', ...forest.map(({ id }) => id)].toSorted());
        const parents = new Map(forest.map(({ id, parentId }) => [id, parentId]));
        const isBelow = (id: string | null, top: string): boolean =>
          id !== null && (id === top || isBelow(parents.get(id) ?? null, top));
        for (const { id: top } of forest.filter(({ id }) => isBelow(id, 'payer'))) {
          const places = order.flatMap((id, place) => (isBelow(id, top) ? [place] : []));
          expect(order[places[0] ?? 0]).toBe(top);
          expect((places.at(-1) ?? 0) - (places[0] ?? 0)).toBe(places.length - 1);
        }
      }),
    );
  });
});
