import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tellable, tellableStack } from '../../src/db/failures.ts';
import type { Tx } from '../../src/db/database.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let tenant: Client;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await api.tenant();
});
afterAll(() => api.close());

/** What somebody wrote, in the ways in which it could slip through. */
const WRITTEN = ['Jane Doe', 'Jane "Doe" Roe', '"', 'a"b', '<<0>> "Jane"', 'Jane\n    at "home" Doe'];

const failureOf = async (work: (tx: Tx) => Promise<unknown>): Promise<Error> => {
  const done = await api.db.database.inTenant(tenant.tenantId, work).catch((error: unknown) => error);
  expect(done).toBeInstanceOf(Error);
  return done as Error;
};

/** [how it fails, what may be told of it] */
const FAILURES: readonly (readonly [(tx: Tx, written: string) => Promise<unknown>, string])[] = [
  [(tx, written) => sql`select ${written}::int`.execute(tx.db), 'invalid input syntax for type integer: "…"'],
  [(tx, written) => tx.em.execute('select ?::numeric', [written]), 'invalid input syntax for type numeric: "…"'],
  [
    (tx, written) =>
      sql`insert into customers (tenant_id, id, name, status) values (${tx.tenantId}, null, ${written}, 'X')`.execute(
        tx.db,
      ),
    'null value in column "id" of relation "customers" violates not-null constraint',
  ],
  [
    // Its detail tells the token, and MikroORM adds the detail to the message.
    (tx, written) => tx.em.execute('select ?::jsonb', [`{ ${written}`]),
    'invalid input syntax for type json',
  ],
];

test.each(WRITTEN)('a failure tells nothing of %j, and the place where it happened', async (written) => {
  for (const [work, message] of FAILURES) {
    const failure = await failureOf((tx) => work(tx, written));
    expect(tellable(failure)).toBe(message);
    const [first, ...calls] = tellableStack(failure).split('\n');
    expect(first).toBe(`${failure.name}: ${message}`);
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.join('\n')).not.toMatch(/Jane|home/);
  }
});

test('any other failure is told as it is', () => {
  const failure = new TypeError('Cannot read properties of undefined (reading "name")');
  expect(tellable(failure)).toBe(failure.message);
  expect(tellableStack(failure)).toBe(failure.stack);
  expect(tellable('a text')).toBe('a text');
});
