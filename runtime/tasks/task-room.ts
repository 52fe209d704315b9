/**
 * The door for tasks: runs what is due in the modules, and takes what modules and operators ask for. The queue is
 * opened when the first module with tasks shows up; it may go away and come back, and the host goes on.
 */
import { randomUUID } from 'node:crypto';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { MAX_TASK_DATA } from '@plexichat/sdk/protocol/task-limits';
import type { Job, Queue } from 'bullmq';
import { Slots } from '../modules/slots.ts';
import type { Logger } from '../observability/log.ts';
import type { BackendEvents, QueueBackend } from '../queue/backend.ts';
import { countOutcome } from './count-failures.ts';
import { type JobData, slotOf } from './job-data.ts';
import { Pauses } from './pauses.ts';
import type { ModulePlan, TaskPlan } from './plan.ts';
import { QueueDoor } from './queue-door.ts';
import { type RunParts, runJob } from './run-job.ts';
import { type Run, RunningJobs } from './running.ts';
import type { TaskMeter } from './task-desk.ts';
import { WaitingRoom } from './waiting-room.ts';
import { within } from './within.ts';
import { type ModuleSource, WorkBoard } from './work-board.ts';

export interface TaskRoomOptions {
  readonly limits: TaskLimits;
  readonly open: (events: BackendEvents) => Promise<QueueBackend>;
  readonly modules: ModuleSource;
  readonly meter: TaskMeter;
  readonly log: Logger;
}

export interface TaskLimits {
  /** Runs under way at once in this host. */
  readonly concurrency: number;
  readonly perModule: number;
  readonly maxWaiting: number;
  /** Ended runs that one queue keeps. */
  readonly maxEnded: number;
  readonly graceMs: number;
  /** Scheduled runs that fail in a row before their schedule pauses itself. */
  readonly pauseAfter: number;
}

/** The first boot of the embedded queue takes seconds. */
const OPEN_MS = 15_000;
const ASK_MS = 10_000;
const MAX_ACTIVE = 1_000;
/** After the drain and the grace of the tasks themselves. */
const CLOSE_MS = 5_000;

export class TaskRoom {
  readonly #options: TaskRoomOptions;
  readonly #door: QueueDoor;
  readonly #running: RunningJobs;
  readonly #waiting: WaitingRoom;
  readonly #listeners = new Set<() => void>();
  readonly #board: WorkBoard;

