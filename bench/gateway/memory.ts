/** What a module costs in memory, asleep and awake: the slope between two numbers of modules, over the whole tree. */
import { join } from 'node:path';
import { round } from '../support/print.ts';
import { canReadMemory, settledMemory, type TreeMemory } from '../support/process-memory.ts';
import type { BenchOptions, Section } from '../support/question.ts';
import { sleeperName, statusPath } from './module-folder.ts';
import type { StatesAnswer } from './servers/host.ts';
import { type HostChild, primeHost, startBenchHost } from './start-host.ts';

/** The host's chore thread ends after 10 idle seconds, and takes its memory with it. A quick run does not wait for it. */
const CHORES_END_MS = 12_000;
const MAX_SETTLE_MS = 60_000;
/** Woken at once; more would only wait for each other. */
const WAKE_TOGETHER = 4;

interface Reading {
  readonly modules: number;
  readonly sleeping: TreeMemory;
  /** After a full collection in the host: what is left is needed. */
  readonly collected: TreeMemory;
  readonly booted: TreeMemory;
}

export async function measureMemory(options: BenchOptions): Promise<Section> {
  const counts = options.quick ? [0, 5, 25] : [0, 20, 200];
  if (!canReadMemory()) return unreadable();
  options.progress(`memory: hosts with ${counts.join(', ')} modules`);
  const folders = counts.map((count) => join(options.folder, `memory-${count}`));
  const hosts: HostChild[] = [];
  for (const [index, folder] of folders.entries()) {
    const modules = { hot: false, sleeping: counts[index] ?? 0 };
    // The second start: what the first one learnt in guests is known, so no cell has run.
    await primeHost(folder, modules);
    hosts.push(await startBenchHost(folder, modules, ['--expose-gc']));
  }
  options.progress('memory: waiting until the readings are stable');
  const minMs = options.quick ? 0 : CHORES_END_MS;
  const readings = await Promise.all(hosts.map((host, index) => read(host, counts[index] ?? 0, minMs)));
  await Promise.all(hosts.map((host) => host.stop()));
  return toSection(readings);
}

async function read(host: HostChild, modules: number, minMs: number): Promise<Reading> {
  await assertStates(host, { sleeping: modules });
  const sleeping = await settledMemory(host.processId, minMs, MAX_SETTLE_MS);
  await host.ask('collect');
  const collected = await settledMemory(host.processId, 0, MAX_SETTLE_MS);
  await wakeAll(host, modules);
  await assertStates(host, { running: modules });
  const booted = await settledMemory(host.processId, 0, MAX_SETTLE_MS);
  return { modules, sleeping, collected, booted };
}

async function wakeAll({ ready }: HostChild, modules: number): Promise<void> {
  const waiting = Array.from({ length: modules }, (_, number) => sleeperName(number));
  const wake = async (): Promise<void> => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const headers = { authorization: `Bearer ${ready.tokens[0]}` };
      const reply = await fetch(ready.url + statusPath(name), { headers });
      await reply.body?.cancel();
      if (reply.status !== 200) throw new Error(`${name} answered ${reply.status}.`);
    }
  };
  await Promise.all(Array.from({ length: WAKE_TOGETHER }, wake));
}

async function assertStates(host: HostChild, expected: StatesAnswer): Promise<void> {
  const found = await host.ask<StatesAnswer>('states');
  const wanted = Object.entries(expected).filter(([, count]) => count > 0);
  if (JSON.stringify(Object.entries(found)) === JSON.stringify(wanted)) return;
  throw new Error(`Expected ${JSON.stringify(expected)} modules, found ${JSON.stringify(found)}.`);
}

type State = Exclude<keyof Reading, 'modules'>;

function toSection(readings: readonly Reading[]): Section {
  const [none, few, many] = readings;
  if (none === undefined || few === undefined || many === undefined) throw new Error('Three readings are needed.');
  const perModule = (state: State, from: Reading, field: keyof TreeMemory = 'residentKb'): number =>
    (many[state][field] - from[state][field]) / (many.modules - from.modules);
  const row = (name: string, state: State): string[] => [
    name,
    ...readings.map((reading) => `${round(reading[state].residentKb / 1024)} MB`),
    String(many[state].processes),
    `${round(perModule(state, few))} kB`,
    `${round(perModule(state, none))} kB`,
    `${round(perModule(state, few, 'proportionalKb'))} kB`,
  ];
  return {
    name: 'memory',
    title: 'Memory of the host and its cells, and what one more module adds',
    table: {
      columns: [
        'modules are',
        ...readings.map(({ modules }) => `RSS of ${modules}`),
        'processes',
        `per module, ${few.modules} to ${many.modules}`,
        'from 0',
        'as PSS',
      ],
      rows: [row('sleeping', 'sleeping'), row('sleeping, after a GC', 'collected'), row('booted and idle', 'booted')],
    },
    notes: [],
    data: readings,
    bars: [
      {
        name: 'memory of a booted idle module',
        comparison: 'at most',
        bound: 14,
        measured: perModule('booted', few) / 1024,
        unit: ' MB',
      },
      {
        name: 'memory of a sleeping module',
        comparison: 'at most',
        bound: 100,
        measured: perModule('sleeping', few),
        unit: ' kB',
      },
    ],
  };
}

function unreadable(): Section {
  return {
    name: 'memory',
    title: 'Memory of the host and its cells',
    table: { columns: ['not measured'], rows: [] },
    notes: ['Only Linux tells what is needed here.'],
    data: null,
    bars: [],
  };
}
