import { z } from 'zod';
import type { ZodOpenApiLinksObject, ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { PROBLEM_TYPE, problemSchema } from './problem.ts';
import type { Route } from './route.ts';

const refusal = (id: string, description: string, headers?: Record<string, z.ZodType>): ZodOpenApiResponseObject => ({
  id,
  description,
  content: { [PROBLEM_TYPE]: { schema: problemSchema } },
  ...(headers === undefined ? {} : { headers: z.object(headers) }),
});

const seconds = () => z.string().meta({ description: 'Seconds to wait.', pattern: '^[0-9]+$' });

const REFUSALS = {
  400: refusal('Invalid', 'Malformed or invalid: see errors.'),
  401: refusal('Unauthenticated', 'No key, or an unknown or revoked one.', { 'WWW-Authenticate': z.string() }),
  403: refusal('Forbidden', "The key's scope does not reach this."),
  404: refusal('NotFound', 'It does not exist, or is not in this tenant.'),
  409: refusal('Conflict', 'The present state refuses it; the detail says what to do.'),
  413: refusal('TooLarge', 'The body is larger than 16 MB.'),
  415: refusal('MediaType', 'The body is not sent as JSON.'),
  422: refusal('KeyMismatch', 'The Idempotency-Key was used for another request.'),
  429: refusal('RateLimited', 'Too many requests.', { 'Retry-After': seconds() }),
  500: refusal('Failed', 'Something went wrong on our side.'),
  503: refusal('Unavailable', 'A part is down: send it again after Retry-After.', { 'Retry-After': seconds() }),
} as const;

type Refusal = keyof typeof REFUSALS;

const OF_EACH: readonly Refusal[] = [400, 429, 500, 503];
const OF_KEYED: readonly Refusal[] = [401, 403, 404];
const OF_WRITES: readonly Refusal[] = [413, 415, 422];

/** Every status that a route can answer with, and what each brings. */
export function answersOf(route: Route, routes: readonly Route[]): ZodOpenApiResponsesObject {
  const statuses = [
    ...OF_EACH,
    ...(route.scope === 'public' ? [] : OF_KEYED),
    ...(route.refusable ? [409 as const] : []),
    ...(route.method === 'GET' ? [] : OF_WRITES),
  ];
  return {
    [String(route.status) as '200']: { ...success(route), ...linked(route, routes) },
    ...Object.fromEntries(statuses.map((status) => [String(status), REFUSALS[status]])),
  };
}

function success(route: Route): ZodOpenApiResponseObject {
  if (route.status === 204) return { description: 'Done; no body.' };
  const schema = route.produces === null ? route.response : { type: 'string' as const, format: 'binary' };
  return { description: 'Done.', content: { [route.produces ?? 'application/json']: { schema } } };
}

/** `get/customers/:customerId` reads `getCustomersCustomerId`. */
export const operationId = (method: string, path: string): string =>
  `${method.toLowerCase()}${path.replaceAll(/[^a-zA-Z]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`;

/** What can be done next with that which a POST has created: whatever is addressed by its id, and by nothing unknown. */
function linked(created: Route, routes: readonly Route[]): { links?: ZodOpenApiLinksObject } {
  if (created.method !== 'POST' || created.status !== 201) return {};
  const next = routes.flatMap((route) => {
    const name = idBelow(created, route);
    return name === null ? [] : [[operationId(route.method, route.path), link(created, route, name)] as const];
  });
  return next.length === 0 ? {} : { links: Object.fromEntries(next) };
}

/** The one parameter that a route's path has beyond those of the collection in front of it. */
function idBelow({ path, paramNames }: Route, route: Route): string | null {
  const [unknown, ...more] = route.paramNames.filter((name) => !paramNames.includes(name));
  return unknown !== undefined && more.length === 0 && `${route.path}/`.startsWith(`${path}/:${unknown}/`)
    ? unknown
    : null;
}

function link(created: Route, { method, path, summary }: Route, name: string): ZodOpenApiLinksObject[string] {
  const { response } = created;
  const field = response instanceof z.ZodObject && name in response.shape ? name : 'id';
  const known = created.paramNames.map((param) => [param, `$request.path.${param}`]);
  return {
    operationId: operationId(method, path),
    description: summary,
    parameters: Object.fromEntries([...known, [name, `$response.body#/${field}`]]),
  };
}
