import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBatcher } from '../../src/activities/batch.ts';

const GATHER_MS = 20;

beforeAll(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterAll(() => void vi.useRealTimers());

/** A batch that is at work until the test ends it. */
interface AtWork {
  readonly tenantId: string;
  readonly keys: readonly string[];
  answer(left?: readonly string[]): Promise<void>;
  fail(message: string): Promise<void>;
}

/** A batcher whose batches the test ends one by one; each key is answered with `tenant/key` and the batch's number. */
function underControl({ sizeMax = 10, batchesMax = 2 } = {}) {
  const begun: AtWork[] = [];
  const ask = createBatcher<string>({
    sizeMax,
    batchesMax,
    gatherMs: GATHER_MS,
    perform: (tenantId, keys) => {
      const { promise, resolve, reject } = Promise.withResolvers<Map<string, string>>();
      const number = begun.length + 1;
      begun.push({
        tenantId,
        keys,
        answer: (left = []) => {
          const answered = keys.filter((key) => !left.includes(key));
          resolve(new Map(answered.map((key) => [key, `${tenantId}/${key} in ${number}`])));
          return turn();
        },
        fail: (message) => {
          reject(new Error(message));
          return turn();
        },
      });
      return promise;
    },
  });
  return { ask, begun };
}

/** Until all that can be done without another answer was done. */
const turn = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(GATHER_MS);
};

const keysOf = (begun: readonly AtWork[]): string[] =>
  begun.map(({ tenantId, keys }) => `${tenantId}: ${keys.join(' ')}`);

describe('what is asked for at the same time', () => {
  test('goes together, as many as fit, and each is told its own answer', async () => {
    const { ask, begun } = underControl({ sizeMax: 3 });
    const answers = Promise.all(['a', 'b', 'c', 'd'].map((key) => ask('one', key)));
    await turn();
    expect(keysOf(begun)).toEqual(['one: a b c', 'one: d']);
    await begun[1]?.answer();
    await begun[0]?.answer();
    expect(await answers).toEqual(['one/a in 1', 'one/b in 1', 'one/c in 1', 'one/d in 2']);
  });

  test('and what comes while as many batches as allowed are at work waits, and goes together into the next', async () => {
    const { ask, begun } = underControl({ batchesMax: 1 });
    const first = ask('one', 'a');
    await turn();
    const rest: Promise<string>[] = [];
    for (const key of ['b', 'c', 'd']) {
      rest.push(ask('one', key));
      await turn();
    }
    expect(keysOf(begun)).toEqual(['one: a']);
    await begun[0]?.answer();
    expect(keysOf(begun)).toEqual(['one: a', 'one: b c d']);
    await begun[1]?.answer();
    expect(await Promise.all([first, ...rest])).toEqual(['one/a in 1', 'one/b in 2', 'one/c in 2', 'one/d in 2']);
  });
});

test('tenants take turns: one with few keys waits for no more than one batch of one with many, and those at work', async () => {
  const { ask, begun } = underControl({ sizeMax: 2, batchesMax: 2 });
  const crowd = Array.from({ length: 8 }, (_, index) => ask('many', `m${index}`));
  await turn();
  const few = [ask('few', 'f0'), ask('few', 'f1'), ask('few', 'f2')];
  await turn();
  for (let next = 0; next < begun.length; next += 1) await begun[next]?.answer();
  await Promise.all([...crowd, ...few]);
  expect(keysOf(begun)).toEqual(['many: m0 m1', 'many: m2 m3', 'many: m4 m5', 'few: f0 f1', 'many: m6 m7', 'few: f2']);
});

test('a batch that fails is done one by one, and only the one that fails is told', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const asked = Promise.allSettled(['a', 'bad', 'c'].map((key) => ask('one', key)));
  await turn();
  await begun[0]?.fail('one of them is bad');
  // What comes meanwhile is not drawn into it.
  const late = ask('one', 'late');
  await begun[1]?.answer();
  await begun[2]?.fail('bad is bad');
  await begun[3]?.answer();
  await begun[4]?.answer();
  expect(await late).toBe('one/late in 5');
  expect(keysOf(begun)).toEqual(['one: a bad c', 'one: a', 'one: bad', 'one: c', 'one: late']);
  expect(
    (await asked).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason))),
  ).toEqual(['one/a in 2', 'Error: bad is bad', 'one/c in 4']);
});

