/** How long somebody waits who asks a sleeping module, next to what any Worker costs on this machine. */
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { startChild } from '../support/children.ts';
import { round } from '../support/print.ts';
import type { BenchOptions, Section } from '../support/question.ts';
import { median, percentile } from '../support/statistics.ts';
import { HOT_MODULE, sleeperName, statusPath } from './module-folder.ts';
import type { BareWorkerOptions } from './servers/bare-worker.ts';
import { type HostChild, primeHost, startBenchHost } from './start-host.ts';

/** The first modules to wake also start the cells that hold them; they are told apart. */
const CELLS = 2;
const WARM_UP = 5;

export async function measureFirstAnswer(options: BenchOptions): Promise<Section> {
  const wakes = options.quick ? 15 : 31;
  options.progress(`first-answer: waking ${wakes} modules`);
  const folder = join(options.folder, 'first-answer');
  const modules = { hot: true, sleeping: wakes + CELLS };
  await primeHost(folder, modules);
  const host = await startBenchHost(folder, modules);
  const file = join(folder, 'bare-worker.cjs');
  writeFileSync(file, "require('node:worker_threads').parentPort.postMessage('up');\n");
  const worker = await startChild<true>(new URL('./servers/bare-worker.ts', import.meta.url), {
    file,
  } satisfies BareWorkerOptions);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (module: string) => timeAnswer(agent, host, module);

  const awake: number[] = [];
  for (let count = 0; count < WARM_UP; count++) {
    await ask(HOT_MODULE);
    await worker.ask<number>('boot');
  }
  const withCell: number[] = [];
  for (let number = 0; number < CELLS; number++) withCell.push(await ask(sleeperName(number)));
  const first: number[] = [];
  const bare: number[] = [];
  for (let number = 0; number < wakes; number++) {
    first.push(await ask(sleeperName(CELLS + number)));
    bare.push(await worker.ask<number>('boot'));
    awake.push(await ask(HOT_MODULE));
  }
  agent.destroy();
  await Promise.all([host.stop(), worker.stop()]);

  const reference = median(bare);
  const row = (name: string, times: readonly number[]): string[] => {
    const sorted = times.toSorted((a, b) => a - b);
    const cells = [percentile(sorted, 50), percentile(sorted, 0), percentile(sorted, 100)].map(round);
    return [name, String(times.length), ...cells, (percentile(sorted, 50) / reference).toFixed(2)];
  };
  return {
    name: 'first-answer',
    title: 'The first answer of a sleeping module, over HTTP, next to the boot of a bare Worker',
    table: {
      columns: ['what', 'samples', 'median ms', 'least', 'most', 'of a Worker'],
      rows: [
        row('bare Worker to its first message', bare),
        row('sleeping module to its first answer', first),
        row('the same, and its cell has to start', withCell),
        row('module that is awake', awake),
      ],
    },
    notes: [],
    data: { bare, first, withCell, awake },
    bars: [
      {
        name: 'first answer of a sleeping module, of a bare Worker',
        comparison: 'at most',
        bound: 2.5,
        measured: median(first) / reference,
        unit: ' ×',
      },
    ],
  };
}

/** Milliseconds from the request to the end of its answer. */
function timeAnswer(agent: Agent, { ready }: HostChild, module: string): Promise<number> {
  const headers = { authorization: `Bearer ${ready.tokens[0]}` };
  return new Promise((resolve, reject) => {
    const start = performance.now();
    request(ready.url + statusPath(module), { agent, headers }, (answer) => {
      answer.resume().once('end', () => {
        const milliseconds = performance.now() - start;
        if (answer.statusCode === 200) resolve(milliseconds);
        else reject(new Error(`${module} answered ${answer.statusCode}.`));
      });
    })
      .once('error', reject)
      .end();
  });
}
