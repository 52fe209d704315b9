import { plexichat } from '@plexichat/sdk/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The examples' tests import module.ts, whose decorators neither Node nor Vitest lowers.
  plugins: [plexichat()],
  test: {
    include: ['test/**/*.test.ts', 'examples/*/tests/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most of the long files wait for timers, processes and servers; more workers than that disturb each other.
    maxWorkers: 3,
  },
});
