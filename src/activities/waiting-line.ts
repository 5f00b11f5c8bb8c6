/** Who asked for a key, and is to be told. */
export interface Caller<R> {
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** A key that waits for its batch, and those who asked for it. */
export interface Waiting<R> {
  readonly callers: readonly Caller<R>[];
  /** The most keys of the batch that takes it. */
  readonly together: number;
  /** Whether a failure that smaller batches do not help has met it before. */
  readonly isAgain: boolean;
  /** When it began to wait, by the process's own clock. */
  readonly since: number;
}

/** Keys of many tenants that wait, the oldest of each tenant first; tenants take turns. */
export interface WaitingLine<R> {
  add(tenantId: string, key: string, waiting: Waiting<R>): void;
  size(): number;
  /** When the one that waits longest began; Infinity when none does. */
  oldestSince(): number;
  /** Takes the next batch out, of one tenant, as many keys as fit together; null when none waits. */
  take(sizeMax: number): { tenantId: string; batch: ReadonlyMap<string, Waiting<R>> } | null;
}

/** An empty line. */
export function createWaitingLine<R>(): WaitingLine<R> {
  const queues = new Map<string, Map<string, Waiting<R>>>();
  return {
    add: (tenantId, key, waiting) => {
      const queue = queues.get(tenantId) ?? new Map<string, Waiting<R>>();
      queues.set(tenantId, queue);
      const before = queue.get(key);
      queue.set(key, before === undefined ? waiting : merged(before, waiting));
    },
    size: () => queues.values().reduce((sum, queue) => sum + queue.size, 0),
    oldestSince: () =>
      queues
        .values()
        .flatMap((queue) => queue.values().take(1))
        .reduce((oldest, { since }) => Math.min(oldest, since), Infinity),
    take: (sizeMax) => {
      const [next] = queues;
      if (next === undefined) return null;
      const [tenantId, queue] = next;
      const batch = takeBatch(queue, sizeMax);
      // To the end of the line, or out of it.
      queues.delete(tenantId);
      if (queue.size > 0) queues.set(tenantId, queue);
      return { tenantId, batch };
    },
  };
}

/** Two that wait for the same key: what held for either holds. */
const merged = <R>(before: Waiting<R>, after: Waiting<R>): Waiting<R> => ({
  callers: [...before.callers, ...after.callers],
  together: Math.min(before.together, after.together),
  isAgain: before.isAgain || after.isAgain,
  since: before.since,
});

/** The oldest keys, as many as fit together. */
function takeBatch<R>(queue: Map<string, Waiting<R>>, sizeMax: number): Map<string, Waiting<R>> {
  const batch = new Map<string, Waiting<R>>();
  let room = sizeMax;
  for (const [key, waiting] of queue) {
    room = Math.min(room, waiting.together);
    if (batch.size >= room) break;
    batch.set(key, waiting);
    queue.delete(key);
  }
  return batch;
}
