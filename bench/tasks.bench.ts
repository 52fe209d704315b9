/** What the walls around a task cost, next to BullMQ alone: `npm run bench -- tasks`. See README.md. */
import { stopChildren } from './support/children.ts';
import type { Bench, BenchOptions, Section } from './support/question.ts';
import { measureIdle } from './tasks/idle.ts';
import { measureThroughput } from './tasks/throughput.ts';

const PARTS: Readonly<Record<string, (options: BenchOptions) => Promise<Section>>> = {
  embedded: (options) => measureThroughput('embedded', options),
  redis: (options) => measureThroughput('redis', options),
  idle: measureIdle,
};

export const bench: Bench = {
  title: 'What does it cost to run a task in a module, next to a queue alone?',
  parts: Object.keys(PARTS),
  async *run(options) {
    for (const [name, measure] of Object.entries(PARTS)) {
      if (options.only !== undefined && options.only !== name) continue;
      yield await measure(options);
      // Idle hosts of one part still take a turn now and then.
      await stopChildren();
    }
  },
};
