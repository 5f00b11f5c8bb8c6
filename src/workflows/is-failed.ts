import { isCancellation, TemporalFailure } from '@temporalio/workflow';

/**
 * Whether an activity failed: a local one throws its failure as it is, an ordinary one inside an `ActivityFailure`. A
 * cancellation is no failure.
 */
export const isFailed = (error: unknown): error is TemporalFailure =>
  error instanceof TemporalFailure && !isCancellation(error);
