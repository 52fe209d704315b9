/** Follows the modules' lives: whose schedules lie in the queue, whose runs are taken here, and which are orphans. */
import type { ModuleState, ServedModule } from '../modules/served-module.ts';
import type { Logger } from '../observability/log.ts';
import type { QueueBackend } from '../queue/backend.ts';
import { Claims } from './claims.ts';
import { holdsRuns, ModuleWork, type ModuleWorkParts } from './module-work.ts';
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
const SERVED: ReadonlySet<ModuleState> = new Set([
  'sleeping',
  'starting',
  'running',
  'draining',
  'crashed',
  // The version before goes on.
  'upgrade_pending',
]);
/** In these it only cannot run: its schedules stay. In any other they are taken away. */
const KEPT: ReadonlySet<ModuleState> = new Set(['parked', 'failed', 'installed', 'stopped']);
const MEND_MS = 60_000;
const SOON_MS = 5_000;
const FORGOTTEN_AT_ONCE = 1_000;

export class WorkBoard {
  readonly #options: WorkBoardOptions;
  readonly #work = new Map<string, ModuleWork>();
  /** One step after the other for each module: a life can change faster than the queue answers. */
  readonly #steps = new Map<string, Promise<void>>();
  /** Of versions that were replaced: they finish what they have begun. */
  readonly #endings = new Set<Promise<void>>();
  /** Modules that are gone while runs of theirs still wait: told once. */
  readonly #gone = new Set<string>();
  readonly #unfollow: () => void;
  readonly #mending: NodeJS.Timeout;
  #claims: Claims | undefined;
  #closed = false;

  constructor(options: WorkBoardOptions) {
    this.#options = options;
    this.#unfollow = options.modules.onChange((module) => this.#follow(module));
    for (const module of options.modules.list()) this.#follow(module);
    this.#mending = setInterval(() => this.#mendAll(), MEND_MS).unref();
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

  /** Those of earlier versions too, while they hold runs. */
  queuesOf(name: string): readonly string[] {
    return this.#work.get(name)?.queues ?? [...(this.planOf(name)?.queues.keys() ?? [])];
  }

  allQueues(): readonly string[] {
    return this.#options.modules.list().flatMap(({ name }) => this.queuesOf(name));
  }

  /** The schedules of one module, now: after a pause or a resume. */
  async mend(name: string): Promise<void> {
    await this.#work.get(name)?.mend();
  }

  /** The module is gone for good, and all that waits for it or has run. Call when nothing of it runs any more. */
  async forget(home: QueueBackend, name: string): Promise<void> {
    await this.#steps.get(name);
    const claims = this.#claimsOf(home);
    const claim = await claims.read(name);
    for (const queueName of Object.keys(claim?.queues ?? {})) {
      const queue = home.queue(queueName);
      await removeSchedules(queue);
      await queue.drain(true);
      for (const state of ['completed', 'failed'] as const)
        while ((await queue.clean(0, FORGOTTEN_AT_ONCE, state)).length > 0);
    }
    await new Pauses(home.records).forget(name);
    await claims.drop(name);
    this.#gone.delete(name);
  }

  /** The queue has just been opened, or is back. */
  queueReady(): void {
    this.#claims?.forget();
    this.#mendAll();
  }

  /** Takes no more jobs, and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unfollow();
    clearInterval(this.#mending);
    await Promise.allSettled([...this.#work.values()].map((work) => work.close()));
    await Promise.allSettled([...this.#steps.values(), ...this.#endings]);
  }

  #follow(module: ServedModule): void {
    if (this.#closed) return;
    if (this.planOf(module.name) === undefined && !this.#work.has(module.name)) return;
    this.#options.onNeeded();
    this.#step(module.name);
  }

  /** Everything that is not as it should be, soon: others change the queue too. */
  #mendAll(): void {
    const { modules, backend, log } = this.#options;
    const home = backend();
    if (this.#closed || home === undefined) return;
    for (const { name } of modules.list()) {
      if (this.planOf(name) !== undefined || this.#work.has(name) || KEPT.has(modules.get(name)?.state ?? 'running')) {
        this.#step(name);
      }
    }
    this.#dropOrphans(home).catch((error: unknown) => {
      if (home.online) log.warn({ err: error }, 'schedules of modules that are gone could not be removed');
    });
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
    if (module !== undefined && SERVED.has(module.state)) {
      const plan = planOf(module);
      if (plan.tasks.size > 0) return this.#serve(home, module, plan);
    }
    const work = this.#work.get(name);
    this.#work.delete(name);
    await work?.close();
    if (module !== undefined && KEPT.has(module.state)) await this.#keep(home, name);
    else await this.#remove(home, name);
    if (work !== undefined) this.#options.onQueues();
  }

  async #serve(home: QueueBackend, module: ServedModule, plan: ModulePlan): Promise<void> {
    const { run, concurrency, tidy, log } = this.#options;
    const before = this.#work.get(plan.module);
    let work = before;
    if (before === undefined || !isSamePlan(before.plan, plan)) {
      work = new ModuleWork(plan, {
        backend: home,
        pauses: new Pauses(home.records),
        claims: this.#claimsOf(home),
        version: module.version,
        wasAway: before === undefined,
        run,
        concurrency,
        tidy,
        now: Date.now,
        log,
      });
      this.#work.set(plan.module, work);
      // One long run of the old version must not keep the new one waiting.
      if (before !== undefined) this.#end(before);
    }
    await work?.open();
    if (work?.needsLook === true) setTimeout(() => this.#step(plan.module), SOON_MS).unref();
    if (work !== before) this.#options.onQueues();
  }

  #end(work: ModuleWork): void {
    const ending = work
      .close()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'a consumer did not close'))
      .then(() => void this.#endings.delete(ending));
    this.#endings.add(ending);
  }

  /** The module is known and cannot run now: no other host may take its schedules for orphans. */
  async #keep(home: QueueBackend, name: string): Promise<void> {
    const claims = this.#claimsOf(home);
    const claim = await claims.read(name);
    if (claim !== undefined) await claims.write(name, { ...claim, at: Date.now() });
  }

  async #dropOrphans(home: QueueBackend): Promise<void> {
    const { modules } = this.#options;
    if (!modules.isAnnounced) return;
    const present = new Set(modules.broken.map(({ name }) => name));
    for (const module of modules.list()) if (module.state !== 'disabled') present.add(module.name);
    for (const name of (await this.#claimsOf(home).lapsed(present, home.exclusive)).keys())
      await this.#remove(home, name);
  }

  /** Takes the schedules of a module away; its name stays on record while runs of it wait for its return. */
  async #remove(home: QueueBackend, name: string): Promise<void> {
    const claims = this.#claimsOf(home);
    const claim = await claims.read(name);
    if (claim === undefined) return;
    let waits = false;
    for (const queueName of Object.keys(claim.queues)) {
      const queue = home.queue(queueName);
      await removeSchedules(queue);
      waits ||= await holdsRuns(queue);
    }
    if (!this.#gone.has(name))
      this.#options.log.info({ module: name }, 'the module is gone, its schedules were removed');
    this.#gone.add(name);
    if (waits) return;
    this.#gone.delete(name);
    await new Pauses(home.records).forget(name);
    await claims.drop(name);
  }

  #claimsOf(home: QueueBackend): Claims {
    this.#claims ??= new Claims(home.records);
    return this.#claims;
  }
}

function planOf({ manifest, declaration }: ServedModule): ModulePlan {
  return planTasks(manifest, declaration.tasks);
}
