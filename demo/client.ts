import { randomUUID } from 'node:crypto';

/** The API as a client sees it: paths under `/api/v1`, JSON both ways. */
export interface Api {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  /** Every item of a list or feed, all pages. */
  all<T>(path: string): Promise<T[]>;
}

interface Listing<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string | null;
  readonly totalPages?: number;
}

interface Problem {
  readonly detail?: string;
  readonly code?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

const PAGE_SIZE = 200;
const TRIES = 5;
/** Too many requests; a part is down. Both say when to come back. */
const COME_BACK = new Set([429, 503]);

/**
 * A client of one server with one key. Every POST carries an Idempotency-Key, so that one that is tried again does nothing
 * twice.
 *
 * @throws from each call, in one line: method, path, status and what the server said.
 */
export function apiAt(url: string, key: string): Api {
  const request = async <T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> => {
    const headers: Record<string, string> = { Authorization: `Bearer ${key}` };
    if (method === 'POST') headers['Idempotency-Key'] = randomUUID();
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const init: RequestInit = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await patiently(() => fetch(`${url}/api/v1${path}`, init));
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${reasonIn(text)}`);
    return JSON.parse(text) as T;
  };
  const get = <T>(path: string): Promise<T> => request<T>('GET', path);
  return {
    get,
    post: (path, body) => request('POST', path, body),
    all: async <T>(path: string): Promise<T[]> => {
      const pageAt = (rest: string) =>
        get<Listing<T>>(`${path}${path.includes('?') ? '&' : '?'}size=${PAGE_SIZE}${rest}`);
      const first = await pageAt('');
      const found = [...first.items];
      let cursor = first.nextCursor ?? null;
      while (cursor !== null) {
        const next = await pageAt(`&cursor=${encodeURIComponent(cursor)}`);
        found.push(...next.items);
        cursor = next.nextCursor ?? null;
      }
      if (first.nextCursor === undefined) {
        for (let page = 1; page < (first.totalPages ?? 1); page += 1)
          found.push(...(await pageAt(`&page=${page}`)).items);
      }
      return found;
    },
  };
}

/** Comes back when the server says so, a few times. */
async function patiently(send: () => Promise<Response>): Promise<Response> {
  for (let tried = 1; ; tried += 1) {
    const response = await send();
    if (!COME_BACK.has(response.status) || tried === TRIES) return response;
    const seconds = Number(response.headers.get('retry-after') ?? 1);
    await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, 10) * 1000));
  }
}

function reasonIn(text: string): string {
  try {
    const { detail, code, errors } = JSON.parse(text) as Problem;
    const faults = (errors ?? []).map(({ path, message }) => `${path}: ${message}`);
    return [`${detail ?? ''} [${code ?? 'no code'}]`, ...faults].join(' · ');
  } catch {
    return text.slice(0, 200);
  }
}
