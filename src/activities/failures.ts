import { ApplicationFailure } from '@temporalio/common';
import { BillingError } from '../domain/errors.ts';
import { FAILURE } from '../workflows/contract.ts';

/** Connection lost or refused, too many clients, shutting down, cannot connect now (PostgreSQL and the socket). */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  '08000',
  '08003',
  '08006',
  '53300',
  '57P01',
  '57P02',
  '57P03',
]);

/**
 * What an activity's error means to its workflow: a refusal is never retried, a lost database is waited for, anything else
 * is retried a few times and then shown.
 */
export function toFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof BillingError) {
    return ApplicationFailure.create({
      message: error.message,
      type: FAILURE.billing,
      nonRetryable: true,
      details: [error.code],
      cause: error,
    });
  }
  const cause = error instanceof Error ? error : new Error(String(error));
  const type = isDatabaseAway(cause) ? FAILURE.database : cause.name;
  return ApplicationFailure.create({ message: cause.message, type, cause });
}

function isDatabaseAway(error: Error): boolean {
  const code = (error as { code?: string }).code ?? '';
  if (
    AWAY.has(code) ||
    /Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect/.test(
      error.message,
    )
  ) {
    return true;
  }
  return error.cause instanceof Error && isDatabaseAway(error.cause);
}
