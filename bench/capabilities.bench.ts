/** What a call of a capability costs, next to a bare MessagePort: `npm run bench -- capabilities`. See README.md. */
import { measureStorage } from './capabilities/storage.ts';
import { stopChildren } from './support/children.ts';
import type { Bench, BenchOptions, Section } from './support/question.ts';

const PARTS: Readonly<Record<string, (options: BenchOptions) => Promise<Section>>> = {
  storage: measureStorage,
};

export const bench: Bench = {
  title: 'What does a call of a capability cost, next to a bare MessagePort?',
  parts: Object.keys(PARTS),
  async *run(options) {
    for (const [name, measure] of Object.entries(PARTS)) {
      if (options.only !== undefined && options.only !== name) continue;
      yield await measure(options);
      await stopChildren();
    }
  },
};
