import { Client as TemporalClient, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { FAILURE } from '../../src/workflows/contract.ts';
import { rowsOf } from '../activities/dump.ts';
import { type Client, startTestApi, type TestApi } from '../support/api.ts';
import { eventually } from '../support/stack.ts';
import { busyWorlds, clocksOnTheWay, inhabit, sendClocks, undisturbed } from './support/busy-worlds.ts';
import { type Program, startProgram } from './support/programs.ts';
import { expectSoundBooks } from './support/proof.ts';
import { seedOf } from './support/seed.ts';
import { mountSmallDisk } from './support/small-disk.ts';

const WORLDS = 4;
/** Three boundaries of a monthly group. */
const SOME_MONTHS_ON = '2026-06-15T12:00:00.000Z';
/** The tables of an empty database take 3 MB, and the worlds with their bills a few more. */
const DISK_MB = 64;
/** Too long for the room that is left in pages here and there. */
const LONG_TEXT = 'x'.repeat(200);

const disk = await mountSmallDisk(DISK_MB);
const seed = seedOf('disk-full-tables');
const taskQueue = `disk-${randomUUID()}`;

describe.skipIf(disk === null)('a disk on which no table can grow', () => {
  let api: TestApi;
  let tenant: Client;
  let worker: Program;
  let connection: Connection;
  beforeAll(async () => {
    api = await startTestApi();
    // The log of PostgreSQL stays on the large disk: it is the tables that have no room.
    await api.db.query(`create tablespace small location '${disk?.folder}'`);
    await api.db.query('alter table all in tablespace pg_default set tablespace small');
    await api.db.query('alter index all in tablespace pg_default set tablespace small');
    tenant = await api.tenant();
    connection = await Connection.connect({ address: inject('temporalAddress') });
    worker = startProgram('worker', {
      databaseUrl: api.db.ownerUrl,
      temporalAddress: inject('temporalAddress'),
      taskQueue,
    });
    await worker.ready;
  });
  afterAll(async () => {
    await worker.end('SIGKILL');
    await connection.close();
    await disk?.empty();
    await api.db.query('alter table all in tablespace small set tablespace pg_default');
    await api.db.query('alter index all in tablespace small set tablespace pg_default');
    await api.db.query('drop tablespace small');
    await api.close();
    await disk?.unmount();
  });

  /** What workers have told Temporal about steps that wait to be tried again. */
  async function failuresShown(): Promise<string[]> {
    const client = new TemporalClient({ connection });
    const shown: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query: `TaskQueue = '${taskQueue}'` })) {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      for (const { lastFailure } of raw.pendingActivities ?? [])
        if (lastFailure?.applicationFailureInfo?.type === FAILURE.database) shown.push(lastFailure.message ?? '');
    }
    return shown;
  }

  test('writes are refused whole and say why, reads go on; with room again every run goes on by itself', async () => {
    const worlds = busyWorlds(seed, WORLDS);
    const reference = await undisturbed(worlds, SOME_MONTHS_ON);
    const inhabited = await inhabit(api.db.database, worlds);
    await sendClocks(api.db.database, inhabited, SOME_MONTHS_ON);
    await eventually(
      async () => (await api.db.query(`select 1 from billing_runs where status = 'ISSUED' limit 1`)).length > 0,
      'the first runs',
    );
    await disk?.fill();

    // What pages have left is used up first.
    let written = 0;
    const refused = await eventually(
      async () => {
        const before = await rowsOf(api.db, tenant.tenantId);
        const answer = await tenant.post('/customers', { name: LONG_TEXT });
        if (answer.status === 201) written += 1;
        else expect(await rowsOf(api.db, tenant.tenantId)).toEqual(before);
        return answer.status === 201 ? null : answer;
      },
      'a write to be refused',
      120,
    );
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.body.detail).toContain('no room left on its disk');
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    const listed = await tenant.get('/customers?size=1');
    expect(listed).toMatchObject({ status: 200, body: { totalItems: written } });

    const [reason] = await eventually(
      async () => {
        const shown = await failuresShown();
        return shown.length > 0 ? shown : null;
      },
      'an operator to see why',
      120,
    );
    expect(reason).toContain('No space left on device');
    const statuses = await api.db.query(
      `select distinct status from billing_runs where status not in ('ISSUED', 'EMPTY')`,
    );
    expect(
      statuses.every(({ status }) => status === 'OPEN'),
      JSON.stringify(statuses),
    ).toBe(true);

    await disk?.empty();
    await eventually(async () => (await clocksOnTheWay(api.db)) === 0, 'every clock to arrive', 300);
    for (const [index, { tenantId }] of inhabited.entries()) await expectSoundBooks(api.db, tenantId, reference[index]);
    expect((await tenant.post('/customers', { name: LONG_TEXT })).status).toBe(201);
  });
});
