/** Follows the modules' lives: whose schedules lie in the queue, whose runs are taken here, and which are orphans. */
import type { Queue } from 'bullmq';
import type { ModuleState, ServedModule } from '../modules/served-module.ts';
import type { Logger } from '../observability/log.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { Claims } from './claims.ts';
import { ModuleWork, type ModuleWorkParts } from './module-work.ts';
import { Pauses } from './pauses.ts';
import { isSamePlan, type ModulePlan, planTasks } from './plan.ts';
import { removeSchedules } from './schedules.ts';

export interface ModuleSource {
  get(name: string): ServedModule | undefined;
  list(): readonly ServedModule[];
  /** False while the host has not even looked which modules there are. */
  readonly isAnnounced: boolean;
  /** Folders that could not be read; their schedules stay, since they may be mended. */
  readonly broken: readonly { readonly name: string }[];
  onChange(listener: (module: ServedModule, from: ModuleState | undefined) => void): () => void;
}

export interface WorkBoardOptions extends Pick<ModuleWorkParts, 'run' | 'concurrency' | 'tidy'> {
  readonly modules: ModuleSource;
  /** The queue's home while it can be reached. */
  readonly backend: () => QueueBackend | undefined;
  /** A module with tasks showed up. */
  readonly onNeeded: () => void;
  readonly onQueues: () => void;
  readonly log: Logger;
}

/** In these states a module's tasks are run; a sleeping module is woken for them. */
const SERVED: ReadonlySet<ModuleState> = new Set(['sleeping', 'starting', 'running', 'draining', 'crashed']);
/** In these it only cannot run: its schedules stay. In any other they are taken away. */
const KEPT: ReadonlySet<ModuleState> = new Set(['parked', 'failed', 'installed', 'stopped', 'upgrade_pending']);
const MEND_MS = 60_000;

export class WorkBoard {
  readonly #options: WorkBoardOptions;
  readonly #work = new Map<string, ModuleWork>();
  /** One step after the other for each module: a life can change faster than the queue answers. */
  readonly #steps = new Map<string, Promise<void>>();
  readonly #unfollow: () => void;
  readonly #mending: NodeJS.Timeout;
  #closed = false;

  constructor(options: WorkBoardOptions) {
    this.#options = options;
    this.#unfollow = options.modules.onChange((module) => this.#follow(module));
    for (const module of options.modules.list()) this.#follow(module);
    this.#mending = setInterval(() => this.mendAll(), MEND_MS).unref();
  }

  /** Of a module that is known, whatever its state; nothing when it has no tasks. */
  planOf(name: string): ModulePlan | undefined {
    const module = this.#options.modules.get(name);
    if (module === undefined) return undefined;
    const plan = this.#work.get(name)?.plan ?? planOf(module);
    return plan.tasks.size === 0 ? undefined : plan;
  }

  isServed(name: string): boolean {
    return SERVED.has(this.#options.modules.get(name)?.state ?? 'failed');
  }

  queues(backend: QueueBackend): Queue[] {
    return [...this.#work.values()].flatMap(({ plan }) => [...plan.queues.keys()].map((name) => backend.queue(name)));
  }

  /** The schedules of one module, now: after a pause or a resume. */
  async mend(name: string): Promise<void> {
    await this.#work.get(name)?.mend();
  }

  /** Everything that is not as it should be, soon: the queue has just been opened, or others have changed it. */
  mendAll(): void {
    const { modules, backend, log } = this.#options;
    const home = backend();
    if (this.#closed || home === undefined) return;
    for (const { name } of modules.list()) if (this.planOf(name) !== undefined) this.#step(name);
    this.#dropOrphans(home).catch((error: unknown) => {
      if (home.online) log.warn({ err: error }, 'schedules of modules that are gone could not be removed');
    });
  }

  /** Takes no more jobs, and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unfollow();
    clearInterval(this.#mending);
    await Promise.allSettled([...this.#work.values()].map((work) => work.close()));
  }

  #follow(module: ServedModule): void {
    if (this.#closed) return;
    if (this.planOf(module.name) === undefined && !this.#work.has(module.name)) return;
    this.#options.onNeeded();
    this.#step(module.name);
  }

  /** Queues one more look at a module; what it finds then is what counts. */
  #step(name: string): void {
    const { backend, log } = this.#options;
    const before = this.#steps.get(name) ?? Promise.resolve();
    const step = before
      .then(() => this.#apply(name))
      .catch((error: unknown) => {
        // While the queue is away this is no news; either way the next mend tries again.
        if (backend() !== undefined) log.warn({ module: name, err: error }, 'its tasks could not be scheduled');
      })
      .then(() => {
        if (this.#steps.get(name) === step) this.#steps.delete(name);
      });
    this.#steps.set(name, step);
  }

  async #apply(name: string): Promise<void> {
    const home = this.#options.backend();
    if (this.#closed || home === undefined) return;
    const module = this.#options.modules.get(name);
    const plan = module === undefined ? undefined : planOf(module);
    const work = this.#work.get(name);
    if (module !== undefined && plan !== undefined && plan.tasks.size > 0 && SERVED.has(module.state)) {
      await this.#serve(home, plan, work);
      return;
    }
    await work?.close();
    if (module !== undefined && KEPT.has(module.state)) return;
    this.#work.delete(name);
    for (const queue of work?.plan.queues.keys() ?? []) await removeSchedules(home.queue(queue));
    await new Claims(home.records).drop(name);
    this.#options.onQueues();
  }

  async #serve(home: QueueBackend, plan: ModulePlan, before: ModuleWork | undefined): Promise<void> {
    if (before !== undefined && isSamePlan(before.plan, plan)) {
      await before.open();
      return;
    }
    await before?.close();
    const work = new ModuleWork(plan, {
      backend: home,
      pauses: new Pauses(home.records),
      claims: new Claims(home.records),
      run: this.#options.run,
      concurrency: this.#options.concurrency,
      tidy: this.#options.tidy,
      now: Date.now,
      log: this.#options.log,
    });
    this.#work.set(plan.module, work);
    await work.open();
    this.#options.onQueues();
  }

  async #dropOrphans(home: QueueBackend): Promise<void> {
    const { modules, log } = this.#options;
    if (!modules.isAnnounced) return;
    const present = new Set(modules.broken.map(({ name }) => name));
    for (const module of modules.list()) if (module.state !== 'disabled') present.add(module.name);
    const claims = new Claims(home.records);
    for (const { module, queues } of await claims.lapsed(present, home.exclusive, Date.now())) {
      for (const queue of queues) await removeSchedules(home.queue(queue));
      await claims.drop(module);
      log.info({ module }, 'the module is gone, its schedules were removed');
    }
  }
}

function planOf({ manifest, declaration }: ServedModule): ModulePlan {
  return planTasks(manifest, declaration.tasks);
}
