/** Everything about a task that does not change from run to run, worked out once. */
import type { TaskDeclaration } from '@plexichat/sdk/protocol/declaration';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { JobsOptions } from 'bullmq';
import { checkCron, checkTimezone } from '../modules/manifest-rules.ts';
import { BACKOFF } from './retry-delay.ts';
import { MAX_LOG_ENTRIES } from './running.ts';

export interface TaskPlan {
  readonly module: string;
  readonly task: string;
  /** Runs that must not overlap have a queue of their own, which works on one of them at a time, whatever host. */
  readonly queue: string;
  readonly isSerial: boolean;
  readonly schedule: Schedule | undefined;
  readonly timeoutMs: number;
  readonly declaration: TaskDeclaration;
  /** For every run, however it came about. */
  readonly job: Pick<JobsOptions, 'attempts' | 'backoff' | 'priority' | 'keepLogs'>;
}

export interface Schedule {
  readonly pattern: string;
  readonly timezone: string;
}

export interface ModulePlan {
  readonly module: string;
  readonly tasks: ReadonlyMap<string, TaskPlan>;
  /** Queue → may its runs overlap. */
  readonly queues: ReadonlyMap<string, { readonly isSerial: boolean }>;
}

/** Whether this or another version of the module may have made a queue of that name. */
export function isQueueOf(module: string, queue: string): boolean {
  return (
    queue === module || (queue.startsWith(`${module}.`) && /^[A-Za-z_]\w{0,63}$/.test(queue.slice(module.length + 1)))
  );
}

/** A module whose tasks are switched off has none. */
export function planTasks(
  { module_name: module, tasks: section }: Pick<Manifest, 'module_name' | 'tasks'>,
  declared: readonly TaskDeclaration[],
): ModulePlan {
  const enabled = section.enabled ? declared : [];
  const priorities = rankPriorities(enabled);
  const tasks = new Map<string, TaskPlan>();
  const queues = new Map<string, { isSerial: boolean }>();
  for (const declaration of enabled) {
    const { name: task, schedule, overlap, timezone = section.timezone } = declaration;
    const isSerial = overlap === 'queue';
    const queue = isSerial ? `${module}.${task}` : module;
    const priority = isSerial ? 0 : (priorities.get(declaration.priority) ?? 0);
    queues.set(queue, { isSerial });
    tasks.set(task, {
      module,
      task,
      queue,
      isSerial,
      schedule: schedule === undefined ? undefined : { pattern: schedule, timezone },
      timeoutMs: Math.ceil(declaration.timeout * 1000),
      declaration,
      job: {
        attempts: declaration.retryCount + 1,
        backoff: { type: BACKOFF },
        keepLogs: MAX_LOG_ENTRIES,
        ...(priority === 0 ? {} : { priority }),
      },
    });
  }
  return { module, tasks, queues };
}

export function isSamePlan(one: ModulePlan, other: ModulePlan): boolean {
  return JSON.stringify([...one.tasks.values()]) === JSON.stringify([...other.tasks.values()]);
}

/** What keeps declared tasks from being scheduled, so that a module is refused when it is loaded. */
export function findTaskProblems(declared: readonly TaskDeclaration[]): string[] {
  const serial = declared.filter(({ overlap }) => overlap === 'queue').length;
  const tooMany =
    serial <= MAX_SERIAL
      ? []
      : [`${serial} tasks have overlap: queue; each needs a queue of its own, and ${MAX_SERIAL} are allowed.`];
  const wrong = declared.flatMap(({ name, schedule, timezone }) => {
    const problems = [
      schedule === undefined ? undefined : checkCron(schedule),
      timezone === undefined ? undefined : checkTimezone(timezone),
    ];
    return problems.flatMap((problem) => (problem === undefined ? [] : [`task ${name}: ${problem}`]));
  });
  return [...tooMany, ...wrong];
}

/** Every queue costs each host a connection. */
const MAX_SERIAL = 16;
const ORDER = ['high', 'normal', 'low'] as const;

/**
 * A queue takes runs without a priority first, and by the fast path; so the highest that a module uses has none, and
 * only the lower ones are numbered.
 */
function rankPriorities(declared: readonly TaskDeclaration[]): Map<TaskDeclaration['priority'], number> {
  const used = ORDER.filter((priority) =>
    declared.some((each) => each.priority === priority && each.overlap !== 'queue'),
  );
  return new Map(used.map((priority, rank) => [priority, rank]));
}
