import { fileURLToPath } from 'node:url';
import { plexichat } from '@plexichat/sdk/testing/vitest';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Hosts and cells that tests start are a hundred files of TypeScript each: their types are stripped once for all of them.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/plexi-tests/compiled', import.meta.url));

/** Long files first: one that began last would keep a single worker busy while the others have nothing to do. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isShort = ({ moduleId }: TestSpecification): number => (/\/test\/unit\//.test(moduleId) ? 1 : 0);
    return (await super.sort(files)).toSorted((one, other) => isShort(one) - isShort(other));
  }
}

export default defineConfig({
  // The examples' tests import module.ts, whose decorators neither Node nor Vitest lowers.
  plugins: [plexichat()],
  test: {
    include: ['test/**/*.test.ts', 'examples/*/tests/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    sequence: { sequencer: LongFirst },
    // Most of the long files wait for timers, processes and servers; more workers than that disturb each other.
    maxWorkers: 3,
  },
});
