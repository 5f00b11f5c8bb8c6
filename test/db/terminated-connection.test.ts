import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/stack.ts';

test.each(['sleep kysely', 'sleep em'])(
  'a connection that is cut in a transaction (%s) is not lost to the pool',
  async (how) => {
    const db = await createTestDatabase();
    const work = db.database.inTenant('ten_x', async (tx) => {
      if (how === 'sleep kysely') await sql`select pg_sleep(1000)`.execute(tx.db);
      else await tx.em.execute('select pg_sleep(1000)');
    });
    work.catch(() => {});
    await eventually(
      async () =>
        (
          await db.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid() and datname = current_database()`,
          )
        ).length > 0,
      'to wait',
    );
    await expect(work).rejects.toThrow(/terminat|closed/i);
    let closed = false;
    void db.close().then(() => (closed = true));
    await expect.poll(() => closed, { timeout: 8000 }).toBe(true);
  },
);
