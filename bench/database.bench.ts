/** How much a module gets out of its own database, through all the walls: `npm run bench -- database`. See README.md. */
import { join } from 'node:path';
import type { DatabaseQuestion } from './database/servers/database-host.ts';
import { startChild, stopChildren } from './support/children.ts';
import { round } from './support/print.ts';
import type { Bench, BenchOptions, Section } from './support/question.ts';
import { median } from './support/statistics.ts';

const BAR_READS = 10_000;
const IN_FLIGHT = [1, 10, 50] as const;
const KINDS = ['reads', 'writes', 'transactions'] as const;
/** So that each takes a second or so. */
const COUNTS: Readonly<Record<DatabaseQuestion['kind'], number>> = {
  reads: 20_000,
  writes: 10_000,
  transactions: 2_000,
};

interface Measured {
  readonly kind: DatabaseQuestion['kind'];
  readonly inFlight: number;
  readonly perSecond: number[];
}

export const bench: Bench = {
  title: 'How many statements a second does one module get through to its database?',
  parts: ['module'],
  async *run(options) {
    yield await measure(options);
    await stopChildren();
  },
};

async function measure({ quick, folder, progress }: BenchOptions): Promise<Section> {
  const program = new URL('./database/servers/database-host.ts', import.meta.url);
  const host = await startChild<true>(program, { folder: join(folder, 'database') });
  const measured = KINDS.flatMap((kind) => IN_FLIGHT.map((inFlight): Measured => ({ kind, inFlight, perSecond: [] })));
  const rounds = quick ? 2 : 5;
  // The first round warms up.
  for (let number = 0; number <= rounds; number++) {
    progress(number === 0 ? 'warming up' : `round ${number} of ${rounds}`);
    for (const { kind, inFlight, perSecond } of measured) {
      const count = Math.round(COUNTS[kind] / (inFlight === 1 ? 5 : 1) / (quick ? 4 : 1));
      const found = await host.ask<number>({ kind, count, inFlight } satisfies DatabaseQuestion);
      if (number > 0) perSecond.push(found);
    }
  }
  return report(measured);
}

function report(measured: readonly Measured[]): Section {
  const reads = measured.find(({ kind, inFlight }) => kind === 'reads' && inFlight === 50);
  return {
    name: 'module',
    title: 'Statements per second of one module, by how many it has under way',
    table: {
      columns: ['', ...IN_FLIGHT.map((inFlight) => `${inFlight} at once`)],
      rows: KINDS.map((kind) => [
        kind,
        ...measured.filter((one) => one.kind === kind).map(({ perSecond }) => round(median(perSecond))),
      ]),
    },
    notes: ['The statements of one turn travel in one call. A transaction is three calls, and one is open at a time.'],
    data: measured,
    bars: [
      {
        name: 'point reads per second of one module, 50 at once',
        comparison: 'at least',
        bound: BAR_READS,
        measured: median(reads?.perSecond ?? [0]),
        unit: '/s',
      },
    ],
  };
}
