// Loaded before the workflows, and for all of them (decision 22). For each promise of a workflow the SDK takes a stack trace and
// looks every frame up in the source map; of the 14 ms that an invoice cost a worker that was 2. A workflow that fails still says
// why; its history, replayed with a bundle that does not load this module first, says where.
Error.stackTraceLimit = 0;
