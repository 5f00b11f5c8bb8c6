import { afterAll, beforeAll, expect, test } from 'vitest';
import { audit } from '../../src/db/audit.ts';
import { actAs, inSavepoint } from '../../src/db/savepoint.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let client: Client;
beforeAll(async () => {
  api = await startTestApi();
  client = await api.tenant();
});
afterAll(() => api.close());

const note = (subjectId: string) => ({ actor: 'test', action: 'noted', subjectType: 'note', subjectId, detail: {} });
const notes = async () =>
  (await api.db.query(`select subject_id from audit_events where subject_type = 'note' order by id`)).map(
    (row) => row['subject_id'],
  );

test('what fails in a savepoint is undone, what was before and comes after stays', async () => {
  await api.db.database.inTenant(client.tenantId, async (tx) => {
    await audit(tx, note('before'));
    await expect(
      inSavepoint(tx, async (inner) => {
        await audit(inner, note('undone'));
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await inSavepoint(tx, (inner) => audit(inner, note('inside')));
    await audit(tx, note('after'));
  });
  expect(await notes()).toEqual(['before', 'inside', 'after']);
});

test('a statement that fails in a savepoint does not spoil the transaction', async () => {
  await api.db.database.inTenant(client.tenantId, async (tx) => {
    const broken = inSavepoint(tx, ({ db }) =>
      db.selectFrom('customers').select('id').where('createdAt', '=', 'never').execute(),
    );
    await expect(broken).rejects.toMatchObject({ code: '22007' });
    await audit(tx, note('still alive'));
  });
  expect(await notes()).toContain('still alive');
});

test('a transaction that turns to another tenant sees that one, and can turn back', async () => {
  const other = await api.tenant();
  const seen = await api.db.database.inTenant(client.tenantId, async (tx) => {
    const there = await actAs(tx, other.tenantId);
    const tenant = () => tx.db.selectFrom('tenants').select('id').executeTakeFirstOrThrow();
    const foreign = await tenant();
    await actAs(there, tx.tenantId);
    return [foreign.id, (await tenant()).id];
  });
  expect(seen).toEqual([other.tenantId, client.tenantId]);
});
