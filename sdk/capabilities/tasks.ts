/** The guest's side of `tasks`: runs one of the module's own tasks, now or later. */

import { toJsonText } from '../module/author-json.ts';
import { describeValue } from '../module/describe-value.ts';
import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import type { EnqueueRequest } from '../protocol/capabilities/tasks.ts';
import { MAX_TASK_DATA, MAX_TASK_DELAY, MAX_TASK_DEPTH } from '../protocol/task-limits.ts';

export interface EnqueueOptions {
  /** Seconds until it may run, at most 2,592,000 (30 days). Default: 0. */
  readonly delay?: number;
}

export interface TasksClient {
  /**
   * Runs a task of this module in the background, once. `data` is any JSON value of at most 64 KB as text; the handler
   * gets it as `job.data`. Resolves when the queue has it: from then on it survives a crash.
   * @returns the id of the run, `job.id` in its handler
   * @throws TypeError when an argument is not allowed; an Error with code NOT_FOUND when the module has no such task,
   *   QUOTA_EXCEEDED when too many runs wait, QUEUE_UNAVAILABLE when the queue cannot be reached
   * @example
   * await this.tasks.enqueue('sendWelcome', { userId: user.id }, { delay: 60 });
   */
  enqueue(name: string, data?: unknown, options?: EnqueueOptions): Promise<{ id: string }>;
}

const DATA_BOUNDS = {
  characters: MAX_TASK_DATA,
  depth: MAX_TASK_DEPTH,
  advice: 'Store what is large, and enqueue where it is.',
};
const TASK_NAME = /^[A-Za-z_]\w{0,63}$/;
const MAX_DELAY_SECONDS = MAX_TASK_DELAY / 1000;

export function createTasksClient(host: HostBinding): TasksClient {
  return Object.freeze({
    async enqueue(name: string, data: unknown = null, options: EnqueueOptions = {}): Promise<{ id: string }> {
      if (typeof name !== 'string' || !TASK_NAME.test(name)) {
        throw new TypeError(
          `tasks.enqueue: the name must be that of a method with @moduleTask, found ${describeValue(name)}.`,
        );
      }
      const delayMs = readDelay(name, options);
      const request: EnqueueRequest = { task: name, data: toText(name, data), delayMs };
      try {
        return (await host.call('tasks', 'enqueue', [request])) as { id: string };
      } catch (error) {
        throw toAuthorError(error);
      }
    },
  });
}

function readDelay(name: string, options: EnqueueOptions): number {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `tasks.enqueue("${name}"): the options must be an object such as { delay: 60 }, found ${describeValue(options)}.`,
    );
  }
  for (const key of Object.keys(options)) {
    if (key !== 'delay') {
      throw new TypeError(`tasks.enqueue("${name}"): the option "${key}" does not exist; allowed is delay (seconds).`);
    }
  }
  const { delay = 0 } = options;
  if (typeof delay !== 'number' || !(delay >= 0 && delay <= MAX_DELAY_SECONDS)) {
    throw new TypeError(
      `tasks.enqueue("${name}"): delay must be a number of seconds from 0 to ${MAX_DELAY_SECONDS} (30 days), found ${describeValue(delay)}.`,
    );
  }
  return Math.round(delay * 1000);
}

function toText(name: string, data: unknown): string {
  return toJsonText(`tasks.enqueue("${name}")`, data, DATA_BOUNDS);
}
