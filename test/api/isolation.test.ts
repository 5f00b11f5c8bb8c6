import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiDocument } from '../../src/api/openapi.ts';
import { internalRoutes, routes } from '../../src/api/routes.ts';
import { fingerprintOf } from '../activities/dump.ts';
import { type Client, type Reply, startTestApi, type TestApi } from '../support/api.ts';
import { type FullTenant, makeFullTenant } from '../support/full-tenant.ts';
import { BODIES, CODE_REFERENCES, IMMUTABLE_FIELDS, PLAIN_FIELDS } from './isolation-bodies.ts';
import { type Operation, operationsOf } from './isolation-operations.ts';
import { type Betrayal, namesHeldBy, replaced } from './isolation-traces.ts';

// Every operation of the API is called with the key of one tenant and the names of everything that another tenant has: in
// its path, in each filter, in each field of its body. The operation added tomorrow is among them.

let api: TestApi;
let mine: FullTenant;
let theirs: FullTenant;
let betrayed: Betrayal;
beforeAll(async () => {
  api = await startTestApi();
  [mine, theirs] = [await makeFullTenant(api, 'Baikal'), await makeFullTenant(api, 'Zanzibar')];
  betrayed = await namesHeldBy(api.db, theirs);
});
afterAll(() => api.close());

const operations = operationsOf(openApiDocument(routes, 'http://127.0.0.1'));
/** Signs tenants up: no tenant's key reaches it. */
const ofTenants = operations.filter(({ name }) => name !== 'POST /tenants');
const titled = (some: readonly Operation[]): [string, Operation][] =>
  some.map((operation) => [operation.name, operation]);

const nameOf = ({ names }: FullTenant, param: string): string => {
  const name: unknown = names[param as keyof typeof names];
  if (typeof name !== 'string')
    throw new Error(`Nothing of the tenant is named by '${param}'. Add it to makeFullTenant.`);
  return name;
};

const bodiesOf = (operation: Operation, { names }: FullTenant, mark = 'nobody'): readonly object[] => {
  if (!operation.takesBody) return [{}];
  const make = BODIES[operation.name.replace(/^PATCH/, 'PUT')];
  if (make === undefined) throw new Error(`${operation.name} takes a body. Add one to isolation-bodies.ts.`);
  return make(names, mark);
};

const pathOf = (operation: Operation, valueOf: (param: string) => string): string =>
  operation.path.replaceAll(/\{(\w+)\}/g, (_, param: string) => encodeURIComponent(valueOf(param)));

const call = (client: Client, { method, takesBody }: Operation, path: string, body: object = {}, headers = {}) =>
  client.send(method, path, takesBody ? body : undefined, headers);

/** What is wrong with an answer: another status than was to come, or a word about what the other tenant has. */
function faults(what: string, reply: Reply, statuses: readonly number[], sent: readonly string[]): string[] {
  const told = betrayed(reply, sent);
  const isRight = statuses.includes(reply.status) && told.length === 0;
  return isRight
    ? []
    : [`${what} → ${reply.status}, tells ${JSON.stringify(told)}: ${JSON.stringify(reply.body)}`.slice(0, 400)];
}

const fingerprint = () => Promise.all([mine, theirs].map(({ tenantId }) => fingerprintOf(api.db, tenantId)));

/** Everything that was wrong with the calls; that one of them wrote something, into either tenant, is wrong too. */
async function wrongIn(calls: () => Promise<string[]>): Promise<string[]> {
  const before = await fingerprint();
  const wrong = await calls();
  const after = await fingerprint();
  return before.join() === after.join() ? wrong : [...wrong, 'something was written'];
}

/** What goes wrong with the names that the other tenant's things have, whatever they name. */
const withEachName = async (wrongWith: (kind: string, name: string) => Promise<string[]>): Promise<string[]> =>
  (await Promise.all(Object.entries(theirs.names).map(([kind, name]) => wrongWith(kind, name)))).flat();

test('the operations are those of the document that is served, and each of them needs a key', async () => {
  const { body } = await mine.client.get('/openapi.json');
  expect(operationsOf(body)).toEqual(operations);
  expect(operations.filter(({ needsKey }) => !needsKey)).toEqual([]);
});

test('every text of a body is known to be a name of something or not', () => {
  const unknown = operations.flatMap(({ name, fields }) =>
    fields
      .filter(({ path, isReference }) => !isReference && !CODE_REFERENCES.includes(path))
      .filter(({ path }) => !PLAIN_FIELDS.has(path.split('.').at(-1) ?? ''))
      .map(({ path }) => `${name} ${path}`),
  );
  expect(unknown).toEqual([]);
});

