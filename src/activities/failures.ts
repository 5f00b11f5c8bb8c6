import { ApplicationFailure } from '@temporalio/common';
import { isUnavailable, tellable, tellableStack } from '../db/failures.ts';
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
  const failure = error instanceof Error ? error : new Error(String(error));
  const type = isUnavailable(failure) ? FAILURE.database : failure.name;
  const message = tellable(failure);
  // History keeps a cause with its message and stack: not those of the driver, which may tell what somebody wrote.
  const cause = Object.assign(new Error(message), { name: failure.name, stack: tellableStack(failure) });
  return ApplicationFailure.create({ message, type, cause });
}
