import type { RequestHandler } from 'express';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { newId } from '../db/ids.ts';
import type { Caller } from './authentication.ts';

/** Names each request, and writes one line about it when it is answered: no header, no body, no secret, no name of a person. */
export const requestLog =
  (log: Logger): RequestHandler =>
  (request, response, next) => {
    const startedAt = performance.now();
    const requestId = newId('req');
    response.locals['requestId'] = requestId;
    response.set('X-Request-Id', requestId);
    response.once('close', () => {
      const caller = response.locals['caller'] as Caller | undefined;
      const route = response.locals['route'] as string | undefined;
      const entry = {
        requestId,
        method: request.method,
        path: loggedPath(request.originalUrl, route),
        route,
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

const OUR_ID = /^[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}$/;
/** `healthz`, `api`, `v1`, `openapi.json`: parts of paths that no caller chose. */
const WORD = /^(v\d|[a-z][a-z.-]{0,30})?$/;

/**
 * The path without its query, and without what a caller may have put into it: an external id that is somebody's e-mail
 * address, the token of a hosted page, a key that was taken for an id. Ids of ours stay.
 *
 * @param route `GET /customers/:customerId`; undefined where none was found.
 */
function loggedPath(url: string, route: string | undefined): string {
  const parts = (url.split('?', 1)[0] ?? '')
    .replace(/^(\/i\/)[^/]+/, '$1…')
    .replace(/(?<=.)\/+$/, '')
    .split('/')
    .slice(0, 20);
  const routeParts = route?.replace(/^\w+ /, '').split('/').slice(1) ?? [];
  const first = parts.length - routeParts.length;
  return parts
    .map((part, index) => {
      const isChosen = index < first ? !WORD.test(part) : routeParts[index - first]?.startsWith(':');
      return isChosen === true && !OUR_ID.test(part) ? '…' : part;
    })
    .join('/');
}
