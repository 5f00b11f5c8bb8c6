import { createWaitingLine, type Waiting } from './waiting-line.ts';

/** Does something for one key of a tenant. */
export type Batched<R> = (tenantId: string, key: string) => Promise<R>;

type Batch<R> = ReadonlyMap<string, Waiting<R>>;

export interface BatcherOptions<R> {
  /** Does a batch of one tenant; a key that is missing in the answer is put into a later one. It has to answer at least one. */
  perform(tenantId: string, keys: readonly string[]): Promise<ReadonlyMap<string, R>>;
  /** Whether a failure would meet any batch: it is tried once more as it is, and then told to all. */
  isShared(error: unknown): boolean;
  /** Keys of a batch. */
  readonly sizeMax: number;
  /** Batches at work at a time. */
  readonly batchesMax: number;
  /**
   * While there is a crowd, a batch that is not full begins when nobody has come for this long. There is one when a batch had
   * more than one key, until `gatherMs` later; else nobody is kept waiting.
   */
  readonly pauseMs: number;
  /** After a batch of so many keys the whole pause is waited, after a smaller one that part of it: a few are soon all there. */
  readonly crowdSize: number;
  /** How long the oldest key waits for others at most. */
  readonly gatherMs: number;
}

/**
 * Gathers what is asked for at the same time: what waits while earlier batches are at work goes together into the next one.
 * Tenants take turns, so that one with thousands of keys delays one with ten by no more than the batches at work (rule 5 of
 * the workflow design). A batch that fails is halved, so that in the end only the one that fails is told.
 */
export function createBatcher<R>(options: BatcherOptions<R>): Batched<R> {
  const line = createWaitingLine<R>();
  let atWork = 0;
  let lastCameAt = 0;
  let crowdUntil = 0;
  let lastSize = 1;
  let planned: { readonly at: number; readonly timer: NodeJS.Timeout } | null = null;

  const run = async (tenantId: string, batch: Batch<R>): Promise<void> => {
    const left = await attempt(options, tenantId, batch);
    for (const [key, waiting] of left) line.add(tenantId, key, { ...waiting, since: performance.now() });
    atWork -= 1;
    if (batch.size > 1) crowdUntil = performance.now() + options.gatherMs;
    lastSize = batch.size;
    plan();
  };

  /** When the next batch may begin; null while there is none, or no room for it. */
  const nextAt = (now: number): number | null => {
    const waiting = line.size();
    if (waiting === 0 || atWork >= options.batchesMax) return null;
    if (now > crowdUntil || waiting >= options.sizeMax) return now;
    const pauseMs = options.pauseMs * Math.min(1, lastSize / options.crowdSize);
    return Math.max(now, Math.min(lastCameAt + pauseMs, line.oldestSince() + options.gatherMs));
  };

  const plan = (): void => {
    const now = performance.now();
    const at = nextAt(now);
    // One that is to begin now is not put off.
    if (at === null || (planned !== null && planned.at <= at && planned.at <= now)) return;
    clearTimeout(planned?.timer);
    planned = { at, timer: setTimeout(pump, at - now) };
  };

  const pump = (): void => {
    planned = null;
    while (atWork < options.batchesMax) {
      const next = line.take(options.sizeMax);
      if (next === null) return;
      atWork += 1;
      void run(next.tenantId, next.batch);
    }
  };

  return (tenantId, key) =>
    new Promise((resolve, reject) => {
      lastCameAt = performance.now();
      const callers = [{ resolve, reject }];
      line.add(tenantId, key, { callers, together: options.sizeMax, isAgain: false, since: lastCameAt });
      plan();
    });
}

/**
 * Does a batch and tells its callers.
 *
 * @returns the keys that go on waiting: those that were left out, and after a failure those that it may not be due to.
 */
async function attempt<R>(
  { perform, isShared }: Pick<BatcherOptions<R>, 'perform' | 'isShared'>,
  tenantId: string,
  batch: Batch<R>,
): Promise<Batch<R>> {
  try {
    const results = await perform(tenantId, [...batch.keys()]);
    if (results.size === 0) throw new Error('The batch has answered nothing.');
    for (const [key, { callers }] of batch) {
      const result = results.get(key);
      if (result !== undefined) for (const { resolve } of callers) resolve(result);
    }
    return new Map([...batch].filter(([key]) => !results.has(key)));
  } catch (error) {
    const isAgain = isShared(error);
    const together = isAgain ? batch.size : Math.ceil(batch.size / 2);
    const isTold = (waiting: Waiting<R>): boolean => batch.size === 1 || (isAgain && waiting.isAgain);
    for (const waiting of batch.values()) if (isTold(waiting)) for (const { reject } of waiting.callers) reject(error);
    return new Map(
      [...batch]
        .filter(([, waiting]) => !isTold(waiting))
        .map(([key, waiting]) => [key, { ...waiting, together, isAgain }]),
    );
  }
}
