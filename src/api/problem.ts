import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { type Outage, outageOf, refusalOf } from '../db/failures.ts';
import type { BillingError, ErrorCategory, Fault } from '../domain/errors.ts';

/** How every refusal and failure looks on the wire: RFC 9457, with the stable code that clients match on. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'A URN of the code.', examples: ['urn:tributary:problem:customer.cycle'] }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What is wrong and how to mend it, for a person.' }),
    code: z.string().meta({ examples: ['customer.cycle'] }),
    errors: z
      .array(z.object({ path: z.string().meta({ examples: ['prices[0].amount'] }), message: z.string() }))
      .optional(),
    instance: z.string().optional().meta({ description: 'The request, as the log knows it.' }),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;

export const PROBLEM_TYPE = 'application/problem+json';

const STATUS_OF: Readonly<Record<ErrorCategory, number>> = { invalid: 400, missing: 404, conflict: 409, blocked: 409 };

/** A refusal by HTTP itself (who asks, how, how often), before any rule of billing is reached. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly faults: readonly Fault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: { faults?: readonly Fault[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.faults = more.faults ?? [];
    this.headers = more.headers ?? {};
  }
}

/** A problem ready to be sent. `cause` is set for what nobody foresaw: it belongs in the log and not in the answer. */
export interface ProblemAnswer {
  readonly status: number;
  readonly body: Problem;
  readonly headers: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Turns whatever was thrown into a problem. Nothing internal is told: no SQL, no stack, no path. */
export function toProblem(error: unknown, requestId: string): ProblemAnswer {
  if (error instanceof ApiProblem) {
    return {
      status: error.status,
      body: problem(error.status, error.code, error.message, error.faults),
      headers: error.headers,
    };
  }
  const refusal = refusalOf(error);
  if (refusal !== null) return refusalAnswer(refusal);
  const parsing = parserProblem(error);
  if (parsing !== null) return toProblem(parsing, requestId);
  const outage = outageOf(error);
  if (outage !== null) return { ...unavailable(OUTAGE[outage]), cause: error };
  const body = problem(500, 'internal', `Something went wrong on our side. Quote ${requestId} when you report it.`);
  return { status: 500, body: { ...body, instance: requestId }, headers: {}, cause: error };
}

/** A refusal by a rule: the status follows from the category of its code. */
export function refusalAnswer(error: BillingError): ProblemAnswer {
  const status = STATUS_OF[error.category];
  return { status, body: problem(status, error.code, error.message, error.faults), headers: {} };
}

const OUTAGE: Readonly<Record<Outage, string>> = {
  AWAY: 'The database does not answer just now.',
  DISK_FULL:
    'The database has no room left on its disk: what is there can be read, and nothing be written until an operator makes room.',
  BUSY: 'The database has too much to do just now.',
};

/** 503: a part is down; the same request may be sent again. One that was cut off in its commit may have been done. */
export const unavailable = (detail: string): ProblemAnswer => ({
  status: 503,
  body: problem(
    503,
    'unavailable',
    `${detail} Send the request again in a moment; with the same Idempotency-Key it is done once.`,
  ),
  headers: { 'Retry-After': '2' },
});

function problem(status: number, code: string, detail: string, faults: readonly Fault[] = []): Problem {
  return {
    type: `urn:tributary:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: withoutKeys(detail),
    code,
    ...(faults.length > 0
      ? { errors: faults.map(({ path, message }) => ({ path: withoutKeys(path), message: withoutKeys(message) })) }
      : {}),
  };
}

/** A key that was taken for something else is not told back: answers are kept in places where no key may be. */
const withoutKeys = (text: string): string => text.replaceAll(/\btrb_(test|live)_[\w-]{8,}/g, 'trb_$1_…');

/** What Express and its body parser throw for a request that cannot be read. */
function parserProblem(error: unknown): ApiProblem | null {
  const { type, status } = error as { type?: unknown; status?: unknown };
  switch (type) {
    case 'entity.parse.failed':
      return new ApiProblem(400, 'request.malformed', 'The body is not JSON. Send a JSON object.');
    case 'entity.too.large':
      return new ApiProblem(413, 'request.too_large', 'The body is larger than 16 MB. Send it in several requests.');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new ApiProblem(415, 'request.media_type', 'Send the body as UTF-8, plain or gzip.');
    default:
      return error instanceof Error && typeof status === 'number' && status >= 400 && status < 500
        ? new ApiProblem(400, 'request.malformed', 'The request cannot be read: check its URL, headers and body.')
        : null;
  }
}
