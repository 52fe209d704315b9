/** The real host over modules with tasks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startHost } from '../../../runtime/compose.ts';
import { loadHostSettings } from '../../../runtime/config/load-host-settings.ts';
import { createLog } from '../../../runtime/observability/log.ts';
import { until } from '../../../test/support/until.ts';
import { childOptions, serveParent } from '../../support/child-side.ts';
import { PAYLOAD, WORK_MODULE, WORK_TASK } from '../task-module.ts';
import { answerQueue, listenToConsumers, type QueueQuestion } from './queue-work.ts';

export interface TaskHostOptions {
  readonly modules: string;
  readonly data: string;
  readonly redis: string | undefined;
  readonly concurrency: number;
  readonly keepMs: number;
  /** So many schedules must lie in the queue before the host is ready. */
  readonly schedules: number;
}

export type HostQuestion =
  | QueueQuestion
  /** Share of one core that the host used while nothing was to do. */
  | { readonly kind: 'idle'; readonly seconds: number };

const START_MS = 60_000;
const { modules, data, redis, concurrency, keepMs, schedules } = childOptions<TaskHostOptions>();
const { settings } = loadHostSettings({
  flags: {
    modules,
    data,
    host: '127.0.0.1',
    port: '0',
    log_level: 'warn',
    ...(redis === undefined ? {} : { redis }),
    'tasks.per_module': String(concurrency),
    'tasks.max_waiting': '10000000',
    'tasks.keep_days': String(keepMs / 86_400_000),
  },
  environment: {},
  file: undefined,
});
const log = createLog({ level: settings.log_level, readable: false, destination: process.stderr });
listenToConsumers();
const host = await startHost({ settings, environment: {}, log });
await host.loaded;
await until(async () => host.tasks.queues().length > 0 && (await countSchedules()) === schedules, START_MS);
serveParent({ ready: true, answer: (question) => answer(question as HostQuestion), close: () => host.close() });

async function answer(question: HostQuestion): Promise<unknown> {
  if (question.kind === 'idle') return idle(question.seconds);
  const queue = host.tasks.queues().find(({ name }) => name === WORK_MODULE);
  if (queue === undefined) throw new Error(`The module ${WORK_MODULE} has no queue.`);
  return answerQueue({ queue, add }, question);
}

async function add(): Promise<string> {
  const { id } = await host.tasks.run(WORK_MODULE, WORK_TASK, PAYLOAD, 'bench');
  return id;
}

async function countSchedules(): Promise<number> {
  const counts = await Promise.all(host.tasks.queues().map((queue) => queue.getJobSchedulersCount()));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function idle(seconds: number): Promise<number> {
  const start = performance.now();
  const before = process.cpuUsage();
  await sleep(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / ((performance.now() - start) * 1000);
}
