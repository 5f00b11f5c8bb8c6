import type { RequestHandler } from 'express';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { newId } from '../db/ids.ts';
import type { Caller } from './authentication.ts';

/** Names each request, and writes one line about it when it is answered: no header, no body, no secret. */
export const requestLog =
  (log: Logger): RequestHandler =>
  (request, response, next) => {
    const startedAt = performance.now();
    const requestId = newId('req');
    response.locals['requestId'] = requestId;
    response.set('X-Request-Id', requestId);
    response.once('close', () => {
      const caller = response.locals['caller'] as Caller | undefined;
      const entry = {
        requestId,
        method: request.method,
        path: loggedPath(request.originalUrl),
        route: response.locals['route'] as string | undefined,
        status: response.writableFinished ? response.statusCode : 499,
        ms: Math.round((performance.now() - startedAt) * 10) / 10,
        tenant: caller?.tenant.id,
        actor: caller?.actor,
      };
      if (response.statusCode >= 500) log.error(entry, 'request failed');
      else log.info(entry, 'request');
    });
    next();
  };

/** Without the query, and without the token of a hosted page, which opens it for whoever knows it. */
const loggedPath = (url: string): string => (url.split('?', 1)[0] ?? '').replace(/^(\/i\/)[^/]+/, '$1…').slice(0, 500);
