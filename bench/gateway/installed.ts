/** Whether modules that only sleep slow down the one that works. */
import { join } from 'node:path';
import { round } from '../support/print.ts';
import type { BenchOptions, Section } from '../support/question.ts';
import { ratioOf } from '../support/statistics.ts';
import { HOT_MODULE, statusPath } from './module-folder.ts';
import { find, type Measured, measureRounds, medianOf, type Target } from './rounds.ts';
import { startBenchHost } from './start-host.ts';

const CONNECTIONS = 32;
const INSTALLED = [1, 100];

export async function measureInstalled(options: BenchOptions): Promise<Section> {
  options.progress(`installed: hosts with ${INSTALLED.join(' and ')} modules`);
  const targets: Target[] = [];
  for (const count of INSTALLED) {
    const folder = join(options.folder, `installed-${count}`);
    const { ready } = await startBenchHost(folder, { hot: true, sleeping: count - 1 });
    targets.push({ name: nameOf(count), url: ready.url + statusPath(HOT_MODULE), tokens: ready.tokens });
  }
  const measured = await measureRounds({
    targets,
    connections: [CONNECTIONS],
    rounds: options.quick ? 3 : 9,
    seconds: options.quick ? 0.3 : 1.5,
    progress: options.progress,
  });
  const speeds = ({ rounds }: Measured) => rounds.map(({ requestsPerSecond }) => requestsPerSecond);
  const [one, hundred] = INSTALLED.map((count) => find(measured, nameOf(count), CONNECTIONS));
  if (one === undefined || hundred === undefined) throw new Error('Two hosts are compared.');
  const ratio = ratioOf(speeds(hundred), speeds(one));
  return {
    name: 'installed',
    title: `One hot module at ${CONNECTIONS} connections, alone and among sleeping ones`,
    table: {
      columns: ['installed', 'req/s', 'p50 ms', 'of one', 'least..most'],
      rows: [toRow(one, '1', ''), toRow(hundred, round(ratio.median), `${round(ratio.least)}..${round(ratio.most)}`)],
    },
    notes: [],
    data: { measured: [one, hundred], ratio },
    bars: [
      {
        name: 'requests per second with 100 modules installed, of 1',
        comparison: 'at least',
        bound: 0.9,
        measured: ratio.median,
        unit: ' ×',
      },
    ],
  };
}

function nameOf(count: number): string {
  return count === 1 ? '1 module' : `${count} modules`;
}

function toRow(entry: Measured, ratio: string, spread: string): string[] {
  const [speed, p50] = [medianOf(entry, 'requestsPerSecond'), medianOf(entry, 'p50')];
  return [entry.name, round(speed), p50.toFixed(2), ratio, spread];
}
