import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf } from '../activities/dump.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { create, flat } from '../support/billing-shapes.ts';
import { mountSmallDisk } from './support/small-disk.ts';

const DISK_MB = 16;
/** A page has room for so many rows of each table at most. */
const REQUESTS_MAX = 150;

const disk = await mountSmallDisk(DISK_MB);

/** What a subscription with a group of its own writes to: tables from the first that it comes to, to the last. */
const TABLES = [
  'billing_groups',
  'subscriptions',
  'subscription_items',
  'item_terms',
  'group_memberships',
  'audit_events',
  'outbox_messages',
  'idempotency_keys',
] as const;

describe.skipIf(disk === null)('a disk on which one of many tables cannot grow', () => {
  let api: TestApi;
  let tenant: Client;
  let customerId: string;
  beforeAll(async () => {
    api = await startTestApi();
    await api.db.query(`create tablespace small location '${disk?.folder}'`);
    tenant = await api.tenant();
    customerId = (await create(tenant, '/customers', { name: 'Many tables' })).id;
    const prices = Array.from({ length: 5 }, (_, index) => flat(`price-${index}`, '1.00'));
    await create(tenant, '/plans', { code: 'many', name: 'Many', prices });
  });
  afterAll(async () => {
    await api.db.query('drop tablespace small');
    await api.close();
    await disk?.unmount();
  });

  let keys = 0;
  const subscribe = (key: string) =>
    tenant.post('/subscriptions', { customerId, planCode: 'many', align: false }, { 'Idempotency-Key': key });

  test.each(TABLES)(
    '%s: the request is refused, leaves nothing in any other, and serves once there is room',
    async (table) => {
      await api.db.query(`alter table ${table} set tablespace small`);
      try {
        await disk?.fill();
        let before = await rowsOf(api.db, tenant.tenantId);
        let answer = await subscribe(`${(keys += 1)}`);
        // What the table's pages have left is used up first.
        for (let request = 1; answer.status === 201 && request < REQUESTS_MAX; request += 1) {
          before = await rowsOf(api.db, tenant.tenantId);
          answer = await subscribe(`${(keys += 1)}`);
        }
        expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
        expect(answer.body.detail).toContain('no room left on its disk');
        expect(await rowsOf(api.db, tenant.tenantId)).toEqual(before);

        await disk?.empty();
        expect((await subscribe(`${keys}`)).status).toBe(201);
        const after = await rowsOf(api.db, tenant.tenantId);
        for (const name of TABLES) expect(after[name]?.length, name).toBeGreaterThan(before[name]?.length ?? 0);
      } finally {
        await disk?.empty();
        await api.db.query(`alter table ${table} set tablespace pg_default`);
      }
    },
  );
});
