import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBatcher } from '../../src/activities/batch.ts';

const PAUSE_MS = 20;
const GATHER_MS = 50;
/** A failure that meets any batch. */
const AWAY = 'the database is away';

beforeAll(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterAll(() => void vi.useRealTimers());

/** A batch that is at work until the test ends it. */
interface AtWork {
  readonly tenantId: string;
  readonly keys: readonly string[];
  answer(left?: readonly string[]): Promise<void>;
  fail(message: string): Promise<void>;
}

/** A batcher whose batches the test ends one by one; each key is answered with `tenant/key` and the batch's number. */
function underControl({ sizeMax = 10, batchesMax = 2, crowdSize = 2 } = {}) {
  const begun: AtWork[] = [];
  const ask = createBatcher<string>({
    sizeMax,
    batchesMax,
    pauseMs: PAUSE_MS,
    crowdSize,
    gatherMs: GATHER_MS,
    isShared: (error) => (error as Error).message === AWAY,
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
  await vi.advanceTimersByTimeAsync(PAUSE_MS);
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

test('a crowd is waited for as long as it keeps coming, up to a limit; a lone caller never waits', async () => {
  const { ask, begun } = underControl({ batchesMax: 2 });
  const comes = async (key: string, thenMs: number): Promise<void> => {
    asked.push(ask('one', key));
    await vi.advanceTimersByTimeAsync(thenMs);
  };
  const asked: Promise<string>[] = [];
  await comes('lone', 0);
  await begun[0]?.answer();
  await comes('lone', 0);
  expect(keysOf(begun)).toEqual(['one: lone', 'one: lone']);
  await begun[1]?.answer();
  asked.push(ask('one', 'a'), ask('one', 'b'));
  await turn();
  await begun[2]?.answer();

  for (const key of ['c', 'd', 'e']) await comes(key, PAUSE_MS - 1);
  expect(keysOf(begun).slice(3), 'the limit').toEqual(['one: c d e']);
  await begun[3]?.answer();
  await comes('f', PAUSE_MS - 1);
  await comes('g', PAUSE_MS - 1);
  expect(begun).toHaveLength(4);
  await vi.advanceTimersByTimeAsync(1);
  expect(keysOf(begun).slice(4), 'the pause').toEqual(['one: f g']);
  await begun[4]?.answer();
  await Promise.all(asked);
});

test('the smaller the last batch, the shorter a crowd is waited for', async () => {
  const { ask, begun } = underControl({ crowdSize: 8 });
  const asked = [ask('one', 'a'), ask('one', 'b')];
  await turn();
  await begun[0]?.answer();
  asked.push(ask('one', 'c'));
  await vi.advanceTimersByTimeAsync(PAUSE_MS / 4 - 1);
  expect(begun).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(keysOf(begun)).toEqual(['one: a b', 'one: c']);
  await begun[1]?.answer();
  await Promise.all(asked);
});

test('a batch that ends does not put off the next one, for which others wait', async () => {
  const { ask, begun } = underControl({ batchesMax: 2 });
  const asked = [ask('one', 'a'), ask('one', 'b')];
  await turn();
  asked.push(ask('one', 'c'), ask('one', 'd'));
  await turn();
  await begun[0]?.answer();
  asked.push(ask('one', 'e'));
  await vi.advanceTimersByTimeAsync(PAUSE_MS - 1);
  expect(begun).toHaveLength(2);
  void begun[1]?.answer();
  await vi.advanceTimersByTimeAsync(1);
  expect(keysOf(begun)).toEqual(['one: a b', 'one: c d', 'one: e']);
  await begun[2]?.answer();
  await Promise.all(asked);
});

test('when a crowd is long gone nobody waits for another', async () => {
  const { ask, begun } = underControl();
  const asked = [ask('one', 'a'), ask('one', 'b')];
  await turn();
  await begun[0]?.answer();
  await vi.advanceTimersByTimeAsync(GATHER_MS);
  asked.push(ask('one', 'c'));
  await vi.advanceTimersByTimeAsync(0);
  expect(keysOf(begun)).toEqual(['one: a b', 'one: c']);
  await begun[1]?.answer();
  await Promise.all(asked);
});

test('a failure that meets any batch is tried once more, and then told to all', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const asked = Promise.allSettled(['a', 'b', 'c', 'd'].map((key) => ask('one', key)));
  await turn();
  await begun[0]?.fail(AWAY);
  await turn();
  await begun[1]?.fail(AWAY);
  expect((await asked).map((outcome) => outcome.status === 'rejected' && String(outcome.reason))).toEqual(
    Array.from({ length: 4 }, () => `Error: ${AWAY}`),
  );
  expect(keysOf(begun)).toEqual(['one: a b c d', 'one: a b c d']);
});

test('one that was away and is back has lost nobody', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const asked = Promise.all([ask('one', 'a'), ask('one', 'b')]);
  await turn();
  await begun[0]?.fail(AWAY);
  await turn();
  await begun[1]?.answer();
  expect(await asked).toEqual(['one/a in 2', 'one/b in 2']);
});

test('a full batch does not wait', async () => {
  const { ask, begun } = underControl({ sizeMax: 2, batchesMax: 1 });
  const asked = [ask('one', 'a'), ask('one', 'b')];
  await turn();
  await begun[0]?.answer();
  asked.push(ask('one', 'c'), ask('one', 'd'));
  await vi.advanceTimersByTimeAsync(0);
  expect(keysOf(begun)).toEqual(['one: a b', 'one: c d']);
  await begun[1]?.answer();
  await Promise.all(asked);
});

test('a batch that fails is halved until only the one that fails is told', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const asked = Promise.allSettled(['a', 'b', 'c', 'd', 'bad'].map((key) => ask('one', key)));
  await turn();
  for (let next = 0; next < begun.length; next += 1) {
    const batch = begun[next] as AtWork;
    if (batch.keys.includes('bad')) await batch.fail(batch.keys.length > 1 ? 'one of them is bad' : 'bad is bad');
    else await batch.answer();
    await turn();
  }
  expect(keysOf(begun)).toEqual(['one: a b c d bad', 'one: a b c', 'one: d bad', 'one: d', 'one: bad']);
  expect(
    (await asked).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason))),
  ).toEqual(['one/a in 2', 'one/b in 2', 'one/c in 2', 'one/d in 4', 'Error: bad is bad']);
});

test('one that may have few beside it ends the batch before it; asked for again later, it goes with all others', async () => {
  const { ask, begun } = underControl({ batchesMax: 1 });
  const failing = [ask('one', 'a'), ask('one', 'b')];
  await turn();
  const later = [ask('one', 'c'), ask('one', 'd')];
  await begun[0]?.fail('together');
  await turn();
  const again = ask('one', 'a');
  for (let next = 1; next < begun.length; next += 1) {
    await begun[next]?.answer();
    await turn();
  }
  expect(keysOf(begun).slice(1)).toEqual(['one: c d', 'one: a', 'one: b']);
  expect(await Promise.all([...failing, again])).toEqual(['one/a in 3', 'one/b in 4', 'one/a in 3']);
  await Promise.all(later);
  const others = [ask('one', 'e'), ask('one', 'a')];
  await turn();
  expect(keysOf(begun).slice(4)).toEqual(['one: e a']);
  await begun[4]?.answer();
  await Promise.all(others);
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
