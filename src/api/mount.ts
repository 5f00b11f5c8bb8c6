import { performance } from 'node:perf_hooks';
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import type { Logger } from 'pino';
import type { Database, Tx } from '../db/database.ts';
import { authenticate, type Caller } from './authentication.ts';
import { read } from './faults.ts';
import { type Answer, hashOf, once } from './idempotency.ts';
import { ApiProblem } from './problem.ts';
import type { FileAnswer, Links, Route } from './route.ts';

export interface FrameDeps {
  readonly database: Database;
  readonly platformApiKey: string;
  readonly links: Links;
  readonly log: Logger;
  /** Checks each answer against its schema: for tests; it costs time. */
  readonly checkAnswers: boolean;
}

const MAX_PARAM = 300;
const BODY_LIMIT = '16mb';
const readJson = express.json({ limit: BODY_LIMIT });

/** Puts routes onto a router: those with literal paths before those with parameters, and 405 for what is left of a path. */
export function mount(router: Router, routes: readonly Route[], deps: FrameDeps): void {
  const sorted = routes.toSorted((a, b) => (specificity(a.path) < specificity(b.path) ? -1 : 1));
  for (const route of sorted) {
    const handle = answering(route, deps);
    const path = route.path;
    if (route.method === 'GET') router.get(path, handle);
    if (route.method === 'POST') router.post(path, handle);
    if (route.method === 'DELETE') router.delete(path, handle);
    if (route.method === 'PUT') router.put(path, handle).patch(path, handle);
  }
  for (const path of new Set(sorted.map((route) => route.path))) {
    const allow = allowed(sorted.filter((route) => specificity(route.path) === specificity(path)));
    router.options(path, (_request, response) => {
      response.status(204).set('Allow', allow).end();
    });
    router.all(path, () => {
      throw new ApiProblem(405, 'method_not_allowed', `This path takes ${allow}.`, { headers: { Allow: allow } });
    });
  }
}

const specificity = (path: string): string => path.replaceAll(/:\w+/g, '\u{10ffff}');

const allowed = (routes: readonly Route[]): string =>
  [
    ...routes.flatMap(({ method }) =>
      method === 'GET' ? ['GET', 'HEAD'] : method === 'PUT' ? ['PUT', 'PATCH'] : [method],
    ),
    'OPTIONS',
  ].join(', ');

function answering(route: Route, deps: FrameDeps): RequestHandler {
  return async (request, response) => {
    const startedAt = performance.now();
    response.locals['route'] = `${route.method} ${route.path}`;
    const caller = await authenticate(request, route.scope, deps);
    response.locals['caller'] = caller;
    // Only now, and before any transaction: a stranger's body is not read, and a slow one holds no connection of the database.
    await readBody(request, response);
    const input = {
      params: paramsOf(route, request),
      query: read(route.query, { ...request.query }, 'query'),
      body: read(route.body, bodyOf(route, request), 'body'),
    };
    const work = async (tx: Tx): Promise<Answer> => {
      const { tenant, actor } = caller;
      const body = await route.handler({ ...input, tx, tenant, actor, links: deps.links });
      if (deps.checkAnswers) route.response.parse(body);
      return { status: route.status, body, headers: {} };
    };
    const answer = await perform(route, request, caller, work, deps.database);
    response.set('Server-Timing', `app;dur=${(performance.now() - startedAt).toFixed(1)}`);
    send(response, route, answer);
  };
}

/** One transaction: a snapshot for a read, and for a write one that also keeps the answer of a keyed request. */
async function perform(
  route: Route,
  request: Request,
  caller: Caller,
  work: (tx: Tx) => Promise<Answer>,
  database: Database,
): Promise<Answer> {
  const key = route.method === 'GET' ? undefined : keyOf(request);
  if (key === undefined) {
    const readOnly = route.method === 'GET' || route.scope === 'read';
    return database.inTenant(caller.tenant.id, work, { readOnly });
  }
  // PATCH is another name of PUT, and a trailing slash is none.
  const path = request.path.replace(/(?<=.)\/+$/, '');
  return database.inTenant(caller.tenant.id, (tx) =>
    once(
      tx,
      {
        scope: { method: route.method, path: `${request.baseUrl}${path}`, key },
        bodyHash: hashOf([request.query, request.body]),
        secret: route.secret,
      },
      work,
    ),
  );
}

function keyOf(request: Request): string | undefined {
  const key = request.get('idempotency-key');
  if (key === undefined || /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new ApiProblem(400, 'idempotency.key', 'Idempotency-Key: send 1 to 255 printable ASCII characters.');
}

/** Each parameter is a short text that can be stored; what it names is looked up by the handler. */
function paramsOf(route: Route, request: Request): Record<string, string> {
  return Object.fromEntries(
    route.paramNames.map((name) => {
      const value = request.params[name];
      if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed() || value.length > MAX_PARAM) {
        const message = `Not an id: send at most ${MAX_PARAM} characters without a NUL byte.`;
        throw new ApiProblem(400, 'request.invalid', `${name}: ${message}`, { faults: [{ path: name, message }] });
      }
      return [name, value];
    }),
  );
}

const readBody = (request: Request, response: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    readJson(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
  });

function bodyOf(route: Route, request: Request): unknown {
  if (route.method === 'GET') return {};
  const hasBody = Number(request.get('content-length') ?? 0) > 0 || request.get('transfer-encoding') !== undefined;
  if (!hasBody && (route.method === 'POST' || route.method === 'DELETE')) return {};
  if (!hasBody)
    throw new ApiProblem(400, 'request.malformed', 'The body is empty. Send a JSON object with what is to change.');
  if (!request.is(['application/json', 'application/merge-patch+json'])) {
    throw new ApiProblem(415, 'request.media_type', 'Send the body as JSON, with "Content-Type: application/json".');
  }
  return request.body as unknown;
}

function send(response: Response, route: Route, answer: Answer): void {
  response.status(answer.status).set({ 'Cache-Control': 'no-store', ...answer.headers });
  if (answer.status === 204) response.end();
  else if (route.produces === null || answer.status >= 400) response.json(answer.body);
  else sendFile(response, route.produces, answer.body as FileAnswer);
}

function sendFile(response: Response, mediaType: string, { content, filename }: FileAnswer): void {
  response.type(mediaType);
  if (filename !== undefined) response.attachment(filename).type(mediaType);
  response.send(typeof content === 'string' ? content : Buffer.from(content));
}
