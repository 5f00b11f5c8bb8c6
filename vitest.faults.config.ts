import { defineConfig } from 'vitest/config';

/** What takes minutes: servers killed, cut off, out of space. One file at a time, each with servers of its own. */
export default defineConfig({
  test: {
    maxWorkers: 1,
    silent: 'passed-only',
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});
