import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../src/api/route.ts';
import { routes } from '../../src/api/routes.ts';
import { tables } from '../../src/db/schema/index.ts';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { badBodies, badQueries, moneyAsNumbers } from '../support/bad-values.ts';

// Every route of the product is swept, the one added tomorrow too: what is sent is made from the route's own schema.

let api: TestApi;
let client: Client;
let foreign: Record<string, string>;
beforeAll(async () => {
  api = await startTestApi();
  client = await api.tenant();
  const other = await api.tenant();
  const { body: customer } = await other.post('/customers', {
    name: 'Theirs',
    externalId: 'theirs',
    contacts: [{ name: 'G', email: 'g@x.example' }],
  });
  const { body: tenant } = await other.get('/tenant');
  const { body: keys } = await other.get('/api-keys');
  foreign = {
    customerId: customer.id,
    contactId: customer.contacts[0].id,
    alias: 'theirs',
    entityId: tenant.defaultEntityId,
    apiKeyId: keys.items[0].id,
  };
});
afterAll(() => api.close());

const callerOf = (route: Route): Client => (route.scope === 'platform' ? api.platform : client);
const pathOf = (route: Route, valueOf: (name: string) => string = () => 'nobody'): string =>
  route.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(valueOf(name)));
const send = (route: Route, body?: unknown, query = '', path = pathOf(route)) =>
  callerOf(route).send(
    route.method,
    query === '' ? path : `${path}?${query}`,
    route.method === 'GET' ? undefined : body,
  );

/** Rows of every table, to see that nothing was written. */
const census = async (): Promise<string> => {
  const counts = tables.map(
    ({ meta }) => `select '${meta.tableName}' as name, count(*)::int as rows from ${meta.tableName}`,
  );
  return JSON.stringify(await api.db.query(`${counts.join(' union all ')} order by name`));
};

const faultsOf = ({ body }: Reply): { path: string; message: string }[] => body.errors ?? [];
/** A fault names the field, or the field above it that cannot hold such a thing. */
const names = (reply: Reply, path: string): boolean =>
  faultsOf(reply).some((fault) => fault.path.startsWith(path) || path.startsWith(fault.path));
/** A refusal is a problem that says what is wrong; anything else is what the sweep is looking for. */
const isRefusal = ({ status, headers, body }: Reply): boolean =>
  status >= 400 &&
  status < 500 &&
  (headers.get('content-type') ?? '').startsWith('application/problem+json') &&
  body.status === status &&
  [body.code, body.detail].every((text) => typeof text === 'string' && text !== '');
const told = (what: string, { status, body }: Reply): string =>
  `${what} → ${status} ${JSON.stringify(body)}`.slice(0, 500);

const writes = routes.filter(({ method }) => method !== 'GET');
const reads = routes.filter(({ method }) => method === 'GET');
const titled = (route: Route): [string, Route] => [`${route.method} ${route.path}`, route];

describe.each(writes.map(titled))('%s', (_, route) => {
  test('refuses what its body cannot be, and names the field', async () => {
    const before = await census();
    const taken: string[] = [];
    for (const { why, body, path } of badBodies(route)) {
      const reply = await send(route, body);
      const isRight = isRefusal(reply) && reply.status === 400 && names(reply, path);
      if (!isRight) taken.push(told(`${why} at '${path}'`, reply));
    }
    expect(taken).toEqual([]);
    expect(await census()).toBe(before);
  });

  test('refuses money as a number, with the reason', async () => {
    const taken: string[] = [];
    for (const { body, path } of moneyAsNumbers(route)) {
      const reply = await send(route, body);
      const said = faultsOf(reply).some(
        (fault) => fault.path === path && fault.message.includes('decimal strings such as'),
      );
      if (!isRefusal(reply) || !said) taken.push(told(path, reply));
    }
    expect(taken).toEqual([]);
  });

  test('refuses a body that is none', async () => {
    const needsBody = route.method === 'PUT' || !route.body.safeParse({}).success;
    const bodies = ['{"a":', '"text"', '7', 'null', '{"a":1}{"b":2}', ...(needsBody ? [undefined] : [])];
    const taken: string[] = [];
    for (const body of bodies) {
      const reply = await send(route, body);
      if (!isRefusal(reply)) taken.push(told(String(body), reply));
    }
    expect(taken).toEqual([]);
    const form = await callerOf(route).send(route.method, pathOf(route), 'a=1', { 'Content-Type': 'text/plain' });
    expect(form.status).toBe(415);
  });
});

describe.each(reads.map(titled))('%s', (_, route) => {
  test('refuses queries that it does not know, and names the parameter', async () => {
    const taken: string[] = [];
    for (const { query, path } of badQueries(route)) {
      const reply = await send(route, undefined, query);
      if (!isRefusal(reply) || (reply.status === 400 && !names(reply, path)))
        taken.push(told(query.slice(0, 60), reply));
    }
    expect(taken).toEqual([]);
  });
});

describe.each(routes.filter(({ paramNames }) => paramNames.length > 0).map(titled))('%s', (_, route) => {
  test('a thing that is not there, or is not a name, is refused', async () => {
    const before = await census();
    const taken: string[] = [];
    for (const value of ['nobody', 'externalId:nobody', "' or 1=1 --", 'x'.repeat(300), '\0', 'a\u202e', '☃']) {
      const path = pathOf(route, () => value);
      const reply = await send(route, {}, '', path);
      if (!isRefusal(reply)) taken.push(told(JSON.stringify(value), reply));
    }
    expect(taken).toEqual([]);
    expect(await census()).toBe(before);
  });

  test("another tenant's is not there, and it stays as it is", async () => {
    const before = await census();
    const path = pathOf(route, (name) => foreign[name] ?? 'nobody');
    const reply = await send(route, {}, '', path);
    expect(isRefusal(reply) ? [] : [told(path, reply)]).toEqual([]);
    expect([400, 404]).toContain(reply.status);
    expect(await census()).toBe(before);
  });
});
