import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { until } from '../../src/runtime/until.ts';
import type { World } from '../activities/world.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, PAYERS, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks } from './support/proof.ts';
import { chances, seedOf } from './support/seed.ts';
import { cutUntilSteps, openWrites, STEPS, stepsUnderWay } from './support/under-way.ts';

const WORLDS = 6;
const WORKERS = 2;
/** Then the rest is left to finish in peace. */
const KILLS_MAX = 12;
/** With fewer the test has proved little. */
const KILLS_MIN = 8;
const AIM_MS = 3_000;

const seed = seedOf('kill-worker');
const random = chances(seed, 999_999);
const below = (limit: number): number => random.next().value % limit;

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

const startOne = (taskQueue: string): Program =>
  startProgram('worker', { databaseUrl: db.ownerUrl, temporalAddress: inject('temporalAddress'), taskQueue });

/** How often a kill hit each place: a statement of a transaction, or the step that a run had behind it. */
const hits = new Map<string, number>(STEPS.map((step) => [step, 0]));
const leastHit = (places: readonly string[]): string | undefined =>
  places.toSorted((a, b) => (hits.get(a) ?? 0) - (hits.get(b) ?? 0))[0];
const hit = (places: readonly string[]): void => {
  for (const place of places) hits.set(place, (hits.get(place) ?? 0) + 1);
};

/** Asks in the shortest intervals until something happens; when it does not happen soon, any moment is as good. */
async function watchFor(ask: () => Promise<boolean>): Promise<void> {
  await until({ ask, withinMs: AIM_MS, everyMs: 1 }).catch(() => undefined);
}

const kill = (victims: readonly Program[]): Promise<unknown> =>
  Promise.all(victims.map((victim) => victim.end('SIGKILL')));

/** Every worker at once, in the middle of a transaction, if it can be where the fewest were cut before. */
async function killInTransaction(): Promise<readonly Program[]> {
  let open: string[] = [];
  await watchFor(async () => {
    open = await openWrites(db);
    return open.some((place) => !hits.has(place));
  });
  await kill(workers);
  hit(open);
  return workers;
}

/** One worker or all, when a run that goes step by step stands at the step where the fewest were cut before. */
async function killBetweenSteps(): Promise<readonly Program[]> {
  await cutUntilSteps(db, AIM_MS).catch(() => undefined);
  const aim = leastHit(STEPS) ?? '';
  await watchFor(async () => (await stepsUnderWay(db)).includes(aim));
  const victims = below(2) === 0 ? workers : [workers[below(workers.length)] as Program];
  await kill(victims);
  hit(await stepsUnderWay(db));
  return victims;
}

test('workers that are killed at random moments, again and again: the books are those of a world without a fault', async () => {
  const reference = await undisturbed(worlds);
  const inhabited = await inhabit(db.database, worlds);
  const taskQueue = `kill-${randomUUID()}`;
  workers = Array.from({ length: WORKERS }, () => startOne(taskQueue));
  await Promise.all(workers.map(({ ready }) => ready));
  await sendClocks(db.database, inhabited);

  let kills = 0;
  while (kills < KILLS_MAX && (await clocksOnTheWay(db)) > 0) {
    await delay(100 + below(2_000));
    const killed = await (kills % 2 === 0 ? killInTransaction() : killBetweenSteps());
    kills += 1;
    workers = workers.map((worker) => (killed.includes(worker) ? startOne(taskQueue) : worker));
    await Promise.any(workers.map(({ ready }) => ready));
  }
  const report = [...hits].map(([place, count]) => `${place} ${count}`).join(', ');
  process.stderr.write(`kill-worker: ${kills} kills; they cut ${report}\n`);
  await eventually(async () => (await clocksOnTheWay(db)) === 0, 'every clock to arrive', 300);

  for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(db, tenantId, reference[index]);
  const [counted] = await db.query<{ groups: number; runs: number }>(
    `select count(distinct billing_group_id)::int as groups, count(*)::int as runs from billing_runs where kind = 'BOUNDARY'`,
  );
  expect(counted?.groups).toBe(WORLDS * PAYERS);
  expect(counted?.runs).toBeGreaterThanOrEqual(300);
  expect(kills).toBeGreaterThanOrEqual(KILLS_MIN);
  // Each step is interrupted one by one in each-step.test.ts; here chance decides, and has to have met both kinds of places.
  expect(STEPS.filter((step) => (hits.get(step) ?? 0) > 0).length, report).toBeGreaterThanOrEqual(1);
  expect(hits.size - STEPS.length, `places in the middle of a transaction: ${report}`).toBeGreaterThanOrEqual(3);
}, 1_200_000);
