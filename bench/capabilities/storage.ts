/** Calls of `storage` and `cache` from one real module, next to a thread that asks over a bare MessagePort. */
import { join } from 'node:path';
import { startChild } from '../support/children.ts';
import { round } from '../support/print.ts';
import type { BenchOptions, Section } from '../support/question.ts';
import { median, ratioOf } from '../support/statistics.ts';
import type { CallQuestion } from './call-question.ts';

const IN_FLIGHT = 50;
const CALLS = 20_000;
const QUICK_CALLS = 4_000;
/** Of a bare round trip, for storage.get. */
const BOUND = 3;

const SIDES = [
  { name: 'bare MessagePort', program: 'bare-port', what: 'get' },
  { name: 'storage.get', program: 'storage-host', what: 'get' },
  { name: 'storage.set', program: 'storage-host', what: 'set' },
  { name: 'cache.get', program: 'storage-host', what: 'cache' },
] as const;

export async function measureStorage({ quick, folder, progress }: BenchOptions): Promise<Section> {
  const calls = quick ? QUICK_CALLS : CALLS;
  const rounds = quick ? 3 : 9;
  progress('storage: starting the host and the bare thread');
  const children = {
    'bare-port': await start('bare-port', {}),
    'storage-host': await start('storage-host', { folder: join(folder, 'storage') }),
  };
  const measured = SIDES.map((side) => ({ ...side, microseconds: [] as number[] }));
  // The first round warms up.
  for (let number = 0; number <= rounds; number++) {
    progress(number === 0 ? '  warming up' : `  round ${number} of ${rounds}: ${calls} calls each`);
    for (const { program, what, microseconds } of measured) {
      const question: CallQuestion = { what, calls, inFlight: IN_FLIGHT };
      const milliseconds = await children[program].ask<number>(question);
      if (number > 0) microseconds.push((milliseconds * 1000) / calls);
    }
  }
  const bare = measured[0]?.microseconds ?? [];
  const ratios = measured.map(({ microseconds }) => ratioOf(microseconds, bare));
  return {
    name: 'storage',
    title: `Calls of one module, ${IN_FLIGHT} in flight`,
    table: {
      columns: ['call', 'µs', 'calls/s', 'of bare'],
      rows: measured.map(({ name, microseconds }, index) => {
        const ratio = ratios[index];
        const spread =
          ratio === undefined ? '' : `${ratio.median.toFixed(2)} (${round(ratio.least)}..${round(ratio.most)})`;
        const typical = median(microseconds);
        return [name, typical.toFixed(1), round(1_000_000 / typical), index === 0 ? '' : spread];
      }),
    },
    notes: ['storage.set is on the disk when it is acknowledged.'],
    data: { measured, ratios },
    bars: [
      {
        name: `storage.get at ${IN_FLIGHT} in flight, of a bare MessagePort round trip`,
        comparison: 'at most',
        bound: BOUND,
        measured: ratios[1]?.median ?? Number.NaN,
        unit: ' ×',
      },
    ],
  };
}

function start(program: string, options: unknown) {
  return startChild<true>(new URL(`./servers/${program}.ts`, import.meta.url), options);
}
