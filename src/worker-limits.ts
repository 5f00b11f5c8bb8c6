/** How much one worker does at once. */
export const WORKER_LIMITS = {
  // Bounded, so that one tenant's crowd leaves the database room for the others.
  maxConcurrentActivityTaskExecutions: 20,
  // Groups that are looked at at once. They share a few transactions, so that it costs no connections.
  maxConcurrentLocalActivityExecutions: 200,
  maxConcurrentWorkflowTaskExecutions: 200,
} as const;
