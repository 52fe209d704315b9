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
  },
});
