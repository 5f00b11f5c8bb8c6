import { type RequestHandler, Router } from 'express';
import { PROBLEM_TYPE, unavailable } from './problem.ts';

/** Answers when a part is up, and throws when it is not. */
export type PartCheck = () => Promise<unknown>;

const CHECK_TIMEOUT_MS = 2_000;

/** `/healthz`: this process lives. `/readyz`: every part it needs answers; 503 with the list when one does not. */
export const healthRouter = (parts: Readonly<Record<string, PartCheck>>): Router =>
  Router()
    .get('/healthz', (_request, response) => {
      response.set('Cache-Control', 'no-store').json({ status: 'up' });
    })
    .get('/readyz', readiness(parts));

const readiness =
  (parts: Readonly<Record<string, PartCheck>>): RequestHandler =>
  async (_request, response) => {
    const states = await Promise.all(
      Object.entries(parts).map(async ([name, check]) => [name, (await isUp(check)) ? 'up' : 'down'] as const),
    );
    const down = states.filter(([, state]) => state === 'down').map(([name]) => name);
    response.set('Cache-Control', 'no-store');
    if (down.length === 0) {
      response.json({ status: 'ready', parts: Object.fromEntries(states) });
      return;
    }
    const { body, headers } = unavailable(`Down: ${down.join(', ')}.`);
    response.status(503).set(headers).type(PROBLEM_TYPE);
    response.json({ ...body, detail: `Down: ${down.join(', ')}.`, parts: Object.fromEntries(states) });
  };

async function isUp(check: PartCheck): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([
      check().then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
