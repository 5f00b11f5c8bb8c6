/** Does something for one key of a tenant. */
export type Batched<R> = (tenantId: string, key: string) => Promise<R>;

interface Waiting<R> {
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

interface Queue<R> {
  readonly waiting: Map<string, Waiting<R>[]>;
  /** Keys whose batch has failed: each is done by itself, so that only the one that fails is told. */
  readonly alone: Set<string>;
}

/**
 * Gathers what is asked for at the same time: what waits while earlier batches are at work goes together into the next one.
 * Tenants take turns, so that one with thousands of keys delays one with ten by no more than the batches at work (rule 5 of
 * the workflow design).
 *
 * @param options.perform     does a batch of one tenant; a key that is missing in the answer is put into a later batch. It
 *                            has to answer at least one.
 * @param options.sizeMax     keys of a batch.
 * @param options.batchesMax  batches at work at a time.
 * @param options.gatherMs    how long the first key of a batch waits for others to join it. Only after a batch that had more
 *                            than one: a lone caller is never kept waiting.
 */
export function createBatcher<R>(options: {
  perform(tenantId: string, keys: readonly string[]): Promise<ReadonlyMap<string, R>>;
  sizeMax: number;
  batchesMax: number;
  gatherMs: number;
}): Batched<R> {
  const queues = new Map<string, Queue<R>>();
  let atWork = 0;
  let isBusy = false;
  let timer: NodeJS.Timeout | null = null;

  const enqueue = (tenantId: string, key: string, waiting: readonly Waiting<R>[], isAlone: boolean): void => {
    const queue = queues.get(tenantId) ?? { waiting: new Map<string, Waiting<R>[]>(), alone: new Set<string>() };
    queues.set(tenantId, queue);
    queue.waiting.set(key, [...(queue.waiting.get(key) ?? []), ...waiting]);
    if (isAlone) queue.alone.add(key);
  };

  const run = async (tenantId: string, batch: ReadonlyMap<string, Waiting<R>[]>): Promise<void> => {
    try {
      const results = await options.perform(tenantId, [...batch.keys()]);
      if (results.size === 0) throw new Error('The batch has answered nothing.');
      for (const [key, waiting] of batch) {
        const result = results.get(key);
        if (result === undefined) enqueue(tenantId, key, waiting, false);
        else for (const { resolve } of waiting) resolve(result);
      }
    } catch (error) {
      if (batch.size > 1) for (const [key, waiting] of batch) enqueue(tenantId, key, waiting, true);
      else for (const waiting of batch.values()) for (const { reject } of waiting) reject(error);
    }
    atWork -= 1;
    isBusy = batch.size > 1;
    gather();
  };

  const gather = (): void => {
    const waiting = queues.values().reduce((sum, queue) => sum + queue.waiting.size, 0);
    if (waiting === 0 || timer !== null) return;
    timer = setTimeout(
      () => {
        timer = null;
        pump();
      },
      isBusy && waiting < options.sizeMax ? options.gatherMs : 0,
    );
  };

  const pump = (): void => {
    for (const [tenantId, queue] of queues) {
      if (atWork >= options.batchesMax) return;
      const batch = takeBatch(queue, options.sizeMax);
      // To the end of the line, or out of it.
      queues.delete(tenantId);
      if (queue.waiting.size > 0) queues.set(tenantId, queue);
      atWork += 1;
      void run(tenantId, batch);
    }
  };

  return (tenantId, key) =>
    new Promise((resolve, reject) => {
      enqueue(tenantId, key, [{ resolve, reject }], false);
      gather();
    });
}

/** The oldest keys, as many as fit; or one that has to be alone. */
function takeBatch<R>({ waiting, alone }: Queue<R>, sizeMax: number): Map<string, Waiting<R>[]> {
  const batch = new Map<string, Waiting<R>[]>();
  for (const [key, waiters] of waiting) {
    const isAlone = alone.has(key);
    if (batch.size >= sizeMax || (isAlone && batch.size > 0)) break;
    batch.set(key, waiters);
    waiting.delete(key);
    alone.delete(key);
    if (isAlone) break;
  }
  return batch;
}
