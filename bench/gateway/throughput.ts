/** How much of the gateway's speed is left when the handler runs behind a wall, and how other walls compare. */
import { startChild } from '../support/children.ts';
import type { LoadResult } from '../support/load.ts';
import { round } from '../support/print.ts';
import type { BenchOptions, Section } from '../support/question.ts';
import { type Ratio, ratioOf } from '../support/statistics.ts';
import { HOT_MODULE, statusPath } from './module-folder.ts';
import { find, type Measured, measureRounds, medianOf, type Target } from './rounds.ts';
import type { ServerReady } from './servers/server.ts';
import { startBenchHost } from './start-host.ts';

const CONNECTIONS = [1, 32, 256];
/** Those that the bars are about. */
const QUICK_CONNECTIONS = [1, 32];
/** In the order of the rounds. */
const WALLS = ['inside', 'piscina', 'comlink', 'hono'] as const;
const OURS = 'ours';
const REFERENCE = 'inside';
/** The load generator has one core for itself; from here on it measures its own speed. */
const GENERATOR_BOUND = 0.95;

export async function measureThroughput(options: BenchOptions): Promise<Section> {
  options.progress('throughput: starting five servers');
  const targets = await startTargets(options.folder);
  await assertSameAnswer(targets);
  const measured = await measureRounds({
    targets,
    connections: options.quick ? QUICK_CONNECTIONS : CONNECTIONS,
    rounds: options.quick ? 3 : 7,
    seconds: options.quick ? 0.3 : 1.5,
    progress: options.progress,
  });
  const ratio = (field: keyof LoadResult, name: string, connections: number, reference = REFERENCE): number =>
    ratioBetween(measured, field, name, connections, reference).median;
  return {
    name: 'throughput',
    title: 'One GET with small JSON through the whole pipeline; ratios to (a) inside',
    table: {
      columns: [
        'server',
        'connections',
        'req/s',
        'of (a)',
        'least..most',
        'p50 ms',
        'of (a)',
        'p99 ms',
        'of (a)',
        'load gen.',
      ],
      rows: measured.map((entry) => toRow(measured, entry)),
    },
    notes: generatorNotes(measured),
    data: measured.map((entry) => toData(measured, entry)),
    bars: [
      {
        name: 'requests per second at 32 connections, of (a) inside',
        ...atLeast(0.9, ratio('requestsPerSecond', OURS, 32)),
      },
      {
        name: 'requests per second at 32 connections, of (b) piscina',
        ...atLeast(1.3, ratio('requestsPerSecond', OURS, 32, 'piscina')),
      },
      {
        name: 'requests per second at 32 connections, of (c) comlink',
        ...atLeast(1.3, ratio('requestsPerSecond', OURS, 32, 'comlink')),
      },
      {
        name: 'p50 at 1 connection, of (a) inside',
        comparison: 'at most',
        bound: 2.2,
        measured: ratio('p50', OURS, 1),
        unit: ' ×',
      },
    ],
  };
}

function atLeast(bound: number, measured: number) {
  return { comparison: 'at least', bound, measured, unit: ' ×' } as const;
}

async function startTargets(folder: string): Promise<Target[]> {
  const host = await startBenchHost(`${folder}/throughput`, { hot: true, sleeping: 0 });
  const [facts] = host.ready.facts;
  if (facts === undefined) throw new Error('The host did not load the hot module.');
  const path = statusPath(HOT_MODULE);
  const targets: Target[] = [];
  for (const name of WALLS) {
    // The others serve what the host learnt of the module, so that the plans are the same.
    const { ready } = await startChild<ServerReady>(new URL(`./servers/${name}.ts`, import.meta.url), facts);
    targets.push({ name, url: ready.url + path, tokens: ready.tokens });
  }
  targets.splice(-1, 0, { name: OURS, url: host.ready.url + path, tokens: host.ready.tokens });
  return targets;
}

/** A server that leaves something out would win. */
async function assertSameAnswer(targets: readonly Target[]): Promise<void> {
  const seen = new Map<string, string>();
  for (const { name, url, tokens } of targets) {
    const reply = await fetch(url, { headers: { authorization: `Bearer ${tokens[0]}` } });
    const headers = name === 'hono' ? [] : [...reply.headers.keys()].toSorted();
    seen.set(name, JSON.stringify({ status: reply.status, body: await reply.json(), headers }));
    if (name === 'hono') continue;
    const refused = await fetch(url.replace('page=3', 'page=x'), { headers: { authorization: `Bearer ${tokens[0]}` } });
    await refused.body?.cancel();
    if (refused.status !== 422) throw new Error(`${name} does not check the query: it answered ${refused.status}.`);
  }
  const expected = seen.get(REFERENCE);
  for (const [name, answer] of seen) {
    if (name !== 'hono' && answer !== expected) throw new Error(`${name} answers ${answer}, ${REFERENCE} ${expected}`);
  }
}

function ratioBetween(
  measured: readonly Measured[],
  field: keyof LoadResult,
  name: string,
  connections: number,
  reference: string,
): Ratio {
  const valuesOf = (which: string) => find(measured, which, connections).rounds.map((result) => result[field]);
  return ratioOf(valuesOf(name), valuesOf(reference));
}

function toData(measured: readonly Measured[], { name, connections, rounds }: Measured) {
  const fields = ['requestsPerSecond', 'p50', 'p99'] as const;
  const ofInside = Object.fromEntries(
    fields.map((field) => [field, ratioBetween(measured, field, name, connections, REFERENCE)]),
  );
  return { name, connections, ofInside, rounds };
}

function toRow(measured: readonly Measured[], entry: Measured): string[] {
  const ratio = (field: keyof LoadResult) => ratioBetween(measured, field, entry.name, entry.connections, REFERENCE);
  const speed = ratio('requestsPerSecond');
  return [
    entry.name,
    String(entry.connections),
    round(medianOf(entry, 'requestsPerSecond')),
    speed.median.toFixed(2),
    `${speed.least.toFixed(2)}..${speed.most.toFixed(2)}`,
    medianOf(entry, 'p50').toFixed(2),
    ratio('p50').median.toFixed(2),
    medianOf(entry, 'p99').toFixed(2),
    ratio('p99').median.toFixed(2),
    `${Math.round(100 * medianOf(entry, 'generatorBusy'))} %`,
  ];
}

function generatorNotes(measured: readonly Measured[]): string[] {
  const bound = measured.filter((entry) => medianOf(entry, 'generatorBusy') > GENERATOR_BOUND);
  return bound.map(
    ({ name, connections }) =>
      `${name} at ${connections} connections is held back by the load generator, not by itself.`,
  );
}
