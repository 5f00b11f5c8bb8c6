import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertParent, resolvePayer, TREE_LEVELS_MAX } from '../../../src/domain/customer/hierarchy.ts';

const account = (id: string, billTo: 'PARENT' | 'SELF' = 'PARENT') => ({ id, name: id.toUpperCase(), billTo });

// The chain goes up: the account itself first, the root last.
test.each([
  { when: 'it stands alone', chain: [account('a')], payer: 'a' },
  { when: 'it bills itself', chain: [account('a', 'SELF'), account('b')], payer: 'a' },
  { when: 'it bills its parent', chain: [account('a'), account('b')], payer: 'b' },
  { when: 'all bill upwards', chain: [account('a'), account('b'), account('c')], payer: 'c' },
  { when: 'one on the way bills itself', chain: [account('a'), account('b', 'SELF'), account('c')], payer: 'b' },
  { when: 'two on the way do', chain: [account('a'), account('b', 'SELF'), account('c', 'SELF')], payer: 'b' },
])('$payer pays when $when', ({ chain, payer }) => {
  expect(resolvePayer(chain).id).toBe(payer);
});

test('nobody below the payer bills itself, and there is exactly one payer', () => {
  const chains = fc.array(fc.constantFrom('PARENT' as const, 'SELF' as const), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(chains, (billTos) => {
      const chain = billTos.map((billTo, n) => account(String(n), billTo));
      const place = chain.indexOf(resolvePayer(chain));
      expect(chain.slice(0, place).every(({ billTo }) => billTo === 'PARENT')).toBe(true);
      expect(place === chain.length - 1 || chain[place]?.billTo === 'SELF').toBe(true);
    }),
  );
});

test.each([
  { when: 'it would be its own parent', ancestors: ['a'], circle: 'A → A' },
  { when: 'its child would be its parent', ancestors: ['b', 'a'], circle: 'A → B → A' },
  { when: 'something far below would be', ancestors: ['d', 'c', 'b', 'a', 'root'], circle: 'A → D → C → B → A' },
])('names the circle when $when', ({ ancestors, circle }) => {
  expect(() =>
    assertParent(
      account('a'),
      ancestors.map((id) => account(id)),
      9,
    ),
  ).toThrow(expect.objectContaining({ code: 'customer.cycle', message: expect.stringContaining(`: ${circle}.`) }));
});

const under = (above: number, below: number) => () =>
  assertParent(
    account('a'),
    Array.from({ length: above }, (_, n) => account(`x${n}`)),
    below,
  );

test.each([
  { above: TREE_LEVELS_MAX - 1, below: 1 },
  { above: 30, below: TREE_LEVELS_MAX - 30 },
])('$above levels above and $below of its own are possible', ({ above, below }) => {
  expect(under(above, below)).not.toThrow();
});

test.each([
  { above: TREE_LEVELS_MAX, below: 1 },
  { above: 30, below: TREE_LEVELS_MAX - 29 },
])('$above levels above and $below of its own are too many', ({ above, below }) => {
  expect(under(above, below)).toThrow(expect.objectContaining({ code: 'customer.too_deep' }));
});
