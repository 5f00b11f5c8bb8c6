import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { until } from '../../src/runtime/until.ts';
import type { World } from '../activities/world.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, PAYERS, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { closeGate } from './support/gate.ts';
import { type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks } from './support/proof.ts';
import { chances, seedOf } from './support/seed.ts';
import { openWrites, STEPS, stepsUnderWay } from './support/under-way.ts';

/**
 * Of "300 cycles of 30 groups" this is the reading: 300 runs and more in all, ten boundaries and more of each of 30 groups.
 * 300 of each would be 9 000 runs: on two cores a quarter of an hour, half of it for the books to compare with.
 */
const WORLDS = 6;
const RUNS_MIN = 300;
const WORKERS = 2;
const KILLS = 10;
/** By this part of all runs the last kill is due: some have to be left for it to meet. */
const LAST_BY = 0.9;
/** How long something is waited for that would be good to hit; when it does not happen soon, any moment is as good. */
const AIM_MS = 1_000;

const seed = seedOf('kill-worker');
const random = chances(seed, 999_999);
const below = (limit: number): number => random.next().value % limit;

/** Kills are due by progress, not by time, so that they are spread over the whole job on any machine. */
interface Moment {
  /** Part of all runs that have to be over. */
  readonly after: number;
  /** From then on. */
  readonly delayMs: number;
  readonly place: 'in a transaction' | (typeof STEPS)[number];
  readonly victims: 'all' | number;
}

/** All that chance decides, drawn before the first worker starts: one in each tenth, every other one between two steps. */
const moments: readonly Moment[] = Array.from({ length: KILLS }, (_, index) => ({
  after: ((index + below(1_000) / 1_000) / KILLS) * LAST_BY,
  delayMs: below(200),
  place: index % 2 === 1 ? 'in a transaction' : (STEPS[below(STEPS.length)] ?? 'OPENED'),
  victims: index % 2 === 1 || below(2) === 0 ? 'all' : below(WORKERS),
}));

let db: TestDatabase;
let workers: Program[] = [];
let worlds: World[];
beforeAll(async () => {
  worlds = busyWorlds(seed, WORLDS);
  db = await createTestDatabase();
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
  await db.close();
});

const taskQueue = `kill-${randomUUID()}`;
const startOne = (): Program =>
  startProgram('worker', { databaseUrl: db.ownerUrl, temporalAddress: inject('temporalAddress'), taskQueue });

/** How often a kill hit each place: a statement of a transaction, or the step that a run had behind it. */
const hits = new Map<string, number>(STEPS.map((step) => [step, 0]));
const hit = (places: readonly string[]): void => {
  for (const place of places) hits.set(place, (hits.get(place) ?? 0) + 1);
};

async function watchFor(ask: () => Promise<boolean>): Promise<void> {
  await until({ ask, withinMs: AIM_MS, everyMs: 1 }).catch(() => undefined);
}

/** Waits until a moment has come, and kills: in the middle of a transaction where none was cut before, or at a step. */
async function killAt({ after, delayMs, place, victims }: Moment, runs: number): Promise<void> {
  await until({ ask: async () => (await runsOver()) >= after * runs, withinMs: 300_000, everyMs: 10 });
  await delay(delayMs);
  const doomed = victims === 'all' ? workers : workers.filter((_, index) => index === victims);
  const kill = () => Promise.all(doomed.map((worker) => worker.end('SIGKILL')));
  if (place === 'in a transaction') {
    let open: string[] = [];
    await watchFor(async () => {
      open = await openWrites(db);
      return open.some((one) => !hits.has(one));
    });
    await kill();
    hit(open);
  } else {
    // Held at their numbers and cut off there, runs go step by step.
    const gate = await closeGate(db, 'number_streams');
    await gate.cutUntil(async () => (await stepsUnderWay(db)).length > 0);
    await watchFor(async () => (await stepsUnderWay(db)).includes(place));
    await kill();
    hit(await stepsUnderWay(db));
    await gate.open();
  }
  workers = workers.map((worker) => (doomed.includes(worker) ? startOne() : worker));
}

const runsOver = async (): Promise<number> =>
  (await db.query(`select 1 from billing_runs where status in ('ISSUED', 'EMPTY', 'SKIPPED')`)).length;

test('workers that are killed at random moments, again and again: the books are those of a world without a fault', async () => {
  const reference = await undisturbed(worlds);
  const runs = reference.flatMap((books) => books['billing_runs'] ?? []).length;
  const inhabited = await inhabit(db.database, worlds);
  workers = Array.from({ length: WORKERS }, startOne);
  await Promise.all(workers.map(({ ready }) => ready));
  await sendClocks(db.database, inhabited);

  const overAtKill: number[] = [];
  for (const moment of moments) {
    await killAt(moment, runs);
    overAtKill.push(await runsOver());
    await Promise.any(workers.map(({ ready }) => ready));
  }
  const report = [...hits].map(([place, count]) => `${place} ${count}`).join(', ');
  process.stderr.write(`kill-worker: killed after ${overAtKill.join(', ')} of ${runs} runs; cut: ${report}\n`);
  await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);

  for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
  const [counted] = await db.query<{ groups: number; runs: number }>(
    `select count(distinct billing_group_id)::int as groups, count(*)::int as runs from billing_runs where kind = 'BOUNDARY'`,
  );
  expect(counted?.groups).toBe(WORLDS * PAYERS);
  expect(counted?.runs).toBeGreaterThanOrEqual(RUNS_MIN);
  // Spread over the whole job: some in each quarter, and the last one late, but before the last run.
  const quarters = overAtKill.map((over) => Math.floor((4 * over) / runs));
  expect(new Set(quarters), `killed after ${overAtKill.join(', ')} of ${runs}`).toEqual(new Set([0, 1, 2, 3]));
  expect(overAtKill.at(-1)).toBeGreaterThanOrEqual(0.8 * runs);
  // Each step is interrupted one by one in each-step.test.ts; here chance decides, and has to have met both kinds of places.
  expect(STEPS.filter((step) => (hits.get(step) ?? 0) > 0).length, report).toBeGreaterThanOrEqual(1);
  expect(hits.size - STEPS.length, `places in the middle of a transaction: ${report}`).toBeGreaterThanOrEqual(3);
}, 1_200_000);
