import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import type { Books } from './support/books.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { quietLog } from '../support/database.ts';
import { FAULTS, type FaultName, striking, strikingAtRandom } from '../activities/faults.ts';
import { drawWorlds, fullWorld, liveThrough, undisturbed } from '../activities/lives.ts';
import { ACTIVITIES_OF, WAYS, type WayName } from '../activities/ways.ts';
import type { World } from '../activities/world.ts';
import { seedOf } from './support/seed.ts';

const clock = { now: () => '2026-06-01T12:00:00.000Z' };
let api: TestApi;
let other: Database;
beforeAll(async () => {
  api = await startTestApi({ clock });
  other = await openDatabase({ ownerUrl: api.db.ownerUrl, log: quietLog, poolSize: 6, clock });
});
afterAll(async () => {
  await other.close();
  await api.close();
});

const SEED = seedOf('each-step');
const WORLDS = Number(process.env['TEST_FAULT_WORLDS'] ?? 4);
const drawn = drawWorlds(SEED, WORLDS);

const ways = Object.keys(WAYS) as WayName[];
const faults = Object.keys(FAULTS) as FaultName[];

/** What a world's books come to when nothing goes wrong and each step is a transaction of its own. */
const expected = new Map<World, Promise<Books>>();
const booksWithoutFaults = (world: World): Promise<Books> => {
  const books = expected.get(world) ?? liveThrough(api, world, WAYS['step by step'], undisturbed(api));
  expected.set(world, books);
  return books;
};

test('one of the worlds has all that a run can meet', async () => {
  const books = await booksWithoutFaults(fullWorld);
  const kinds = new Set((books['invoice_lines'] as { kind: string }[]).map(({ kind }) => kind));
  expect([...kinds].toSorted()).toEqual(['ONE_TIME', 'PRORATION_CREDIT', 'RECURRING', 'SETUP']);
  const statuses = (books['invoices'] as { status: string }[]).map(({ status }) => status);
  expect([...new Set(statuses)].toSorted()).toEqual(['DRAFT', 'OPEN', 'PAID']);
  expect(books['invoices']).toContainEqual(expect.objectContaining({ split_subscription_id: expect.any(String) }));
  expect(books['credit_grants']).toContainEqual(expect.objectContaining({ kind: 'REFUND' }));
  expect(books['coupon_reservations']).toContainEqual(expect.objectContaining({ status: 'RESERVED' }));
  expect(books['credit_reservations']).toContainEqual(expect.objectContaining({ status: 'CAPTURED' }));
  expect(books['credit_reservations']).toContainEqual(expect.objectContaining({ status: 'RESERVED' }));
  expect(books['billing_runs']).toContainEqual(expect.objectContaining({ status: 'EMPTY', reason: 'ZERO' }));
  expect((books['line_taxes'] ?? []).length).toBeGreaterThan(10);
  for (const kind of ['BILL_NOW', 'IMMEDIATE'])
    expect(books['billing_runs']).toContainEqual(expect.objectContaining({ kind, status: 'ISSUED' }));
});

describe.each(ways)('%s', (way) => {
  test('comes to the same books as step by step', async () => {
    expect(await liveThrough(api, fullWorld, WAYS[way], undisturbed(api))).toEqual(await booksWithoutFaults(fullWorld));
  });

  const interruptions = ACTIVITIES_OF[way].flatMap((activity) => faults.map((fault) => ({ activity, fault })));
  test.each(interruptions)('also when each $activity $fault', async ({ activity, fault }) => {
    const { carry, struck } = striking({ db: api.db, other }, { activity, fault });
    expect(await liveThrough(api, fullWorld, WAYS[way], carry)).toEqual(await booksWithoutFaults(fullWorld));
    expect(struck()).toBeGreaterThan(3);
  });

  test.each(drawn.map((world, place) => ({ world, place })))(
    `also in world $place of seed ${SEED}, when anything may go wrong at each call`,
    async ({ world, place }) => {
      const carry = strikingAtRandom({ db: api.db, other }, SEED + place);
      expect(await liveThrough(api, world, WAYS[way], carry)).toEqual(await booksWithoutFaults(world));
    },
  );
});
