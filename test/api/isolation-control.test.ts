import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiDocument } from '../../src/api/openapi.ts';
import { routes } from '../../src/api/routes.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { type FullTenant, makeFullTenant } from '../support/full-tenant.ts';
import { BODIES, PLAIN_FILTERS } from './isolation-bodies.ts';
import { type Operation, operationsOf } from './isolation-operations.ts';
import { namesHeldBy } from './isolation-traces.ts';

// What the tests of isolation send finds something: with the key of the tenant whose names they are. Otherwise a 404 to
// another tenant would prove nothing.

let api: TestApi;
let tenant: FullTenant;
beforeAll(async () => {
  api = await startTestApi();
  tenant = await makeFullTenant(api, 'Zanzibar');
});
afterAll(() => api.close());

/** Reads before writes, and deletions last: what is deleted is found no more. */
const ORDER = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const operations = operationsOf(openApiDocument(routes, 'http://127.0.0.1'))
  .filter(({ name }) => name !== 'POST /tenants')
  .toSorted((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method));
const titled = (some: readonly Operation[]): [string, Operation][] =>
  some.map((operation) => [operation.name, operation]);

const pathOf = ({ path }: Operation): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, param: string) => encodeURIComponent(tenant.names[param as 'customerId']));

/** A cursor is a place in a list, and names nothing. */
const naming = ({ filters }: Operation): string[] =>
  filters.filter((filter) => filter !== 'cursor' && !PLAIN_FILTERS.includes(filter));

describe.each(titled(operations.filter((operation) => naming(operation).length > 0)))('%s', (_, operation) => {
  test.each(naming(operation))('finds something by %s', async (filter) => {
    const path = pathOf(operation);
    const found = Object.values(tenant.names).map(async (name) => {
      const { status, body } = await tenant.client.get(`${path}?${filter}=${encodeURIComponent(name)}`);
      return status === 200 && body.items.length > 0;
    });
    expect(await Promise.all(found)).toContain(true);
  });
});

describe.each(titled(operations))('%s', (_, operation) => {
  test('finds what it names, and takes every body', async () => {
    const path = pathOf(operation);
    const make = BODIES[operation.name.replace(/^PATCH/, 'PUT')];
    const bodies = operation.takesBody ? (make?.(tenant.names, `fresh-${operation.method}`) ?? []) : [undefined];
    expect(bodies.length).toBeGreaterThan(0);
    for (const body of bodies) {
      const reply = await tenant.client.send(operation.method, path, body);
      // Done, or refused for the state that the thing is in: it was found either way.
      const isFound = reply.status < 300 || reply.status === 409;
      expect(isFound ? null : { body, status: reply.status, told: reply.body }).toBe(null);
    }
  });
});

test('an answer that tells of a tenant is seen to', async () => {
  const betrayed = await namesHeldBy(api.db, tenant);
  const reply = await tenant.client.get('/invoices?include=lines');
  expect(betrayed(reply, [])).toEqual(expect.arrayContaining(['zanzibar', tenant.names.invoiceId.toLowerCase()]));
  expect(betrayed({ ...reply, body: { detail: 'There is nothing.' } }, [])).toEqual([]);
});
