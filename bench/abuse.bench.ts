/** What a hostile module does to its neighbours: `npm run bench -- abuse`. See README.md. */
import { ABUSES } from '../test/support/abuse-table.ts';
import { measureKind } from './abuse/measure.ts';
import { stopChildren } from './support/children.ts';
import type { Bench } from './support/question.ts';

const KINDS = Map.groupBy(ABUSES, ({ kind }) => kind);

export const bench: Bench = {
  title: 'What does a hostile module do to the answers of its neighbours?',
  parts: [...KINDS.keys()],
  async *run(options) {
    for (const [kind, abuses] of KINDS) {
      if (options.only !== undefined && options.only !== kind) continue;
      yield await measureKind(kind, abuses, options);
      await stopChildren();
    }
  },
};
