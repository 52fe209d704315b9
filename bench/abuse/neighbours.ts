/** Neighbours of a hostile module, asked at a steady rate: what is late counts from when it should have been asked. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../support/statistics.ts';

export interface NeighbourReading {
  readonly p50: number;
  readonly p99: number;
  readonly answered: number;
  readonly refused: number;
  readonly wrong: readonly string[];
}

const NEIGHBOURS = 8;
const EVERY_MS = 20;
const ANSWER_MS = 20_000;

export function writeNeighbours(folder: string): void {
  for (const name of names()) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(
      join(folder, name, 'config.yaml'),
      `module_name: ${name}
module_version: 1.0.0
auto_load: true
security: { require_authentication: false, rate_limiting: false }
runtime: { idle_timeout: 86400 }
`,
    );
    writeFileSync(
      join(folder, name, 'module.js'),
      `import { BaseModule } from '@plexichat/sdk';
export default class Neighbour extends BaseModule {
  setupRoutes() { this.router.get('/add/:a/:b', ({ params }) => ({ who: '${name}', sum: Number(params.a) + Number(params.b) })); }
}
`,
    );
  }
}

/** Asks all of them for so long. */
export async function askNeighbours(url: string, ms: number): Promise<NeighbourReading> {
  const latencies: number[] = [];
  const wrong: string[] = [];
  let refused = 0;
  const ask = async (name: string, turn: number, due: number): Promise<void> => {
    try {
      const response = await fetch(`${url}/api/v1/${name}/add/${turn}/1`, { signal: AbortSignal.timeout(ANSWER_MS) });
      const text = await response.text();
      if (response.status === 503) refused += 1;
      else if (text === JSON.stringify({ who: name, sum: turn + 1 })) latencies.push(performance.now() - due);
      else wrong.push(`${name}: ${response.status} ${text.slice(0, 200)}`);
    } catch (error) {
      wrong.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const end = performance.now() + ms;
  await Promise.all(
    names().map(async (name, index) => {
      // Not all at the same moment.
      let due = performance.now() + (index * EVERY_MS) / NEIGHBOURS;
      for (let turn = 0; due < end; turn++, due += EVERY_MS) {
        const wait = due - performance.now();
        if (wait > 0) await sleep(wait);
        await ask(name, turn, due);
      }
    }),
  );
  latencies.sort((a, b) => a - b);
  return { p50: percentile(latencies, 50), p99: percentile(latencies, 99), answered: latencies.length, refused, wrong };
}

function names(): string[] {
  return Array.from({ length: NEIGHBOURS }, (_, number) => `neighbour_${number}`);
}
