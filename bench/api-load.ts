import pg from 'pg';
import { choosePorts } from '../src/runtime/ports.ts';
import type { BookTenant } from './api-books.ts';
import { type ApiClient, openClient } from './api-client.ts';
import { openLibrary } from './api-library.ts';
import { type BenchChild, startChild } from './child.ts';
import { cpuMs, parentOf, residentMb } from './processes.ts';
import { type Finding, inParallel, timed, whole } from './report.ts';

/** What the books hold, unless asked otherwise. */
const SHAPE = { invoices: 1_000_000, customers: 20_000 } as const;
const CLIENTS = 8;
const WARM_UP = 24;

/** One kind of request: how many are sent, and the n-th of them. */
interface Kind {
  readonly name: string;
  readonly times: number;
  readonly send: (client: ApiClient, n: number) => Promise<unknown>;
}

/** The API by itself over a million invoices, most of them of one tenant, asked by several clients of that tenant at once. */
export async function measureApiLoad(shape: { invoices: number; customers: number } = SHAPE): Promise<Finding> {
  const library = await openLibrary(shape);
  const { ownerUrl, tenants } = library;
  const [tenant] = tenants as [BookTenant];
  const { port } = await choosePorts(null, ['port']);
  const api = await startChild(new URL('api-process.ts', import.meta.url), { ownerUrl, port });
  const client = await openClient({ ownerUrl, tenantId: tenant.tenantId, port });
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  try {
    const { rows: backends } = await owner.query<{ pid: number }>('select pg_backend_pid() as pid');
    const postmaster = parentOf(backends[0]?.pid ?? 0);
    const kinds = await kindsOf(owner, client, tenant);
    const rows: string[][] = [];
    for (const kind of kinds) {
      const row = await measureKind(kind, { client, api, postmaster });
      process.stderr.write(`${row.join('  ')}\n`);
      rows.push(row);
    }
    const resident = whole(residentMb(api.pid));
    return {
      title: `The API over ${whole(shape.invoices)} invoices, ${CLIENTS} clients at once; at the end it held ${resident} MB`,
      columns: ['request', 'p50 ms', 'p99 ms', 'a second', 'statements', 'API ms', 'PostgreSQL ms'],
      rows,
    };
  } finally {
    client.close();
    await owner.end();
    await api.stop();
    await library.close();
  }
}

/** The first are not counted: they open connections and fill caches. */
async function measureKind(
  { name, times, send }: Kind,
  on: { client: ApiClient; api: BenchChild; postmaster: number },
): Promise<string[]> {
  const { client, api, postmaster } = on;
  const numbers = Array.from({ length: WARM_UP + times }, (_, n) => n);
  await inParallel(numbers.slice(0, WARM_UP), CLIENTS, (n) => send(client, n));
  const read = async () => ({
    api: cpuMs(api.pid),
    postgres: cpuMs(postmaster),
    sent: (await api.counts())['statements'] ?? 0,
  });
  const before = await read();
  const waits: number[] = [];
  const { ms } = await timed(() =>
    inParallel(numbers.slice(WARM_UP), CLIENTS, async (n) => void waits.push((await timed(() => send(client, n))).ms)),
  );
  const after = await read();
  waits.sort((a, b) => a - b);
  const each = (used: number): string => (used / times).toFixed(1);
  return [
    name,
    (waits[Math.floor(times * 0.5)] ?? 0).toFixed(1),
    (waits[Math.floor(times * 0.99)] ?? 0).toFixed(1),
    whole(times / (ms / 1000)),
    each(after.sent - before.sent),
    each(after.api - before.api),
    each(after.postgres - before.postgres),
  ];
}

const price = { code: 'base', type: 'RECURRING', model: 'FLAT', amount: '10.00' };

async function kindsOf(owner: pg.Client, client: ApiClient, tenant: BookTenant): Promise<Kind[]> {
  const { payers, months, tenantId } = tenant;
  const issued = payers * months;
  const ids = async (table: string): Promise<string[]> => {
    const text = `select id from ${table} where tenant_id = $1 order by md5(id) limit 2000`;
    return (await owner.query<{ id: string }>(text, [tenantId])).rows.map(({ id }) => id);
  };
  const invoices = await ids('invoices');
  const existing = await ids('customers');
  const paying = (
    await owner.query<{ id: string }>(
      `select payer_customer_id as id from billing_groups where tenant_id = $1
    order by md5(id) limit 2000`,
      [tenantId],
    )
  ).rows.map(({ id }) => id);
  const fresh: string[] = [];
  const half = Math.floor(issued / 2 / 20);
  const { nextCursor } = await client.call('GET', `/invoices?page=${half}`);
  const month = new Date(Date.now() - 20 * 30 * 86_400_000).toISOString().slice(0, 7);
  const get = (name: string, path: (n: number) => string, times: number): Kind => ({
    name: `GET ${name}`,
    times,
    send: (by, n) => by.call('GET', path(n)),
  });
  const subscribe = (name: string, whose: (n: number) => string | undefined): Kind => ({
    name: `POST /subscriptions, ${name}`,
    times: 400,
    send: (by, n) => by.call('POST', '/subscriptions', { customerId: whose(n), prices: [price] }),
  });
  const at = (from: readonly string[]) => (n: number) => from[n % from.length] as string;
  return [
    {
      name: 'POST /customers',
      times: 400,
      send: async (by, n) => {
        fresh[n] = (await by.call('POST', '/customers', { name: `New ${n}` })).id;
      },
    },
    subscribe('a new customer each', (n) => fresh[n]),
    subscribe('customers there are', at(existing)),
    get('/customers/{id}', (n) => `/customers/${at(existing)(n)}`, 800),
    get('/invoices/{id}', (n) => `/invoices/${at(invoices)(n)}`, 800),
    get('/customers/{id}/invoices', (n) => `/customers/${at(paying)(n)}/invoices`, 400),
    get('/invoices?payerCustomerId={id}', (n) => `/invoices?payerCustomerId=${at(paying)(n)}`, 400),
    get('/invoices?number={n}', (n) => `/invoices?number=INV-${10_000 + n * 7}`, 400),
    get('/invoices, by cursor', () => `/invoices?cursor=${nextCursor}`, 400),
    get('/invoices, first page', () => '/invoices', 80),
    get(`/invoices, page ${whole(half)}`, () => `/invoices?page=${half}`, 80),
    get('/invoices?status=OPEN', () => '/invoices?status=OPEN', 80),
    get('/invoices?status=PAID, newest first', () => '/invoices?status=PAID&sort=-createdAt', 80),
    get('/invoices, of one day', () => `/invoices?issueDateFrom=${month}-01&issueDateTo=${month}-01`, 80),
    get('/billing-groups', () => '/billing-groups', 160),
    get('/subscriptions', () => '/subscriptions', 160),
  ];
}
