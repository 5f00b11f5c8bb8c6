import { Connection } from '@temporalio/client';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPostgres } from '../../src/runtime/embedded-postgres.ts';
import { isRunning } from '../../src/runtime/processes.ts';
import { findTemporal } from '../../src/runtime/temporal-binary.ts';
import { startTemporal } from '../../src/runtime/temporal-server.ts';
import { until } from '../../src/runtime/until.ts';

// The servers of `npm start`: what is stored outlives a stop, a kill of the server, and a kill of the process that started it.

const log = pino({ level: 'silent' });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), `tributary-test-${process.pid}-`));
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function ask(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

const pidIn = async (...path: string[]): Promise<number> =>
  Number.parseInt(await readFile(join(folder, ...path), 'utf8'), 10);

test('PostgreSQL keeps what was stored, and comes back by itself', async () => {
  const options = { dataDir: join(folder, 'one'), log };
  const first = await startPostgres(options);
  await ask(first.ownerUrl, 'create table kept as select 42 as answer');
  const killedPid = await pidIn('one', 'postgres', 'postmaster.pid');

  process.kill(killedPid, 'SIGKILL');
  const isBack = async () => (await ask(first.ownerUrl, 'select answer from kept'))[0] === 42;
  await until({ ask: isBack, withinMs: 20_000 });
  const leftoverPid = await pidIn('one', 'postgres', 'postmaster.pid');
  expect(leftoverPid).not.toBe(killedPid);

  await first.stop();
  expect(isRunning(leftoverPid)).toBe(false);
  const second = await startPostgres(options);
  expect(await ask(second.ownerUrl, 'select answer from kept')).toEqual([42]);
  expect(second.ownerUrl).toBe(first.ownerUrl);
  await second.stop();
});

test('a PostgreSQL whose starter was killed is taken over', async () => {
  const dataDir = join(folder, 'left-over');
  const script = fileURLToPath(new URL('./hold-postgres.ts', import.meta.url));
  const holder = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [address] = (await once(holder.stdout, 'data')) as [Buffer];
  await ask(address.toString(), 'create table kept as select 42 as answer');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const leftoverPid = await pidIn('left-over', 'postgres', 'postmaster.pid');
  expect(isRunning(leftoverPid)).toBe(true);

  const next = await startPostgres({ dataDir, log });
  expect(isRunning(leftoverPid)).toBe(false);
  expect(await ask(next.ownerUrl, 'select answer from kept')).toEqual([42]);
  await next.stop();
});

test('two PostgreSQL servers side by side do not meet', async () => {
  const start = (name: string) => startPostgres({ dataDir: join(folder, name), durable: false, log });
  const [left, right] = await Promise.all([start('left'), start('right')]);
  await ask(left.ownerUrl, 'create table mine (n int)');
  expect(await ask(right.ownerUrl, "select to_regclass('mine')")).toEqual([null]);
  // prettier-ignore
  expect(await ask(left.ownerUrl, "select current_setting('server_encoding'), current_setting('listen_addresses'), current_setting('TimeZone')"))
    .toEqual(['UTF8', '127.0.0.1', 'UTC']);
  await expect(ask(left.ownerUrl.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow('password');
  await Promise.all([left.stop(), right.stop()]);
});

test('Temporal keeps its namespaces, and comes back by itself', async () => {
  const options = { binary: await findTemporal({ log }), dataDir: folder, namespace: 'kept', log };
  const first = await startTemporal(options);
  const connection = Connection.lazy({ address: first.address });
  const retention = async () => {
    const { config } = await connection.withDeadline(Date.now() + 2_000, () =>
      connection.workflowService.describeNamespace({ namespace: 'kept' }),
    );
    return Number(config?.workflowExecutionRetentionTtl?.seconds) / 86_400;
  };
  expect(await retention()).toBe(90);
  expect((await fetch(first.uiUrl)).status).toBe(200);

  const killedPid = await pidIn('temporal', 'server.pid');
  process.kill(killedPid, 'SIGKILL');
  await until({ ask: async () => (await retention()) === 90, withinMs: 30_000 });
  expect(await pidIn('temporal', 'server.pid')).not.toBe(killedPid);
  await first.stop();

  const second = await startTemporal(options);
  expect(second.address).toBe(first.address);
  await connection.close();
  await second.stop();
});
