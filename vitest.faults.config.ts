import { defineConfig } from 'vitest/config';

/** What takes minutes: servers killed, cut off, out of space. Most of it is waiting, so that several go on at a time. */
export default defineConfig({
  test: {
    maxWorkers: 4,
    silent: 'passed-only',
    setupFiles: ['test/support/chances.ts'],
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 600_000,
    // One may have to build Toxiproxy first.
    hookTimeout: 600_000,
  },
});
