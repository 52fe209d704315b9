/** The task room and the home of its queue, out of the operator's settings. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HostSettings } from '../config/settings-schema.ts';
import type { Registry } from '../modules/registry.ts';
import type { Logger } from '../observability/log.ts';
import { openQueueBackend } from '../queue/open-backend.ts';
import type { TaskMeter } from '../tasks/task-desk.ts';
import { TaskRoom } from '../tasks/task-room.ts';

export interface TaskParts {
  readonly dataFolder: string;
  readonly registry: Registry;
  readonly meter: TaskMeter;
  readonly log: Logger;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Whether there can be runs in the queue of this host: an embedded one begins with its folder. */
export function hasQueue({ redis, redis_cluster, queue }: HostSettings, dataFolder: string): boolean {
  return (
    redis !== undefined || redis_cluster.length > 0 || queue !== undefined || existsSync(join(dataFolder, 'queue'))
  );
}

export function createTaskRoom(settings: HostSettings, { dataFolder, registry, meter, log }: TaskParts): TaskRoom {
  const { tasks, redis, redis_options, redis_cluster, queue } = settings;
  return new TaskRoom({
    limits: {
      concurrency: tasks.concurrency,
      perModule: tasks.per_module,
      maxWaiting: tasks.max_waiting,
      maxEnded: tasks.keep_runs,
      graceMs: tasks.grace_seconds * 1000,
      pauseAfter: tasks.pause_after,
    },
    open: (events) =>
      openQueueBackend(
        {
          ...(redis === undefined ? {} : { redis }),
          redisOptions: redis_options,
          redisCluster: redis_cluster,
          ...(queue === undefined ? {} : { queue }),
          prefix: tasks.prefix,
          keepMs: tasks.keep_days * DAY_MS,
          durability: tasks.durability,
          dataFolder,
        },
        events,
      ),
    modules: registry,
    meter,
    log,
  });
}
