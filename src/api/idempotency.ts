import { createHash } from 'node:crypto';
import type { Tx } from '../db/database.ts';
import { refusalOf } from '../db/failures.ts';
import { findAnswer, type KeyScope, storeAnswer, tryLockKey } from '../db/idempotency.ts';
import { inSavepoint } from '../db/savepoint.ts';
import { ApiProblem, refusalAnswer } from './problem.ts';

/** What is sent back. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export interface KeyedRequest {
  readonly scope: KeyScope;
  /** Of what was asked: query and body. */
  readonly bodyHash: string;
  /** The field of the answer that is shown once. */
  readonly secret: string | null;
}

/**
 * Does the work once per key. A repeat gets the first answer again, refusals included; what failed for no fault of the
 * caller's is not stored, since its transaction is gone.
 *
 * @throws 409 while the first request is in flight, 422 when the key was used for another body.
 */
export async function once(tx: Tx, request: KeyedRequest, work: (tx: Tx) => Promise<Answer>): Promise<Answer> {
  if (!(await tryLockKey(tx, request.scope))) {
    throw new ApiProblem(409, 'idempotency.in_flight', 'The first request with this Idempotency-Key is not done yet.', {
      headers: { 'Retry-After': '1' },
    });
  }
  const stored = await findAnswer(tx, request.scope);
  if (stored !== null) {
    if (stored.bodyHash === request.bodyHash) return replay(stored.status, stored.response);
    const detail = 'This Idempotency-Key was used for another request. Take a new key for a new request.';
    throw new ApiProblem(422, 'idempotency.mismatch', detail);
  }
  const answer = await settle(tx, work);
  const response =
    request.secret === null || answer.status >= 400 ? answer.body : withheld(answer.body, request.secret);
  await storeAnswer(tx, request.scope, { bodyHash: request.bodyHash, status: answer.status, response });
  return answer;
}

const replay = (status: number, body: unknown): Answer => ({
  status,
  body: status === 204 ? undefined : body,
  headers: {
    'Idempotent-Replayed': 'true',
    ...(status >= 400 ? { 'Content-Type': 'application/problem+json' } : {}),
  },
});

/** A refusal is an answer too: it leaves nothing behind but itself. */
async function settle(tx: Tx, work: (tx: Tx) => Promise<Answer>): Promise<Answer> {
  try {
    return await inSavepoint(tx, work);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    const { status, body } = refusalAnswer(refusal);
    return { status, body, headers: { 'Content-Type': 'application/problem+json' } };
  }
}

/** The answer as a repeat will see it: without the secret, and saying so. */
const withheld = (body: unknown, field: string): unknown => ({
  ...(body as Record<string, unknown>),
  [field]: null,
  secret: null,
  note: 'The secret was shown once, in the first answer, and is not stored. If it is lost, make another key.',
});

/** The same for the same request, whatever the order of its fields. */
export const hashOf = (request: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(request, sortedFields) ?? '')
    .digest('hex');

const sortedFields = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
