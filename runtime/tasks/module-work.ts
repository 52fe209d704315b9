/** One module's share of the queue in this host: its schedules laid down and its consumers running, or neither. */
import type { Job, Queue, Worker } from 'bullmq';
import { Slots } from '../modules/slots.ts';
import type { Logger } from '../observability/log.ts';
import type { QueueBackend } from '../queue/backend.ts';
import type { Claims } from './claims.ts';
import type { Pauses } from './pauses.ts';
import type { ModulePlan, TaskPlan } from './plan.ts';
import { retryDelayMs } from './retry-delay.ts';
import type { RunResult, TakenJob } from './run-job.ts';
import { layDown, removeSchedules } from './schedules.ts';

export interface ModuleWorkParts {
  readonly backend: QueueBackend;
  readonly pauses: Pauses;
  readonly claims: Claims;
  readonly run: (taken: TakenJob) => Promise<RunResult>;
  /** Runs of one module under way at once in this host, over all of its queues. */
  readonly concurrency: number;
  /** Removes what a queue keeps too much of. */
  readonly tidy: (queue: Queue) => Promise<void>;
  readonly now: () => number;
  readonly log: Logger;
}

export class ModuleWork {
  readonly plan: ModulePlan;
  readonly #parts: ModuleWorkParts;
  readonly #places: Slots;
  readonly #consumers = new Map<string, Worker>();
  /** Queues of an earlier version that still hold runs: worked off, never filled again. */
  #leftOver: readonly string[] = [];

  constructor(plan: ModulePlan, parts: ModuleWorkParts) {
    this.plan = plan;
    this.#parts = parts;
    this.#places = new Slots(parts.concurrency, plan.tasks.size + parts.concurrency);
  }

  get isOpen(): boolean {
    return this.#consumers.size > 0;
  }

  /** Puts right what is not as it is declared; call it again now and then, since others change the queue too. */
  async mend(): Promise<void> {
    const { backend, pauses, claims, tidy, now, log } = this.#parts;
    const { module, queues } = this.plan;
    const paused = await pauses.of(module);
    for (const [name, { isSerial }] of queues) {
      const queue = backend.queue(name);
      if (isSerial) await queue.setGlobalConcurrency(1);
      const givenUp = await layDown(queue, this.#scheduled(name, paused), { now: now(), isReturn: !this.isOpen });
      for (const task of givenUp)
        log.info({ module, task }, 'a slot was missed while no host was there, and is given up');
    }
    for (const name of queues.keys()) await tidy(backend.queue(name));
    this.#leftOver = await this.#findLeftOver();
    await claims.renew({ module, queues: [...queues.keys(), ...this.#leftOver] }, now());
    if (this.isOpen) this.#consume();
  }

  /** Schedules first: a slot that was missed is given up or kept before anybody can take it. */
  async open(): Promise<void> {
    await this.mend();
    this.#consume();
  }

  /** Takes no more jobs, and waits for those under way. */
  async close(): Promise<void> {
    const consumers = [...this.#consumers.values()];
    this.#consumers.clear();
    await Promise.all(consumers.map((consumer) => consumer.close()));
  }

  #consume(): void {
    const { backend, run, concurrency } = this.#parts;
    const { module, queues } = this.plan;
    const places = this.#places;
    for (const name of [...queues.keys(), ...this.#leftOver]) {
      if (this.#consumers.has(name)) continue;
      const isSerial = queues.get(name)?.isSerial ?? false;
      const consumer = backend.consume(name, (job: Job, token = '') => run({ module, job, token, places }), {
        concurrency: isSerial ? 1 : concurrency,
        settings: { backoffStrategy: (attempts = 1) => retryDelayMs(attempts) },
      });
      this.#consumers.set(name, consumer);
    }
  }

  async #findLeftOver(): Promise<string[]> {
    const { backend, claims } = this.#parts;
    const leftOver: string[] = [];
    for (const name of await claims.queuesOf(this.plan.module)) {
      if (this.plan.queues.has(name)) continue;
      const queue = backend.queue(name);
      await removeSchedules(queue);
      const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active');
      if (Object.values(counts).some((count) => count > 0)) leftOver.push(name);
    }
    return leftOver;
  }

  #scheduled(queue: string, paused: ReadonlyMap<string, unknown>): TaskPlan[] {
    return [...this.plan.tasks.values()].filter(
      (plan) => plan.queue === queue && plan.schedule !== undefined && !paused.has(plan.task),
    );
  }
}