  constructor(options: TaskRoomOptions) {
    const { limits, modules, log } = options;
    this.#options = options;
    this.#running = new RunningJobs(({ module, task }, error) =>
      log.warn({ module, task, err: error }, 'what the run told could not be written'),
    );
    this.#waiting = new WaitingRoom({
      maxWaiting: limits.maxWaiting,
      maxEnded: limits.maxEnded,
      now: Date.now,
      onFailure: (queue, error) => log.warn({ queue, err: error }, 'ended runs could not be removed'),
    });
    this.#door = new QueueDoor({ open: options.open, onReady: () => this.#board.queueReady(), log });
    const parts = this.#runParts();
    this.#board = new WorkBoard({
      modules,
      backend: () => this.backend,
      run: (taken) => runJob(parts, taken),
      concurrency: limits.perModule,
      tidy: (queue) => this.#waiting.tidy(queue),
      onNeeded: () => this.#door.want(),
      onQueues: () => {
        for (const listener of this.#listeners) listener();
      },
      log,
    });
  }

  /** Runs under way may finish for `drainMs`; then they are asked to stop, and go back into the queue. */
  async close(drainMs: number): Promise<void> {
    let giveUp: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      giveUp = setTimeout(resolve, drainMs + this.#options.limits.graceMs + CLOSE_MS);
    });
    const impatience = setTimeout(() => this.#running.cancelAll(), drainMs);
    await Promise.race([this.#board.close(), late]);
    clearTimeout(impatience);
    clearTimeout(giveUp);
    await this.#door.close();
  }

  /** What modules call: their own tasks only, since the host says who calls. */
  async enqueue(module: string, task: string, data: string, delayMs: number): Promise<{ id: string }> {
    return this.add(this.findTask(module, task), { data, origin: 'module' }, delayMs);
  }

  /** A module is gone for good, and its runs with it. Opens the queue if need be. @throws PlexiError QUEUE_UNAVAILABLE */
  async forget(module: string): Promise<void> {
    await this.ask((backend) => this.#board.forget(backend, module));
  }

  progress(module: string, jobId: string, percent: number, note: string | undefined): void {
    this.#running.progress(module, jobId, percent, note);
  }

  log(module: string, jobId: string, line: string): void {
    this.#running.log(module, jobId, line);
  }

  /**
   * Puts a run into the queue; once this has answered, the run is not lost.
   * @throws PlexiError QUEUE_UNAVAILABLE, QUOTA_EXCEEDED, INVALID_INPUT
   */
  async add(plan: TaskPlan, data: JobData, delayMs: number): Promise<{ id: string }> {
    if (data.data.length > MAX_TASK_DATA) {
      throw new PlexiError(
        'INVALID_INPUT',
        `The data of a run is at most ${MAX_TASK_DATA} characters of JSON, not ${data.data.length}.`,
      );
    }
    return this.ask(async (backend) => {
      const queues = this.#board.queuesOf(plan.module).map((name) => backend.queue(name));
      await this.#waiting.enter(plan.module, queues);
      const queue = backend.queue(plan.queue);
      // The id is chosen here, so that an attempt that is repeated on the way adds one run.
      const id = randomUUID();
      await queue.add(plan.task, data, { ...plan.job, jobId: id, ...(delayMs > 0 ? { delay: delayMs } : {}) });
      return { id };
    });
  }

  /** Opens the queue if need be. @throws PlexiError QUEUE_UNAVAILABLE */
  async ask<Result>(work: (backend: QueueBackend) => Promise<Result>): Promise<Result> {
    const backend = await this.#door.ready(OPEN_MS);
    return within(ASK_MS, () => work(backend));
  }

  /** The queue's home when it is open and can be reached; asking does not open it. */
  get backend(): QueueBackend | undefined {
    const { backend } = this.#door;
    return backend?.online === true ? backend : undefined;
  }

  /** Why the queue cannot be used, in words for operators. */
  get trouble(): string | undefined {
    return this.#door.trouble;
  }

  /** @throws PlexiError NOT_FOUND that names the tasks there are */
  findTask(module: string, task: string): TaskPlan {
    const tasks = this.#board.planOf(module)?.tasks;
    const plan = tasks?.get(task);
    if (plan !== undefined) return plan;
    const allowed =
      tasks === undefined ? 'it has no tasks that run here' : `allowed are ${[...tasks.keys()].join(', ')}`;
    throw new PlexiError('NOT_FOUND', `The module ${module} has no task ${task}; ${allowed}.`);
  }

  queuesOf(module: string): readonly string[] {
    return this.#board.queuesOf(module);
  }

  plans(): readonly ModulePlan[] {
    return this.#options.modules.list().flatMap(({ name }) => this.#board.planOf(name) ?? []);
  }

  isServed(module: string): boolean {
    return this.#board.isServed(module);
  }

  async mend(module: string): Promise<void> {
    await this.#board.mend(module);
  }

  queues(): readonly Queue[] {
    const { backend } = this.#door;
    return backend === undefined ? [] : this.#board.allQueues().map((name) => backend.queue(name));
  }

  onQueues(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #runParts(): RunParts {
    const { limits, meter, modules, log } = this.#options;
    const rules = { pauseAfter: limits.pauseAfter, log };
    return {
      planOf: (module, task) => this.#board.planOf(module)?.tasks.get(task),
      moduleOf: (name) => modules.get(name),
      running: this.#running,
      places: new Slots(limits.concurrency, limits.concurrency * 100),
      isShared: () => this.#door.backend?.exclusive === false,
      isPaused: async ({ module, task }) => {
        const { backend } = this.#door;
        return backend !== undefined && new Pauses(backend.records).isPaused(module, task);
      },
      others: (plan, run) => this.#others(plan, run),
      meter,
      graceMs: limits.graceMs,
      onFault: (module, error) => log.error({ module, err: error }, 'a run failed in the host'),
      onScheduled: (plan, failure) => countOutcome(this.#door.backend, plan, failure, rules),
      now: Date.now,
    };
  }

  async #others(plan: TaskPlan, run: Run): Promise<readonly Pick<Run, 'since' | 'jobId'>[]> {
    const here = this.#running.others(run);
    const { backend } = this.#door;
    if (here.length > 0 || backend === undefined || backend.exclusive) return here;
    const active: (Job | undefined)[] = await backend.queue(plan.queue).getActive(0, MAX_ACTIVE);
    return active.flatMap((job) => {
      if (job?.name !== plan.task || job.id === run.jobId) return [];
      return [{ since: slotOf(job)?.getTime() ?? job.timestamp, jobId: job.id ?? '' }];
    });
  }
}