describe.each(titled(ofTenants))('%s', (_, operation) => {
  test('names no other tenant in X-Tenant-Id', async () => {
    const wrong = await wrongIn(async () => {
      const path = pathOf(operation, (param) => nameOf(theirs, param));
      const [body] = bodiesOf(operation, theirs);
      const reply = await call(mine.client, operation, path, body, { 'X-Tenant-Id': theirs.tenantId });
      return faults('X-Tenant-Id', reply, [404], [path, JSON.stringify(body)]);
    });
    expect(wrong).toEqual([]);
  });
});

describe.each(titled(ofTenants.filter(({ method, params }) => method === 'GET' && params.length === 0)))(
  '%s',
  (_, operation) => {
    test('tells of its own tenant alone', async () => {
      const path = operation.filters.length > 0 ? `${operation.path}?size=200` : operation.path;
      expect(faults('', await mine.client.get(path), [200], [])).toEqual([]);
    });
  },
);

describe.each(titled(ofTenants.filter(({ params }) => params.length > 0)))('%s', (_, operation) => {
  test('finds nothing where the other tenant has everything', async () => {
    const wrong = await wrongIn(async () => {
      const path = pathOf(operation, (param) => nameOf(theirs, param));
      return faults('', await call(mine.client, operation, path, bodiesOf(operation, mine)[0]), [404], [path]);
    });
    expect(wrong).toEqual([]);
  });

  test.each(operation.params)('finds nothing by any name that the other tenant has, as its %s', async (param) => {
    const [body] = bodiesOf(operation, mine);
    const wrong = await wrongIn(() =>
      withEachName(async (kind, name) => {
        const path = pathOf(operation, (other) => (other === param ? name : nameOf(mine, other)));
        return faults(kind, await call(mine.client, operation, path, body), [404], [name]);
      }),
    );
    expect(wrong).toEqual([]);
  });
});

describe.each(titled(ofTenants.filter(({ filters }) => filters.length > 0)))('%s', (_, operation) => {
  test.each(operation.filters)('finds nothing by any name that the other tenant has, as its %s', async (filter) => {
    const path = pathOf(operation, (param) => nameOf(mine, param));
    const wrong = await withEachName(async (kind, name) => {
      const reply = await mine.client.get(`${path}?${filter}=${encodeURIComponent(name)}`);
      // A cursor is a place in any list: it goes on in one's own.
      const found: unknown[] = filter === 'cursor' || reply.status !== 200 ? [] : reply.body.items;
      const finds = found.map((item) => `${kind} finds ${JSON.stringify(item)}`.slice(0, 400));
      return [...finds, ...faults(kind, reply, [200, 400, 404], [name])];
    });
    expect(wrong).toEqual([]);
  });
});

const naming = ({ fields }: Operation): string[] =>
  fields.filter(({ path, isReference }) => isReference || CODE_REFERENCES.includes(path)).map(({ path }) => path);

describe.each(titled(ofTenants.filter((operation) => naming(operation).length > 0)))('%s', (_, operation) => {
  test.each(naming(operation))('takes no name of another tenant as its %s', async (field) => {
    const bodies = bodiesOf(operation, mine);
    const index = bodies.findIndex((body) => replaced(body, field, '').found !== undefined);
    if (index < 0) throw new Error(`No body of ${operation.name} holds ${field}. Add one to isolation-bodies.ts.`);
    const counterpart = replaced(bodiesOf(operation, theirs)[index] ?? {}, field, '').found;
    const isImmutable = IMMUTABLE_FIELDS.includes(`${operation.name.replace(/^PATCH/, 'PUT')} ${field}`);
    const path = pathOf(operation, (param) => nameOf(mine, param));
    const wrong = await wrongIn(() =>
      withEachName(async (kind, name) => {
        const { body } = replaced(bodies[index] ?? {}, field, name);
        const isMissing = name === counterpart && !isImmutable;
        const reply = await call(mine.client, operation, path, body);
        return faults(kind, reply, isMissing ? [404] : [400, 404, 409], [name]);
      }),
    );
    expect(wrong).toEqual([]);
  });
});

test('the internal paths find nothing of another tenant', async () => {
  for (const { path, paramNames } of internalRoutes) {
    const at = ({ names }: FullTenant) =>
      paramNames.reduce((text, name) => text.replace(`:${name}`, names[name as 'entityId']), `//internal/v1${path}`);
    expect((await mine.client.get(at(mine))).status).toBe(200);
    expect(faults(path, await mine.client.get(at(theirs)), [404], [at(theirs)])).toEqual([]);
  }
});

test('the answer kept for an Idempotency-Key is not given to another tenant that sends it', async () => {
  const headers = { 'Idempotency-Key': 'Zanzibar-idempotency' };
  const [kept] = await api.db.query('select path from idempotency_keys where key = $1', ['Zanzibar-idempotency']);
  expect(kept).toEqual({ path: '/api/v1/customers' });
  const reply = await mine.client.post('/customers', { name: 'Mine' }, headers);
  expect(faults('', reply, [201], ['Zanzibar-idempotency'])).toEqual([]);
  expect(reply.headers.get('idempotent-replayed')).toBe(null);
});
