/** One module's share of the queue in this host: its schedules laid down and its consumers running, or neither. */
import type { Job, Queue, Worker } from 'bullmq';
import { gte, valid } from 'semver';
import { Slots } from '../modules/slots.ts';
import type { Logger } from '../observability/log.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { type Claim, type Claims, LAPSE_MS } from './claims.ts';
import type { Pauses } from './pauses.ts';
import type { ModulePlan, TaskPlan } from './plan.ts';
import { retryDelayMs } from './retry-delay.ts';
import type { RunResult, TakenJob } from './run-job.ts';
import { layDown, removeSchedules } from './schedules.ts';

export interface ModuleWorkParts {
  readonly backend: QueueBackend;
  readonly pauses: Pauses;
  readonly claims: Claims;
  readonly version: string;
  /** This host did not run the module's tasks until now. */
  readonly wasAway: boolean;
  readonly run: (taken: TakenJob) => Promise<RunResult>;
  /** Runs of one module under way at once in this host, over all of its queues. */
  readonly concurrency: number;
  /** Removes what a queue keeps too much of. */
  readonly tidy: (queue: Queue) => Promise<void>;
  readonly now: () => number;
  readonly log: Logger;
}

/** Hosts say every minute that they run the tasks: after this long without a word, nobody did. */
const SILENT_MS = 2 * 60_000;

export class ModuleWork {
  readonly plan: ModulePlan;
  readonly #parts: ModuleWorkParts;
  readonly #places: Slots;
  readonly #consumers = new Map<string, Worker>();
  /** Queues of other versions: worked off, never filled again. */
  #leftOver: readonly string[] = [];
  #wasAway: boolean;
  #needsLook = false;
  #closed = false;

  constructor(plan: ModulePlan, parts: ModuleWorkParts) {
    this.plan = plan;
    this.#parts = parts;
    this.#wasAway = parts.wasAway;
    this.#places = new Slots(parts.concurrency, plan.tasks.size + parts.concurrency);
  }

  /** A change of a schedule waits for the slot that is due. */
  get needsLook(): boolean {
    return this.#needsLook;
  }

  get queues(): readonly string[] {
    return [...this.plan.queues.keys(), ...this.#leftOver];
  }

  /** Schedules first: a slot that was missed is given up or kept before anybody can take it. */
  async open(): Promise<void> {
    await this.mend();
    this.#consume();
  }

  /** Puts right what is not as it is declared; call it again now and then, since others change the queue too. */
  async mend(): Promise<void> {
    const { claims, backend, tidy, now } = this.#parts;
    const { module, queues } = this.plan;
    const claim = await claims.read(module);
    const isSilent = claim === undefined || now() - claim.servedAt > SILENT_MS;
    const rules = backend.exclusive || isSilent || this.#isAtLeast(claim.version);
    if (rules) await this.#layDownAll(backend.exclusive ? this.#wasAway : this.#wasAway && isSilent);
    this.#wasAway = false;
    for (const name of queues.keys()) await tidy(backend.queue(name));
    await this.#renew(claim, rules);
    if (this.#consumers.size > 0) this.#consume();
  }

  /** Takes no more jobs, and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    const consumers = [...this.#consumers.values()];
    this.#consumers.clear();
    await Promise.all(consumers.map((consumer) => consumer.close()));
  }

  async #layDownAll(isReturn: boolean): Promise<void> {
    const { backend, pauses, now, log } = this.#parts;
    const { module, queues } = this.plan;
    const paused = await pauses.of(module);
    const onFailure = (task: string, error: unknown): void =>
      log.warn({ module, task, err: error }, 'the schedule could not be laid down; trying again soon');
    this.#needsLook = false;
    for (const [name, { isSerial }] of queues) {
      const queue = backend.queue(name);
      if (isSerial) await queue.setGlobalConcurrency(1);
      const { givenUp, pending } = await layDown(queue, this.#scheduled(name, paused), {
        now: now(),
        isReturn,
        onFailure,
      });
      for (const task of givenUp) {
        log.info({ module, task }, 'a slot was missed while no host was there, and is given up');
      }
      if (pending.length > 0) this.#needsLook = true;
    }
    // Somebody may have paused one in between.
    for (const task of (await pauses.of(module)).keys()) {
      const queue = this.plan.tasks.get(task)?.queue;
      if (queue !== undefined && !paused.has(task)) await backend.queue(queue).removeJobScheduler(task);
    }
  }

  /** While versions differ, the older one keeps its hands off the schedules, and off queues that it does not know. */
  async #renew(claim: Claim | undefined, rules: boolean): Promise<void> {
    const { backend, claims, version, now } = this.#parts;
    const { module } = this.plan;
    const at = now();
    const queues: Record<string, number> = { ...claim?.queues };
    for (const name of this.plan.queues.keys()) queues[name] = at;
    const leftOver: string[] = [];
    for (const [name, seenAt] of Object.entries(queues)) {
      if (this.plan.queues.has(name) || !rules) continue;
      const queue = backend.queue(name);
      await removeSchedules(queue);
      // Another host of the other version may still fill it.
      if (at - seenAt > LAPSE_MS && !(await holdsRuns(queue))) delete queues[name];
      else leftOver.push(name);
    }
    this.#leftOver = leftOver;
    const servedAt = rules ? at : (claim?.servedAt ?? at);
    await claims.write(module, { at, servedAt, version: rules ? version : (claim?.version ?? version), queues });
  }

  #consume(): void {
    if (this.#closed) return;
    const { backend, run, concurrency } = this.#parts;
    const { module, queues } = this.plan;
    const places = this.#places;
    for (const name of this.queues) {
      if (this.#consumers.has(name)) continue;
      const isSerial = queues.get(name)?.isSerial ?? false;
      const consumer = backend.consume(name, (job: Job, token = '') => run({ module, job, token, places }), {
        concurrency: isSerial ? 1 : concurrency,
        settings: { backoffStrategy: (attempts = 1) => retryDelayMs(attempts) },
      });
      this.#consumers.set(name, consumer);
    }
  }

  #isAtLeast(version: string): boolean {
    return valid(version) === null || gte(this.#parts.version, version);
  }

  #scheduled(queue: string, paused: ReadonlyMap<string, unknown>): TaskPlan[] {
    return [...this.plan.tasks.values()].filter(
      (plan) => plan.queue === queue && plan.schedule !== undefined && !paused.has(plan.task),
    );
  }
}

/** Runs that somebody still has to do. */
export async function holdsRuns(queue: Queue): Promise<boolean> {
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active');
  return Object.values(counts).some((count) => count > 0);
}
