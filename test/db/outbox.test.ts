import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newIdStem } from '../../src/db/ids.ts';
import { enqueue, OUTBOX_CHANNEL } from '../../src/db/outbox.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
  client = await api.tenant();
});
afterAll(() => api.close());

const message = (dedupeKey: string) => ({
  topic: 'group.refresh' as const,
  dedupeKey,
  payload: { billingGroupId: dedupeKey },
});
const put = (dedupeKey: string) => api.db.database.inTenant(client.tenantId, (tx) => enqueue(tx, message(dedupeKey)));
const waiting = async (dedupeKey: string) =>
  (await api.db.query('select 1 from outbox_messages where dedupe_key = $1', [dedupeKey])).length;

test('one of a kind waits at a time; once it is claimed, the next may wait', async () => {
  await put('g');
  await put('g');
  expect(await waiting('g')).toBe(1);
  await api.db.query(`update outbox_messages set claimed_at = now() where dedupe_key = 'g'`);
  await put('g');
  expect(await waiting('g')).toBe(2);
});

test('many at once leave one', async () => {
  await Promise.all(Array.from({ length: 8 }, () => put('h')));
  expect(await waiting('h')).toBe(1);
});

test('the relay is woken by the commit, and not by what is rolled back', async () => {
  const heard: string[] = [];
  const listener = new pg.Client({ connectionString: api.db.ownerUrl });
  await listener.connect();
  listener.on('notification', ({ channel }) => heard.push(channel));
  await listener.query(`listen ${OUTBOX_CHANNEL}; listen fence`);
  await put('i');
  const failing = api.db.database.inTenant(client.tenantId, async (tx) => {
    await enqueue(tx, message('j'));
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  // Notifications arrive in the order of the commits: behind the fence nothing of the above is still on its way.
  await api.db.query('notify fence');
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual([OUTBOX_CHANNEL, 'fence']);
  await listener.end();
  expect(await waiting('j')).toBe(0);
});

test('statements of one millisecond count up from stems of their own', () => {
  expect(new Set(Array.from({ length: 1_000 }, () => newIdStem('out'))).size).toBe(1_000);
});