test('one that has to be alone ends the batch before it, and takes nobody with it', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const failing = Promise.allSettled([ask('one', 'a'), ask('one', 'b')]);
  await turn();
  const later = [ask('one', 'c'), ask('one', 'd')];
  await begun[0]?.fail('together');
  expect(keysOf(begun).slice(1)).toEqual(['one: c d']);
  for (let next = 1; next < 4; next += 1) await begun[next]?.answer();
  await Promise.all(later);
  expect((await failing).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  expect(keysOf(begun).slice(2)).toEqual(['one: a', 'one: b']);
});

test('one that was alone goes with others again when it is asked for again', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const first = Promise.all([ask('one', 'a'), ask('one', 'b')]);
  await turn();
  await begun[0]?.fail('together');
  const again = Promise.all([ask('one', 'c'), ask('one', 'a')]);
  for (const next of [1, 2, 3]) await begun[next]?.answer();
  await first;
  expect(await again).toEqual(['one/c in 4', 'one/a in 4']);
});

test('a key that a batch leaves unanswered goes into a later one', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const asked = Promise.all(['a', 'b', 'c'].map((key) => ask('one', key)));
  await turn();
  await begun[0]?.answer(['b', 'c']);
  await begun[1]?.answer(['c']);
  await begun[2]?.answer();
  expect(await asked).toEqual(['one/a in 1', 'one/b in 2', 'one/c in 3']);
});

test('a batch that answers nothing is a failure, and not an endless loop', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const asked = Promise.allSettled([ask('one', 'a'), ask('one', 'b')]);
  await turn();
  for (let next = 0; next < 3; next += 1) await begun[next]?.answer(['a', 'b']);
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(begun).toHaveLength(3);
});

test('a key that is asked for twice is done once for both, or again when the first is at work', async () => {
  const { ask, begun } = underControl();
  const waiting = Promise.all([ask('one', 'a'), ask('one', 'a'), ask('other', 'a')]);
  await turn();
  const atWork = ask('one', 'a');
  await turn();
  expect(keysOf(begun)).toEqual(['one: a', 'other: a']);
  await begun[0]?.answer();
  await begun[1]?.answer();
  await begun[2]?.answer();
  expect(await waiting).toEqual(['one/a in 1', 'one/a in 1', 'other/a in 2']);
  expect(await atWork).toBe('one/a in 3');
});

test('whatever the order of questions and answers, each is answered once for its key, or told of its own failure', async () => {
  const question = fc.record({
    kind: fc.constant('ask' as const),
    tenant: fc.constantFrom('A', 'B', 'C'),
    key: fc.constantFrom('k0', 'k1', 'k2', 'k3', 'bad', 'k5', 'k6'),
  });
  const ending = fc.record({ kind: fc.constant('end' as const), place: fc.nat(), leaves: fc.nat({ max: 3 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 3, arbitrary: question }, ending, fc.constant({ kind: 'turn' as const })), {
        maxLength: 60,
      }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      async (acts, sizeMax, batchesMax) => {
        const { ask, begun } = underControl({ sizeMax, batchesMax });
        const open = new Set<AtWork>();
        let known = 0;
        const look = (): void => {
          for (const batch of begun.slice(known)) open.add(batch);
          known = begun.length;
          expect(open.size).toBeLessThanOrEqual(batchesMax);
        };
        const end = async (batch: AtWork, leaves: number): Promise<void> => {
          open.delete(batch);
          expect(batch.keys.length).toBeLessThanOrEqual(sizeMax);
          // One that is bad breaks the batch that it is in; else some may be left, but not all.
          if (batch.keys.includes('bad')) await batch.fail(batch.keys.length > 1 ? 'together' : 'alone');
          else await batch.answer(batch.keys.slice(1, 1 + leaves));
          look();
        };
        const questions: { tenant: string; key: string; outcome: Promise<string> }[] = [];
        for (const act of acts) {
          if (act.kind === 'turn') await turn();
          if (act.kind === 'ask') {
            const outcome = ask(act.tenant, act.key).catch((error: Error) => `failed ${error.message}`);
            questions.push({ ...act, outcome });
          }
          look();
          const batch = act.kind === 'end' ? [...open][act.place % Math.max(1, open.size)] : undefined;
          if (batch !== undefined && act.kind === 'end') await end(batch, act.leaves);
        }
        await turn();
        look();
        for (const batch of open) await end(batch, 0);
        expect(open.size).toBe(0);
        for (const { tenant, key, outcome } of questions)
          expect((await outcome).replace(/ in \d+$/, '')).toBe(key === 'bad' ? 'failed alone' : `${tenant}/${key}`);
      },
    ),
    { numRuns: 300 },
  );
});
