import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { docsRouter } from './docs.ts';
import { healthRouter, type PartCheck } from './health.ts';
import { type FrameDeps, mount } from './mount.ts';
import { openApiDocument } from './openapi.ts';
import { ApiProblem, PROBLEM_TYPE, toProblem } from './problem.ts';
import { requestLog } from './request-log.ts';
import type { Route } from './route.ts';
import { internalRoutes, routes } from './routes.ts';

export interface AppDeps extends Omit<FrameDeps, 'checkAnswers'> {
  /** What `/readyz` asks, by name. */
  readonly parts: Readonly<Record<string, PartCheck>>;
  /** Requests that one key may make within a stretch of seconds; 1000 in 10 unless given. */
  readonly rateLimit?: { readonly requests: number; readonly seconds: number };
  readonly checkAnswers?: boolean;
  /** In place of the product's own, for tests of the frame. */
  readonly routes?: readonly Route[];
}

/** The HTTP application, a function of what it is given. */
export function createApp(deps: AppDeps): Express {
  const app = express().disable('x-powered-by').set('query parser', 'simple').set('etag', false);
  app.use(requestLog(deps.log), safeHeaders(), healthRouter(deps.parts));
  app.get('/', (_request, response) => response.redirect('/docs'));
  app.use('/docs', docsRouter());

  const frame: FrameDeps = { ...deps, checkAnswers: deps.checkAnswers ?? false };
  const limited = limit(deps.rateLimit ?? { requests: 1000, seconds: 10 });
  app.use('/api/v1', limited, apiRouter(deps.routes ?? routes, frame));
  const internal = express.Router();
  mount(internal, internalRoutes, frame);
  app.use('/internal/v1', limited, internal);

  app.use(() => {
    throw new ApiProblem(404, 'not_found', 'There is nothing at this path. See /docs for what there is.');
  });
  return app.use(answerProblem(deps.log));
}

function apiRouter(shown: readonly Route[], frame: FrameDeps): express.Router {
  const router = express.Router();
  let document: object | undefined;
  router.get('/openapi.json', (_request, response) => {
    document ??= openApiDocument(shown, frame.links.publicUrl);
    response.json(document);
  });
  mount(router, shown, frame);
  return router;
}

/** Inline styles are what the API's page needs; scripts come from here alone. Plain http stays possible on loopback. */
const safeHeaders = (): RequestHandler =>
  helmet({
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    strictTransportSecurity: false,
  }) as RequestHandler;

/** Counts by key, or by address where none was sent. */
const limit = ({ requests, seconds }: { requests: number; seconds: number }): RequestHandler =>
  rateLimit({
    windowMs: seconds * 1000,
    limit: requests,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    keyGenerator: (request) => {
      const credentials = request.get('authorization');
      return credentials === undefined
        ? `address:${request.socket.remoteAddress ?? ''}`
        : createHash('sha256').update(credentials).digest('base64url');
    },
    handler: (_request, response) => {
      const wait = response.getHeader('Retry-After') ?? seconds;
      throw new ApiProblem(
        429,
        'rate_limited',
        `More than ${requests} requests in ${seconds} seconds. Wait a moment.`,
        {
          headers: { 'Retry-After': String(wait) },
        },
      );
    },
  }) as RequestHandler;

const answerProblem =
  (log: Logger): ErrorRequestHandler =>
  (error: unknown, _request, response, next) => {
    const requestId = String(response.locals['requestId']);
    const { status, body, headers, cause } = toProblem(error, requestId);
    if (cause !== undefined) log.error({ requestId, err: cause }, 'unexpected failure');
    if (response.headersSent) {
      next(error);
      return;
    }
    response
      .status(status)
      .set({ 'Cache-Control': 'no-store', ...headers })
      .type(PROBLEM_TYPE)
      .json(body);
  };
