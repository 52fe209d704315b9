/** Interleaved rounds of load: A B C A B C …, so that a slow minute of the machine hits all of them alike. */
import { type Child, startChild } from '../support/children.ts';
import type { LoadOrder, LoadResult } from '../support/load.ts';
import { median } from '../support/statistics.ts';

export interface Target {
  readonly name: string;
  readonly url: string;
  readonly tokens: readonly string[];
}

export interface RoundsOptions {
  readonly targets: readonly Target[];
  readonly connections: readonly number[];
  readonly rounds: number;
  /** Of each target, in each round, at each number of connections. */
  readonly seconds: number;
  readonly progress: (text: string) => void;
}

/** All rounds of one target at one number of connections. */
export interface Measured {
  readonly name: string;
  readonly connections: number;
  readonly rounds: readonly LoadResult[];
}

const WARM_CONNECTIONS = 32;
/** A JIT that is still at work at the start of a measurement would favour whoever comes last. */
const WARM_SHARE = 1.5;

export async function measureRounds(options: RoundsOptions): Promise<Measured[]> {
  const { targets, connections, rounds, seconds, progress } = options;
  const generator = await startChild<true>(new URL('../support/load.ts', import.meta.url), null);
  for (const target of targets) {
    progress(`  warming ${target.name} up`);
    await ask(generator, { ...target, connections: WARM_CONNECTIONS, seconds: seconds * WARM_SHARE });
  }
  const measured = connections.flatMap((count) =>
    targets.map((target) => ({ target, name: target.name, connections: count, rounds: [] as LoadResult[] })),
  );
  for (let round = 1; round <= rounds; round++) {
    progress(`  round ${round} of ${rounds}`);
    for (const { target, connections: count, rounds: results } of measured) {
      results.push(await ask(generator, { ...target, connections: count, seconds }));
    }
  }
  await generator.stop();
  return measured;
}

async function ask(generator: Child<true>, order: LoadOrder & Target): Promise<LoadResult> {
  const { name, url, tokens, connections, seconds } = order;
  try {
    return await generator.ask<LoadResult>({ url, tokens, connections, seconds } satisfies LoadOrder);
  } catch (error) {
    throw new Error(`${name} at ${connections} connections`, { cause: error });
  }
}

export function medianOf({ rounds }: Measured, field: keyof LoadResult): number {
  return median(rounds.map((round) => round[field]));
}

export function find(measured: readonly Measured[], name: string, connections: number): Measured {
  const found = measured.find((entry) => entry.name === name && entry.connections === connections);
  if (found === undefined) throw new Error(`${name} was not measured at ${connections} connections.`);
  return found;
}
