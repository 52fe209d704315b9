/** One soak: a host with good and hostile modules, steady clients on all of them, and what came of it. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, startChild } from '../support/children.ts';
import { type GoodClient, type GoodTally, startGoodClient } from './good-client.ts';
import { goodNames, writeGoodModules } from './good-modules.ts';
import { watchHealth } from './health.ts';
import { type HostFacts, readHostFacts } from './host-facts.ts';
import { type HostileCrew, startHostileCrew } from './hostile-crew.ts';
import { type HostileModule, writeHostileModules } from './hostile-modules.ts';
import type { ModuleReport, RunsReport, SoakHostOptions, SoakHostReady, SoakQuestion } from './servers/soak-host.ts';

export interface SoakOptions {
  /** Of hostility; the warm-up before and the rest after come on top. */
  readonly seconds: number;
  readonly good: number;
  readonly hostile: number;
  /** How long one hostile module has its turn. */
  readonly turnSeconds: number;
  readonly warmUpSeconds: number;
  /** Without any request, before memory is read. */
  readonly restSeconds: number;
  readonly folder: string;
  readonly progress: (text: string) => void;
}

export interface SoakResult {
  readonly seconds: number;
  /** How the host's process ended, if it did. */
  readonly death: string | undefined;
  readonly health: {
    readonly asked: number;
    readonly failures: readonly string[];
    readonly p99: number;
    readonly slowest: number;
  };
  readonly good: ReadonlyMap<string, GoodTally>;
  readonly runs: ReadonlyMap<string, RunsReport>;
  readonly hostile: readonly HostileReport[];
  /** Processes that held modules and are gone although nobody asked for it; as often as it was looked. */
  readonly cellsLost: number;
  readonly before: HostFacts | undefined;
  readonly after: HostFacts | undefined;
  readonly logFile: string;
}

export interface HostileReport extends Pick<HostileModule, 'name' | 'abuse' | 'kind'> {
  readonly answers: Readonly<Record<string, number>>;
  readonly state: string;
  readonly reasons: readonly string[];
}

const PROGRAM = new URL('./servers/soak-host.ts', import.meta.url);
/** Between two requests of one good client. */
const PAUSE_MS = 60;
const LOOK_MS = 2_000;
/** A host may have more modules waiting for their turn than it makes sense to learn. */
const MAX_HOSTILE = 150;
/** For those that are refused. */
const SPARE = 0.5;

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { folder, progress } = options;
  const names = goodNames(options.good);
  const turns = Math.ceil(options.seconds / options.turnSeconds) * options.hostile;
  writeGoodModules(join(folder, 'modules'), names);
  const written = writeHostileModules(join(folder, 'modules'), Math.min(turns + Math.ceil(turns * SPARE), MAX_HOSTILE));

  const logFile = join(folder, 'host.log');
  const users = names.flatMap((name) => usersOf(name));
  const host = await startChild<SoakHostReady>(
    PROGRAM,
    {
      modules: join(folder, 'modules'),
      data: join(folder, 'data'),
      log: logFile,
      settings: {},
      users,
    } satisfies SoakHostOptions,
    ['--expose-gc'],
  );
  let death: string | undefined;
  void host.ended.then(() => {
    death = 'the host ended';
  });
  const ask = async <Answer>(question: SoakQuestion): Promise<Answer | undefined> =>
    death === undefined ? host.ask<Answer>(question).catch(() => undefined) : undefined;

  // Some abuses are refused when they are loaded: they are no burden to anybody.
  const loaded = new Map((await ask<ModuleReport[]>('modules'))?.map((report) => [report.name, report.state]));
  const modules = written.filter(({ name }) => loaded.has(name) && loaded.get(name) !== 'failed');
  progress(`${names.length} good and ${modules.length} hostile modules, ${options.hostile} of these at a time`);
  progress(`warming up for ${options.warmUpSeconds} s`);
  const warmUp = startClients(host, names);
  await sleep(options.warmUpSeconds * 1000);
  await stopAll(warmUp);
  const before = await rest(host, options);

  progress(`soaking for ${options.seconds} s`);
  const start = performance.now();
  const health = watchHealth(host.ready.url);
  const clients = startClients(host, names);
  const crew = startHostileCrew({
    url: host.ready.url,
    modules,
    atOnce: options.hostile,
    turnMs: options.turnSeconds * 1000,
  });
  const cells = new Set<number>();
  let lost = 0;
  while (death === undefined && performance.now() - start < options.seconds * 1000) {
    await sleep(Math.min(LOOK_MS, options.seconds * 1000 - (performance.now() - start)));
    const now = new Set((await ask<number[]>('cells')) ?? []);
    for (const cell of cells) {
      if (now.has(cell)) continue;
      cells.delete(cell);
      lost += 1;
    }
    for (const cell of now) cells.add(cell);
    progress(lineOf((performance.now() - start) / 1000, clients, crew, health.p99(), now.size, lost));
  }
  await Promise.all([stopAll(clients), crew.stop(), health.stop()]);
  const states = new Map((await ask<ModuleReport[]>('modules'))?.map((report) => [report.name, report]));
  const runs = new Map<string, RunsReport>();
  for (const name of names) {
    const report = await ask<RunsReport>({ runsOf: name });
    if (report !== undefined) runs.set(name, report);
  }
  const after = death === undefined ? await rest(host, options) : undefined;
  const found: SoakResult = {
    seconds: options.seconds,
    death,
    health: { asked: health.asked, failures: health.failures, p99: health.p99(), slowest: health.slowest() },
    good: new Map(clients.map(({ module, client }) => [module, client.tally])),
    runs,
    hostile: modules.flatMap((module) => describe(module, crew, states) ?? []),
    cellsLost: lost,
    before,
    after,
    logFile,
  };
  await host.stop();
  return found;
}

