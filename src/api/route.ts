import { z } from 'zod';
import type { Tx } from '../db/database.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a key must be allowed to do. `admin` includes `write`, which includes `read`; `platform` is the platform key's. */
export type Scope = 'public' | 'read' | 'write' | 'admin' | 'platform';

/** The tenant of a request. For `platform` and `public` routes it is no tenant yet: see `actAs`. */
export interface RequestTenant {
  readonly id: string;
  readonly name: string;
  readonly mode: 'TEST' | 'LIVE';
}

/** Where people and links point to. */
export interface Links {
  /** Base of public URLs, without a trailing slash. */
  readonly publicUrl: string;
  /** The namespace's page in the Temporal UI, without a trailing slash; null when there is none. */
  readonly temporalUiUrl: string | null;
}

/** `/customers/:customerId/aliases/:alias` gives `customerId` and `alias`. */
type NamesIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

export type PathParams<Path extends string> = { readonly [Name in NamesIn<Path>]: string };

/** What a handler is given: one open transaction, and a request that has been checked. */
export interface Call<Params, Query, Body> {
  readonly tx: Tx;
  readonly tenant: RequestTenant;
  /** Who asks, for the audit log: `key:key_…` or `platform`. */
  readonly actor: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly links: Links;
}

export interface RouteSpec<Path extends string, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType> {
  readonly method: Method;
  /** Below `/api/v1`; parameters as `:name`. Each is a text of 1 to 255 characters. */
  readonly path: Path;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly scope: Scope;
  readonly query?: Q;
  /** Strict: unknown fields are refused by name. One that accepts `{}` makes the body optional on POST. */
  readonly body?: B;
  /** 200 unless given. */
  readonly status?: 200 | 201 | 202 | 204;
  readonly response: R;
  /** For answers that are no JSON: their media type. The handler then returns a `FileAnswer`. */
  readonly produces?: string;
  /** The top-level field of the answer that is shown once; a stored answer holds null for it. */
  readonly secret?: string;
  /** Whether the present state may refuse it (409): always so for a write, never for a read unless it says so. */
  readonly refusable?: boolean;
  readonly handler: (call: Call<PathParams<Path>, z.output<Q>, z.output<B>>) => Promise<z.input<R>>;
}

/** A route as the frame mounts and documents it, its types erased. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string | null;
  readonly scope: Scope;
  readonly paramNames: readonly string[];
  readonly query: z.ZodObject;
  readonly body: z.ZodType;
  readonly status: number;
  readonly response: z.ZodType;
  readonly produces: string | null;
  readonly secret: string | null;
  readonly refusable: boolean;
  readonly handler: (call: Call<Record<string, string>, unknown, unknown>) => Promise<unknown>;
}

/** No field at all, so that any is refused by name. */
const NOTHING = z.strictObject({});

/** The answer of a 204. */
export const noContent = z.void();

/** A document: what a route with `produces` returns. */
export interface FileAnswer {
  readonly content: Uint8Array | string;
  /** Suggested name when it is saved. */
  readonly filename?: string;
}
export const fileAnswer = z.custom<FileAnswer>();

/**
 * Declares a route. One list of routes mounts them, documents them and feeds the sweep over bad input.
 *
 * GET runs in a read-only snapshot. POST, PUT and DELETE run in one transaction, idempotent under `Idempotency-Key`; a POST
 * of scope `read` without a key runs read-only. PATCH is an alias of every PUT.
 */
export function route<
  const Path extends string,
  R extends z.ZodType,
  Q extends z.ZodObject = typeof NOTHING,
  B extends z.ZodType = typeof NOTHING,
>(spec: RouteSpec<Path, Q, B, R>): Route {
  return {
    method: spec.method,
    path: spec.path,
    tag: spec.tag,
    summary: spec.summary,
    description: spec.description ?? null,
    scope: spec.scope,
    paramNames: [...spec.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? ''),
    query: spec.query ?? NOTHING,
    body: spec.body ?? NOTHING,
    status: spec.status ?? 200,
    response: spec.response,
    produces: spec.produces ?? null,
    secret: spec.secret ?? null,
    refusable: spec.refusable ?? spec.method !== 'GET',
    handler: spec.handler as unknown as Route['handler'],
  };
}
