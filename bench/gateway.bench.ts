/** What the walls between host and module cost: `npm run bench -- gateway`. See README.md. */
import { measureFirstAnswer } from './gateway/first-answer.ts';
import { measureInstalled } from './gateway/installed.ts';
import { measureMemory } from './gateway/memory.ts';
import { measureThroughput } from './gateway/throughput.ts';
import { stopChildren } from './support/children.ts';
import type { Bench, BenchOptions, Section } from './support/question.ts';

const PARTS: Readonly<Record<string, (options: BenchOptions) => Promise<Section>>> = {
  throughput: measureThroughput,
  'first-answer': measureFirstAnswer,
  memory: measureMemory,
  installed: measureInstalled,
};

export const bench: Bench = {
  title: 'What do the walls between the host and a module cost?',
  parts: Object.keys(PARTS),
  async *run(options) {
    for (const [name, measure] of Object.entries(PARTS)) {
      if (options.only !== undefined && options.only !== name) continue;
      yield await measure(options);
      // Idle servers of one part still take a turn now and then.
      await stopChildren();
    }
  },
};
