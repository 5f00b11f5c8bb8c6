import { expect, test } from 'vitest';
import { advanceGroups } from '../../src/db/billing/advance-groups.ts';
import { moveClock } from '../../src/db/billing/move-clock.ts';
import { createTenant } from '../../src/db/tenants.ts';
import { advanceTestClock } from '../../src/db/test-clocks.ts';
import { makeCrowd } from '../activities/crowd.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { watchStatements } from './query-plans.ts';

// Decision 21: sets of members are joined by hash, however few PostgreSQL takes them for.

const CHILDREN = 1_000;

test('a tenant among small ones, that has imported a thousand members since tables were counted', async () => {
  const db = await createTestDatabase();
  for (let small = 0; small < 30; small += 1) await newCrowd(db, 1);
  await db.query('analyze');
  const { tenantId, crowd } = await newCrowd(db, CHILDREN);
  await db.database.inTenant(tenantId, async (tx) => {
    await advanceTestClock(tx, crowd.testClockId, '2026-01-01T00:00:00.000Z', 'test');
    await moveClock(tx, crowd.testClockId);
  });

  const watched = await watchStatements(() =>
    db.database.inTenant(tenantId, (tx) => advanceGroups(tx, [crowd.groupId])),
  );

  const scans = watched.flatMap((statement) => statement.scans.map((scan) => ({ ...scan, text: statement.text })));
  expect(scans.some(({ table }) => table === 'member_subscriptions')).toBe(true);
  // Set by set, and not each member with each: that would be a million.
  expect(scans.filter(({ visited }) => visited > 3 * CHILDREN)).toEqual([]);
  expect(await db.query('select status from invoices')).toEqual([{ status: 'OPEN' }]);
  await db.close();
});

async function newCrowd(db: TestDatabase, children: number) {
  const { id: tenantId } = await db.database.inTenant('', (tx) =>
    createTenant(tx, { name: 'New', mode: 'TEST', actor: 'test' }),
  );
  return { tenantId, crowd: await makeCrowd(db.database, tenantId, { children, items: 1 }) };
}
