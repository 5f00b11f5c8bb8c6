import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tables } from '../../src/db/schema/index.ts';
import { startServer } from '../../src/server.ts';
import { PLATFORM_KEY, startTestApi, type TestApi } from '../support/api.ts';
import { knownValues, populatedTenant } from './known.ts';
import { findSchemathesis, type Fuzzing, fuzz } from './schemathesis.ts';

// Every operation of the OpenAPI document is sent what the document allows and what it forbids, alone and in chains of the
// document's links; what comes back must be what the document promises. FUZZ_SEED repeats a run.

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
/** Cases of each operation and phase. */
const examples = Number(process.env['FUZZ_EXAMPLES'] ?? 25);
const phases = process.env['FUZZ_PHASES'] ?? 'examples,coverage,fuzzing';
/** How often chains along the document's links are begun anew, each time some twenty from another seed. */
const CHAIN_SEEDS = 6;
/** With so many cases CI runs all phases: these many requests at least. */
const EXAMPLES_MIN = 4;
const REQUESTS_MIN = 10_000;
/** So many requests in all were made with what an earlier one had answered. */
const CHAINED_MIN = 250;
/** Requests of each caller without a right to write: some for every operation. */
const STRANGE_MIN = 300;

/** What the server logged about a request that reached an operation. */
interface Served {
  readonly route: string;
  readonly status: number;
}

let folder: string;
let seeded: TestApi;
let server: Awaited<ReturnType<typeof startServer>>;
let common: Omit<Fuzzing, 'headers' | 'phases' | 'examples' | 'checks'>;
let tenantId: string;
let served: Served[] = [];
/** What it logged as its own fault. */
const faults: string[] = [];

beforeAll(async () => {
  process.stdout.write(`FUZZ_SEED=${seed}\n`);
  const program = await findSchemathesis();
  folder = await mkdtemp(join(tmpdir(), 'tributary-fuzz-'));
  seeded = await startTestApi();
  const client = await populatedTenant(seeded);
  ({ tenantId } = client);
  server = await startServer({
    database: seeded.db.database,
    temporal: { address: '127.0.0.1:9', namespace: 'default', taskQueue: 'fuzz', uiUrl: null },
    host: '127.0.0.1',
    port: 0,
    platformApiKey: PLATFORM_KEY,
    log: pino({ level: 'info' }, { write: note }),
    rateLimit: { requests: 1e9, seconds: 10 },
  });
  common = {
    program,
    folder,
    document: `${server.url}/api/v1/openapi.json`,
    seed,
    known: await knownValues(client),
  };
});
afterAll(async () => {
  await server.stop();
  await seeded.close();
  await rm(folder, { recursive: true, force: true });
});

const ERROR = 50;

function note(line: string): void {
  const entry = JSON.parse(line) as Partial<Served> & { level: number };
  if (entry.level >= ERROR) faults.push(line);
  if (entry.route !== undefined && entry.status !== undefined) {
    served.push({ route: entry.route, status: entry.status });
  }
}

/** How many answers there were of each status, and in all; forgets them. */
function tally(what: string): { counts: Record<string, number>; total: number } {
  const counts: Record<string, number> = {};
  for (const { status } of served) counts[status] = (counts[status] ?? 0) + 1;
  process.stdout.write(`${what}: ${served.length} requests, answered ${JSON.stringify(counts)}\n`);
  const total = served.length;
  served = [];
  return { counts, total };
}

/** Changes with every row that is written anywhere, but in these tables. */
async function fingerprint(except: readonly string[] = []): Promise<string> {
  const names = tables.map(({ meta }) => meta.tableName).filter((name) => !except.includes(name));
  const parts = names.map(
    (name) =>
      `select '${name} ' || count(*) || coalesce(md5(string_agg(t.xmin::text || t::text, '' order by t::text)), '') as part from ${name} t`,
  );
  return JSON.stringify(await seeded.db.query(`${parts.join(' union all ')} order by part`));
}

const asTenant = (key: string): Record<string, string> => ({ Authorization: `Bearer ${key}`, 'X-Tenant-Id': tenantId });

test('the API does what its document promises', async () => {
  const before = await fingerprint();
  // The platform key reaches every operation, and no request can revoke it.
  const headers = asTenant(PLATFORM_KEY);
  const alone = await fuzz({ ...common, headers, phases, examples, checks: 'all' });
  const { counts, total } = tally('with a key');
  expect(faults).toEqual([]);
  expect(alone.exitCode).toBe(0);
  if (process.env['FUZZ_PHASES'] === undefined && examples >= EXAMPLES_MIN)
    expect(total).toBeGreaterThanOrEqual(REQUESTS_MIN);
  // It got far: things were read, made and removed.
  for (const status of [200, 201, 204]) expect(counts[status] ?? 0, `answers of ${status}`).toBeGreaterThan(5);
  expect(await fingerprint()).not.toBe(before);
});

test('what it answers leads on, along the links of its document', async () => {
  const headers = asTenant(PLATFORM_KEY);
  const given = { ...common, headers, phases: 'stateful', examples: 25, checks: 'all' };
  let requests = 0;
  for (let time = 0; time < CHAIN_SEEDS; time += 1) {
    const { exitCode, chained } = await fuzz({ ...given, seed: (seed + time) % 2 ** 32 });
    requests += chained;
    expect(faults).toEqual([]);
    expect(exitCode).toBe(0);
  }
  tally('in chains');
  expect(requests).toBeGreaterThanOrEqual(CHAINED_MIN);
});

test('nothing is written without a key that may write, whatever is sent', async () => {
  const platform = seeded.as(PLATFORM_KEY, tenantId);
  const keyOf = async (scopes: string[]) =>
    (await platform.post('/api-keys', { scopes }, { 'X-Tenant-Id': tenantId })).body as { id: string; secret: string };
  const [reader, revoked] = [await keyOf(['read']), await keyOf(['write'])];
  expect((await platform.delete(`/api-keys/${revoked.id}`, { 'X-Tenant-Id': tenantId })).status).toBe(204);
  // The answer of a preview may be asked for by a key that reads, and is stored: that is no change.
  const callers: [string, Record<string, string>, readonly number[], readonly string[]][] = [
    ['no key', { 'X-Tenant-Id': tenantId }, [401], []],
    ['an unknown key', asTenant('unknown'), [401], []],
    ['a revoked key', asTenant(revoked.secret), [401], []],
    ['a key that may read', asTenant(reader.secret), [200, 400, 403, 404, 409, 415, 422], ['idempotency_keys']],
  ];
  tally('prepared');
  for (const [what, headers, statuses, except] of callers) {
    const before = await fingerprint(except);
    const given = { ...common, headers, phases: 'fuzzing', examples: 4 };
    const { exitCode } = await fuzz({ ...given, checks: 'not_a_server_error' });
    const { counts, total } = tally(what);
    expect(exitCode, what).toBe(0);
    expect(total, what).toBeGreaterThanOrEqual(STRANGE_MIN);
    expect(
      Object.keys(counts)
        .map(Number)
        .filter((status) => !statuses.includes(status)),
    ).toEqual([]);
    expect(await fingerprint(except), what).toBe(before);
  }
  expect(faults).toEqual([]);
});
