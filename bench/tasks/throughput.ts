/** How much of BullMQ's own speed is left when a job runs in the sealed guest of a module, on one backend. */
import { join } from 'node:path';
import { missingRedis, type RedisServer, startRedis } from '../../test/support/redis-server.ts';
import { type Child, startChild, stopChildren } from '../support/children.ts';
import { round } from '../support/print.ts';
import type { BenchOptions, Section } from '../support/question.ts';
import { median, percentile, type Ratio, ratioOf } from '../support/statistics.ts';
import type { DrainAnswer, QueueQuestion, SingleAnswer } from './servers/queue-work.ts';
import type { RawQueueOptions } from './servers/raw-queue.ts';
import type { TaskHostOptions } from './servers/task-host.ts';
import { writeTaskModules } from './task-module.ts';

export type Place = 'embedded' | 'redis';

const TITLES = { embedded: 'the embedded queue', redis: 'Redis' } as const satisfies Record<Place, string>;
/** Of the raw queue's jobs per second. */
const BOUNDS = { embedded: 0.8, redis: 0.6 } as const satisfies Record<Place, number>;
const JOBS = { embedded: 2_000, redis: 10_000 } as const satisfies Record<Place, number>;
const QUICK_JOBS = { embedded: 300, redis: 2_000 } as const satisfies Record<Place, number>;
const CONCURRENCY = 10;
const KEEP_MS = 3_600_000;

interface Measured {
  readonly name: 'raw' | 'ours';
  readonly drains: DrainAnswer[];
  /** Milliseconds of one job at a time, over all rounds. */
  readonly singles: number[];
}

export async function measureThroughput(place: Place, options: BenchOptions): Promise<Section> {
  if (place === 'redis' && missingRedis !== undefined) return skipped(missingRedis);
  const redis = place === 'redis' ? await startRedis() : undefined;
  try {
    return await measureOn(place, redis, options);
  } finally {
    await stopChildren();
    await redis?.remove();
  }
}

async function measureOn(place: Place, redis: RedisServer | undefined, options: BenchOptions): Promise<Section> {
  const { quick, progress } = options;
  const jobs = (quick ? QUICK_JOBS : JOBS)[place];
  const rounds = quick ? 3 : 7;
  const singles = quick ? 30 : 100;
  progress(`${place}: starting the host and the raw queue`);
  const sides = await startSides(join(options.folder, place), redis?.url);
  const measured = sides.map(({ name }): Measured => ({ name, drains: [], singles: [] }));
  // The first round warms up.
  for (let number = 0; number <= rounds; number++) {
    progress(
      number === 0 ? '  warming up' : `  round ${number} of ${rounds}: ${jobs} jobs, then ${singles} one by one`,
    );
    for (const [index, { child }] of sides.entries()) {
      const drain = await child.ask<DrainAnswer>({ kind: 'drain', jobs } satisfies QueueQuestion);
      const single = await child.ask<SingleAnswer>({ kind: 'single', jobs: singles } satisfies QueueQuestion);
      if (number === 0) continue;
      measured[index]?.drains.push(drain);
      measured[index]?.singles.push(...single);
    }
  }
  return report(place, measured);
}

async function startSides(folder: string, redis: string | undefined) {
  const common = { redis, concurrency: CONCURRENCY, keepMs: KEEP_MS };
  const host: TaskHostOptions = {
    ...common,
    modules: writeTaskModules(join(folder, 'modules'), { work: true, modules: 0, schedules: 0 }),
    data: join(folder, 'data'),
    schedules: 0,
  };
  const raw: RawQueueOptions = { ...common, folder: join(folder, 'raw') };
  return [
    { name: 'raw', child: await startSide('raw-queue', raw) },
    { name: 'ours', child: await startSide('task-host', host) },
  ] as const;
}

function startSide(program: string, options: unknown): Promise<Child<true>> {
  return startChild<true>(new URL(`./servers/${program}.ts`, import.meta.url), options);
}

function report(place: Place, measured: readonly Measured[]): Section {
  const [raw, ours] = measured;
  if (raw === undefined || ours === undefined) throw new Error('Two sides are compared.');
  const compare = (field: keyof DrainAnswer): Ratio => ratioOf(valuesOf(ours, field), valuesOf(raw, field));
  const speed = compare('jobsPerSecond');
  const adds = compare('addsPerSecond');
  const spread = (ratio: Ratio): string => `${ratio.median.toFixed(2)} (${round(ratio.least)}..${round(ratio.most)})`;
  return {
    name: place,
    title: `Jobs on ${TITLES[place]}, ${CONCURRENCY} at once: add, consume, run the handler, complete`,
    table: {
      columns: ['side', 'jobs/s', 'of raw', 'adds/s', 'of raw', 'µs/job', 'add to done p50 ms', 'p99 ms'],
      rows: [toRow(raw, '', ''), toRow(ours, spread(speed), spread(adds))],
    },
    notes: ['µs/job: processor time of the process that holds the consumer, the cell not counted.'],
    data: { measured, jobsPerSecond: speed, addsPerSecond: adds },
    bars: [
      {
        name: `jobs per second on ${TITLES[place]}, of raw BullMQ`,
        comparison: 'at least',
        bound: BOUNDS[place],
        measured: speed.median,
        unit: ' ×',
      },
    ],
  };
}

function toRow(side: Measured, speed: string, adds: string): string[] {
  const times = side.singles.toSorted((one, other) => one - other);
  const typical = (field: keyof DrainAnswer): string => round(median(valuesOf(side, field)));
  return [
    side.name,
    typical('jobsPerSecond'),
    speed,
    typical('addsPerSecond'),
    adds,
    typical('microsecondsPerJob'),
    percentile(times, 50).toFixed(2),
    percentile(times, 99).toFixed(2),
  ];
}

function valuesOf({ drains }: Measured, field: keyof DrainAnswer): number[] {
  return drains.map((answer) => answer[field]);
}

function skipped(reason: string): Section {
  const table = { columns: ['skipped'], rows: [[reason]] };
  return { name: 'redis', title: 'Jobs on Redis', table, notes: [], data: { skipped: reason }, bars: [] };
}
