import { ApplicationFailure } from '@temporalio/common';
import { isUnavailable } from '../db/failures.ts';
import { BillingError } from '../domain/errors.ts';
import { FAILURE } from '../workflows/contract.ts';

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
  const type = isUnavailable(cause) ? FAILURE.database : cause.name;
  return ApplicationFailure.create({ message: cause.message, type, cause });
}