interface Running {
  readonly module: string;
  readonly client: GoodClient;
}

function usersOf(module: string): string[] {
  return [`${module}_ann`, `${module}_bob`];
}

function startClients({ ready: { url, tokens } }: Child<SoakHostReady>, names: readonly string[]): Running[] {
  return names.map((module) => ({
    module,
    client: startGoodClient({
      url,
      module,
      tokens: usersOf(module).map((user) => ({ user, token: tokens[user] ?? '' })),
      pauseMs: PAUSE_MS,
    }),
  }));
}

async function stopAll(clients: readonly Running[]): Promise<void> {
  await Promise.all(clients.map(({ client }) => client.stop()));
}

/** Nothing is asked for a while, what is garbage is collected, and then the host is looked at. */
async function rest(
  host: Child<SoakHostReady>,
  { restSeconds, progress }: SoakOptions,
): Promise<HostFacts | undefined> {
  progress(`resting for ${restSeconds} s before memory is read`);
  await sleep(restSeconds * 1000);
  const memory = await host.ask<NodeJS.MemoryUsage>('memory' satisfies SoakQuestion).catch(() => undefined);
  return memory === undefined ? undefined : readHostFacts(host.processId, memory);
}

function describe(
  { name, abuse, kind }: HostileModule,
  crew: HostileCrew,
  states: ReadonlyMap<string, ModuleReport>,
): HostileReport | undefined {
  const answers = crew.asked.get(name);
  if (answers === undefined) return undefined;
  const { state, reasons } = states.get(name) ?? { state: 'broken', reasons: [] };
  return { name, abuse, kind, answers: Object.fromEntries(answers), state, reasons };
}

function lineOf(
  seconds: number,
  clients: readonly Running[],
  { active }: HostileCrew,
  health: number,
  cells: number,
  lost: number,
): string {
  const tallies = clients.map(({ client }) => client.tally);
  const sum = (of: (tally: GoodTally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
  const asked = sum((tally) => tally.asked);
  const share = asked === 0 ? 100 : (100 * sum((tally) => tally.served)) / asked;
  const wrong = sum((tally) => tally.wrong.length);
  return `${Math.round(seconds)} s: ${asked} good requests, ${share.toFixed(3)} % 2xx, ${wrong} wrong; healthz p99 ${Math.round(health)} ms; ${cells} cells, ${lost} gone; at it: ${active.join(' ')}`;
}
