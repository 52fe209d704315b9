/** What a host costs whose schedules are all far away. */
import { join } from 'node:path';
import { missingRedis, startRedis } from '../../test/support/redis-server.ts';
import { startChild, stopChildren } from '../support/children.ts';
import type { Bar, BenchOptions, Section } from '../support/question.ts';
import type { HostQuestion, TaskHostOptions } from './servers/task-host.ts';
import { type TaskModules, writeTaskModules } from './task-module.ts';

const CASES = [
  { modules: 5, schedules: 10 },
  { modules: 50, schedules: 1 },
] as const;
const SECONDS = 20;
const QUICK_SECONDS = 5;
/** What a start leaves to do is over by then. */
const SETTLE_SECONDS = 5;
const BOUND_PERCENT = 3;

interface IdleHost {
  readonly place: string;
  readonly name: string;
  readonly percent: number;
}

export async function measureIdle(options: BenchOptions): Promise<Section> {
  const redis = missingRedis === undefined ? await startRedis() : undefined;
  const hosts: IdleHost[] = [];
  try {
    for (const { modules, schedules } of CASES) {
      const name = `${modules * schedules} schedules in ${modules} modules`;
      for (const [place, url] of [
        ['embedded', undefined],
        ['Redis', redis?.url],
      ] as const) {
        if (place === 'Redis' && url === undefined) continue;
        options.progress(`idle: ${name}, ${place}`);
        const folder = join(options.folder, `idle-${modules}-${place}`);
        const modulesToServe = { work: false, modules, schedules };
        hosts.push({ place, name, percent: await measureHost(folder, modulesToServe, url, options.quick) });
      }
    }
  } finally {
    await stopChildren();
    await redis?.remove();
  }
  return {
    name: 'idle',
    title: 'A host whose schedules are far away: processor time of its process, the queue’s thread included',
    table: {
      columns: ['schedules', 'queue', '% of one core'],
      rows: hosts.map(({ name, place, percent }) => [name, place, percent.toFixed(2)]),
    },
    notes: missingRedis === undefined ? [] : [missingRedis],
    data: hosts,
    bars: hosts.map(toBar),
  };
}

async function measureHost(
  folder: string,
  modules: TaskModules,
  redis: string | undefined,
  quick: boolean,
): Promise<number> {
  const options: TaskHostOptions = {
    modules: writeTaskModules(join(folder, 'modules'), modules),
    data: join(folder, 'data'),
    redis,
    concurrency: 8,
    keepMs: 3_600_000,
    schedules: modules.modules * modules.schedules,
  };
  const host = await startChild<true>(new URL('./servers/task-host.ts', import.meta.url), options);
  await host.ask<number>({ kind: 'idle', seconds: SETTLE_SECONDS } satisfies HostQuestion);
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  const share = await host.ask<number>({ kind: 'idle', seconds } satisfies HostQuestion);
  await host.stop();
  return share * 100;
}

function toBar({ name, place, percent }: IdleHost): Bar {
  return {
    name: `idle, ${name}, ${place}`,
    comparison: 'at most',
    bound: BOUND_PERCENT,
    measured: percent,
    unit: ' % of one core',
  };
}
