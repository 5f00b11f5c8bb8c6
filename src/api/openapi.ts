import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { answersOf, operationId } from './openapi-answers.ts';
import { problemSchema } from './problem.ts';
import type { Route, Scope } from './route.ts';

const DESCRIPTION = `Many charge streams, one invoice.

Money and per cent are decimal strings; instants are ISO 8601 with an offset; local dates are \`YYYY-MM-DD\` in the pinned
zone. Wherever a customer id is taken, so is \`externalId:<value>\`. Errors are RFC 9457 problems with a stable \`code\`.
\`Idempotency-Key\` on a POST makes it safe to repeat for 24 hours. \`PATCH\` is an alias of every \`PUT\`. The platform key names
the tenant that it acts in with \`X-Tenant-Id\`.`;

const SCOPE_NOTE: Readonly<Record<Scope, string>> = {
  public: 'Needs no key.',
  read: 'Scope: read.',
  write: 'Scope: write.',
  admin: 'Scope: admin.',
  platform: 'The platform key alone.',
};

/** The OpenAPI 3.1 document, made from the schemas that check the requests. */
export function openApiDocument(routes: readonly Route[], publicUrl: string): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = `/api/v1${route.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    const item = (paths[path] ??= {});
    const method = route.method.toLowerCase() as 'get' | 'post' | 'put' | 'delete';
    item[method] = operation(route, method, routes);
    if (method === 'put')
      item.patch = { ...operation(route, 'patch', routes), summary: `${route.summary} (alias of PUT)` };
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Tributary', version: '1.0.0', description: DESCRIPTION },
    servers: [{ url: publicUrl }],
    security: [{ apiKey: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key; it names the tenant.' } },
      schemas: { Problem: problemSchema },
    },
  });
}

function operation(route: Route, method: string, routes: readonly Route[]): ZodOpenApiOperationObject {
  const takesBody = route.method === 'PUT' || (route.method !== 'GET' && !isEmpty(route.body));
  return {
    operationId: operationId(method, route.path),
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, SCOPE_NOTE[route.scope]].filter((note) => note !== null).join('\n\n'),
    ...(route.scope === 'public' ? { security: [] } : {}),
    requestParams: {
      path: z.object(Object.fromEntries(route.paramNames.map((name) => [name, z.string().min(1).max(300)]))),
      query: route.query,
      header: z.object(route.method === 'POST' ? { 'Idempotency-Key': idempotencyKey.optional() } : {}),
    },
    ...(takesBody ? { requestBody: requestBody(route) } : {}),
    responses: answersOf(route, routes),
  };
}

/** White space at either end is not part of a header's value. */
const idempotencyKey = z.string().meta({ pattern: '^[!-~]([ -~]{0,253}[!-~])?$', examples: ['order-1234'] });

const requestBody = (route: Route) => ({
  required: route.method === 'PUT' || !route.body.safeParse({}).success,
  content: { 'application/json': { schema: route.body } },
});

const isEmpty = (schema: z.ZodType): boolean => schema instanceof z.ZodObject && Object.keys(schema.shape).length === 0;
