import { afterAll, beforeAll, expect, test } from 'vitest';
import { forgetExpiredKeys } from '../../src/db/idempotency.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const NOW = '2026-08-02T00:00:00.000Z';
const PORTION = 10_000;

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ clock: { now: () => NOW } });
});
afterAll(() => db.close());

test('keys are forgotten after 24 hours, the oldest first, a portion at a time', async () => {
  const tenantId = 'ten_old';
  const store = (prefix: string, count: number, createdAt: string) =>
    db.query(
      `insert into idempotency_keys (tenant_id, method, path, key, body_hash, status, response, created_at)
       select $1, 'POST', '/notes', $2 || n, '', 201, '"{}"', $4::timestamptz from generate_series(1, $3::int) n`,
      [tenantId, prefix, count, createdAt],
    );
  await store('oldest-', PORTION, '2026-07-30T00:00:00.000Z');
  await store('just-expired-', 2, '2026-08-01T00:00:00.000Z');
  await store('alive-', 3, '2026-08-01T00:00:00.001Z');
  const forget = () => db.database.acrossTenants(forgetExpiredKeys);
  const left = async () =>
    (await db.query<{ key: string }>('select key from idempotency_keys order by key')).map(({ key }) => key);

  expect(await forget()).toBe(PORTION);
  expect(await left()).toEqual(['alive-1', 'alive-2', 'alive-3', 'just-expired-1', 'just-expired-2']);
  expect(await forget()).toBe(2);
  expect(await forget()).toBe(0);
  expect(await left()).toEqual(['alive-1', 'alive-2', 'alive-3']);
});
