/** One kind of abuse: what it does to the answers of the neighbours, in the same host, a moment before and meanwhile. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Abuse, AbuseRequest } from '../../test/support/abuse-table.ts';
import { misbehave, PAUSE_MS } from '../soak/hostile-crew.ts';
import { type HostileModule, writeAbuse } from '../soak/hostile-modules.ts';
import type { SoakHostOptions, SoakHostReady } from '../soak/servers/soak-host.ts';
import { type Child, startChild } from '../support/children.ts';
import { round } from '../support/print.ts';
import { treeTicks } from '../support/process-time.ts';
import type { BenchOptions, Section } from '../support/question.ts';
import { median, type Ratio, ratioOf } from '../support/statistics.ts';
import { askNeighbours, type NeighbourReading, writeNeighbours } from './neighbours.ts';

interface Measured {
  readonly abuse: Abuse;
  readonly quiet: readonly NeighbourReading[];
  readonly during: readonly NeighbourReading[];
  /** What its client got. */
  readonly answers: readonly string[];
  readonly ratio: Ratio;
}

const PROGRAM = new URL('../soak/servers/soak-host.ts', import.meta.url);
const BOUND = 2;
const ABUSES_PER_HOST = 12;

export async function measureKind(kind: string, abuses: readonly Abuse[], options: BenchOptions): Promise<Section> {
  const measured: Measured[] = [];
  for (const group of groupsOf(abuses)) {
    const folder = join(options.folder, `${kind}-${measured.length}`);
    const rounds = options.quick ? 1 : 3;
    writeNeighbours(join(folder, 'modules'));
    // A module of its own for each round: none is met while it waits after its last crash.
    const modules = group.map((abuse) =>
      Array.from({ length: rounds }, (_, each) => writeAbuse(join(folder, 'modules'), abuse, nameOf(abuse, each))),
    );
    options.progress(`${kind}: a host with ${group.length * rounds} hostile modules`);
    const host = await startHost(folder, group[0]?.settings ?? {});
    for (const [index, abuse] of group.entries()) {
      options.progress(`${kind}: ${abuse.name}`);
      measured.push(await measure(host, abuse, modules[index] ?? [], options.quick));
    }
    await host.stop();
  }
  return toSection(kind, measured);
}

/** A host has to be started for each: those that need the same settings, and no more than load in a minute. */
function groupsOf(abuses: readonly Abuse[]): Abuse[][] {
  const alike = [...Map.groupBy(abuses, ({ settings }) => JSON.stringify(settings)).values()];
  return alike.flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / ABUSES_PER_HOST) }, (_, at) =>
      group.slice(at * ABUSES_PER_HOST, (at + 1) * ABUSES_PER_HOST),
    ),
  );
}

/** Such as `floods_timers_2`; names end somewhere. */
function nameOf({ module }: Abuse, round: number): string {
  return `${module.slice(0, 60)}_${round}`;
}

function startHost(folder: string, settings: Readonly<Record<string, string>>): Promise<Child<SoakHostReady>> {
  const options: SoakHostOptions = {
    modules: join(folder, 'modules'),
    data: join(folder, 'data'),
    log: join(folder, 'host.log'),
    settings,
    users: [],
  };
  return startChild<SoakHostReady>(PROGRAM, options);
}

async function measure(
  host: Child<SoakHostReady>,
  abuse: Abuse,
  modules: readonly Pick<HostileModule, 'name' | 'request'>[],
  isQuick: boolean,
): Promise<Measured> {
  const ms = isQuick ? 800 : 1_500;
  const quiet: NeighbourReading[] = [];
  const during: NeighbourReading[] = [];
  const answers = new Set<string>();
  const { url } = host.ready;
  for (const { name, request } of modules) {
    await comeToRest(host);
    quiet.push(await askNeighbours(url, ms));
    const stop = new AbortController();
    const hostile = keepMisbehaving(url, request, stop.signal, answers);
    during.push(await askNeighbours(url, ms));
    stop.abort();
    await hostile;
    await host.ask({ stop: name });
  }
  const p99 = (readings: readonly NeighbourReading[]): number[] => readings.map((reading) => reading.p99);
  return { abuse, quiet, during, answers: [...answers], ratio: ratioOf(p99(during), p99(quiet)) };
}

async function keepMisbehaving(
  url: string,
  request: AbuseRequest,
  stop: AbortSignal,
  answers: Set<string>,
): Promise<void> {
  while (!stop.aborted) {
    answers.add(await misbehave(url, request, stop));
    await sleep(PAUSE_MS, undefined, { signal: stop }).catch(() => {});
  }
}

const REST_MS = 15_000;
const LOOK_MS = 400;
/** Of one processor: what hosts and cells with nothing to do use between them. */
const IDLE_SHARE = 0.1;
const TICKS_PER_SECOND = 100;

/** What was ended takes its time to go, and what died takes its time to come back: both use the processor. */
async function comeToRest({ processId }: Child<SoakHostReady>): Promise<void> {
  const end = performance.now() + REST_MS;
  for (let last = treeTicks(processId); performance.now() < end; ) {
    await sleep(LOOK_MS);
    const now = treeTicks(processId);
    const share = (now - last) / (TICKS_PER_SECOND * (LOOK_MS / 1000));
    // Of processes that ended in between the time is gone from the sum.
    if (share >= 0 && share < IDLE_SHARE) return;
    last = now;
  }
}

function toSection(kind: string, measured: readonly Measured[]): Section {
  const of = (readings: readonly NeighbourReading[], pick: (reading: NeighbourReading) => number): number =>
    median(readings.map(pick));
  const worst = measured.toSorted((a, b) => b.ratio.median - a.ratio.median)[0];
  const wrong = measured.flatMap(({ abuse, quiet, during }) =>
    [...quiet, ...during].flatMap((reading) => reading.wrong.map((what) => `${abuse.name}: ${what}`)),
  );
  return {
    name: kind,
    title: `${kind}: answers of ${measured.length > 0 ? 'neighbours' : 'nobody'}, quiet and while a module does this`,
    table: {
      columns: ['a module with', 'quiet p99', 'p99', 'ratio', 'p50 ratio', 'refused', 'its client got'],
      rows: measured.map(({ abuse, quiet, during, ratio, answers }) => [
        abuse.name,
        `${round(of(quiet, ({ p99 }) => p99))} ms`,
        `${round(of(during, ({ p99 }) => p99))} ms`,
        `${round(ratio.median)} (${round(ratio.least)}..${round(ratio.most)})`,
        round(of(during, ({ p50 }) => p50) / of(quiet, ({ p50 }) => p50)),
        String(during.reduce((sum, { refused }) => sum + refused, 0)),
        answers.join(' '),
      ]),
    },
    notes: [
      `Within ${BOUND} ×: ${measured.filter(({ ratio }) => ratio.median <= BOUND).length} of ${measured.length}.`,
      ...wrong.slice(0, 5),
    ],
    data: measured.map(({ abuse: { name, module }, ...rest }) => ({ name, module, ...rest })),
    bars: [
      ...(worst === undefined
        ? []
        : [bar(`${kind}: neighbours' p99, of quiet; worst: ${worst.abuse.name}`, BOUND, worst.ratio.median, ' x')]),
      bar(`${kind}: wrong answers of neighbours`, 0, wrong.length, ''),
    ],
  };
}

function bar(name: string, bound: number, measured: number, unit: string) {
  return { name, comparison: 'at most', bound, measured, unit } as const;
}
