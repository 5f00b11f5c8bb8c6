import fc from 'fast-check';
import { expect } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { whileOpen } from '../support/race.ts';
import { AFTER_COMMIT, BEFORE_COMMIT, crashing, silenced } from './broken-database.ts';
import { fingerprintOf } from './dump.ts';

/** One call of an activity, as its workflow makes it. */
export interface Call<R> {
  readonly activity: string;
  readonly tenantId: string;
  perform(by: Database): Promise<R>;
}

/** Carries a call out: undisturbed, or with something that goes wrong on the way. */
export type Carry = <R>(call: Call<R>) => Promise<R>;

/** Two processes of the product on one database, each with a pool of its own. */
export interface TwoWorkers {
  readonly db: TestDatabase;
  readonly other: Database;
}

/** What may go wrong with a call, by its name; afterwards the call has been answered as its workflow needs it. */
export const FAULTS = {
  'fails before its commit': async ({ db }, call) => {
    const before = await fingerprintOf(db, call.tenantId);
    await expect(call.perform(crashing(db.database))).rejects.toThrow(BEFORE_COMMIT);
    expect(await fingerprintOf(db, call.tenantId), 'what a failed call leaves behind').toBe(before);
    return call.perform(db.database);
  },
  'fails after its commit, before its caller hears of it': async ({ db }, call) => {
    await expect(call.perform(silenced(db.database))).rejects.toThrow(AFTER_COMMIT);
    return call.perform(db.database);
  },
  'is done twice': async ({ db }, call) => {
    await call.perform(db.database);
    return call.perform(db.database);
  },
  'is done by two workers at once': ({ db, other }, call) => whileCalled(db, call, () => call.perform(other)),
} as const satisfies Record<string, <R>(on: TwoWorkers, call: Call<R>) => Promise<R>>;

export type FaultName = keyof typeof FAULTS;

/** Lets a call do its work, keeps its transaction open until the second waits for it, and answers what the second does. */
export const whileCalled = <T>(db: TestDatabase, call: Call<unknown>, second: () => Promise<T>): Promise<T> =>
  whileOpen(db, call.tenantId, (tx) => call.perform({ ...db.database, inTenant: (_, work) => work(tx) }), second);

/** Carries every call out, those of one activity with a fault; counts how often it struck. */
export function striking(
  on: TwoWorkers,
  { activity, fault }: { activity: string; fault: FaultName },
): { carry: Carry; struck(): number } {
  let count = 0;
  const carry: Carry = (call) => {
    if (call.activity !== activity) return call.perform(on.db.database);
    count += 1;
    return FAULTS[fault](on, call);
  };
  return { carry, struck: () => count };
}

/** Carries calls out one after the other with whatever a seed draws for each: a fault, or none. */
export function strikingAtRandom(on: TwoWorkers, seed: number): Carry {
  const names = fc.constantFrom<(FaultName | null)[]>(null, ...(Object.keys(FAULTS) as FaultName[]));
  const draws = fc.sample(names, { seed, numRuns: 1000 });
  let calls = 0;
  return (call) => {
    const fault = draws[calls++ % draws.length] ?? null;
    return fault === null ? call.perform(on.db.database) : FAULTS[fault](on, call);
  };
}
