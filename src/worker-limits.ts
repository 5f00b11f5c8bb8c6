/** How much one worker does at once. */
export const WORKER_LIMITS = {
  // Bounded, so that one tenant's crowd leaves the database room for the others.
  maxConcurrentActivityTaskExecutions: 20,
  // Groups that are looked at at once. They share a few transactions, so that it costs no connections. While two batches of a
  // hundred are at work the next two gather here, instead of as tasks that the server has to keep.
  maxConcurrentLocalActivityExecutions: 400,
  maxConcurrentWorkflowTaskExecutions: 400,
} as const;
