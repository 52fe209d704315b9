/**
 * One module of this host and its life: sleeps, boots on first use, answers, drains, comes back after a crash with
 * backoff, is parked when its budget is spent. Its state changes in one place, by one table.
 */
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { EndpointRequest } from '@plexichat/sdk/protocol/invocation';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { CellStartError } from '../cells/cell.ts';
import type { Instance, InstanceExit, InstanceUsage } from '../cells/instance.ts';
import type { LimitBreach } from '../cells/soft-limits.ts';
import { byDeadline } from './by-deadline.ts';
import { callGuestMethod } from './call-guest-method.ts';
import { Comeback } from './comeback.ts';
import { CrashBudget } from './crash-budget.ts';
import { judgeExit } from './exit-verdict.ts';
import type { HostedModuleOptions } from './hosted-module-options.ts';
import { Instances } from './instances.ts';
import { invokeGuest } from './invoke-guest.ts';
import { AT_REST } from './lifecycle.ts';
import { mayRunAgain } from './may-run-again.ts';
import { CELL_CRASH_COST } from './restart-policy.ts';
import { runGuestEvent } from './run-guest-event.ts';
import { runGuestTask } from './run-guest-task.ts';
import type {
  EventDelivery,
  EventDeliveryOptions,
  InvokeOptions,
  MethodCall,
  ModuleAnswer,
  ModuleState,
  ServedModule,
  TaskRun,
  TaskRunOptions,
} from './served-module.ts';
import { Slots } from './slots.ts';
import { Standing } from './standing.ts';
import { unavailable } from './unavailable.ts';

/** Callers that wait for a slot, per slot. */
const QUEUE_PER_SLOT = 16;
/** After which asking again makes sense when only an operator can change the answer. */
const AT_REST_MS = 60_000;
/** After the machine had no room for a cell. */
const NO_ROOM_MS = 2_000;
/** For a slot and a boot together; then a run goes back into its queue, and an event is given up. */
const TASK_PATIENCE_MS = 30_000;
/** Between two threads of a module that are replaced since they were over a soft limit. */
const REPLACE_EVERY_MS = 60_000;

export class HostedModule implements ServedModule {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly prefix: string;
  readonly declaration: Declaration;
  readonly #options: HostedModuleOptions;
  readonly #slots: Slots;
  readonly #instances: Instances;
  readonly #budget = new CrashBudget();
  readonly #comeback: Comeback;
  /** Where it is in its life, and what others see of that. */
  readonly standing: Standing;
  #starting: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #lastUsed = Date.now();
  #isStopping = false;
  /** Epoch milliseconds. */
  #replaceNotBefore = 0;
  /** Grows when everything that runs is to end: a boot that was under way then comes too late. */
  #generation = 0;

  constructor(options: HostedModuleOptions) {
    const { manifest, declaration, limits, readCode, spawn } = options;
    this.#options = options;
    this.manifest = manifest;
    this.declaration = declaration;
    this.name = manifest.module_name;
    this.version = manifest.module_version;
    this.prefix = manifest.api.prefix;
    this.standing = new Standing(this.name, (from) => options.onChange(this, from));
    const slots = limits.concurrency * limits.instances;
    this.#slots = new Slots(slots, slots * QUEUE_PER_SLOT);
    this.#instances = new Instances({
      readCode,
      spawn,
      bootMs: limits.bootMs,
      onExit: (instance, exit, isStray) => this.#onExit(instance, exit, isStray),
      onSoftLimit: (instance, breach) => this.#replace(instance, breach),
    });
    this.#comeback = new Comeback(options.comebacks, async () => {
      if (this.#state === 'crashed') await this.start();
    });
  }

  get state(): ModuleState {
    return this.standing.state;
  }

  get reasons(): readonly string[] {
    return this.standing.reasons;
  }

  get instances(): ReadonlySet<Instance> {
    return this.#instances.all;
  }

  get usage(): InstanceUsage & { readonly threads: number } {
    return { ...this.#instances.usage, threads: this.instances.size };
  }

  async invoke(request: Omit<EndpointRequest, 'invocation'>, options: InvokeOptions): Promise<ModuleAnswer> {
    const run = (instance: Instance): Promise<ModuleAnswer> =>
      invokeGuest(instance, request, options, this.#options.onStack);
    if (!this.#slots.tryTake()) await this.#slots.wait(request.deadline, options.signal);
    try {
      return await this.#run(request.deadline, run);
    } catch (error) {
      if (this.#state === 'parked' || this.#budget.waitMs > 0 || !mayRunAgain(error, request, options)) throw error;
      return await this.#run(request.deadline, run);
    } finally {
      this.#leave();
    }
  }

  callMethod(call: MethodCall, signal: AbortSignal): Promise<string> {
    const run = (instance: Instance): Promise<string> => callGuestMethod(instance, call, signal, this.#options.onStack);
    return this.#inSlot(call.deadline, signal, () => this.#run(call.deadline, run));
  }

  runTask(run: TaskRun, options: TaskRunOptions): Promise<string | undefined> {
    return this.#runUnasked(options.signal, `The run of ${run.task}`, (instance) =>
      runGuestTask(instance, run, options, this.#options.onStack),
    );
  }

  async runEvent(delivery: EventDelivery, options: EventDeliveryOptions): Promise<void> {
    const { thread } = delivery;
    if (thread === undefined) {
      await this.#runUnasked(options.signal, `The event ${delivery.name}`, (instance) =>
        runGuestEvent(instance, delivery, options, this.#options.onStack),
      );
      return;
    }
    const find = (): Instance | undefined =>
      [...this.instances].find(({ session, serving }) => serving && session === thread);
    if (find() === undefined) throw threadGone();
    await this.#inSlot(Date.now() + TASK_PATIENCE_MS, options.signal, async () => {
      const instance = find();
      if (instance === undefined) throw threadGone();
      await runGuestEvent(instance, delivery, options, this.#options.onStack);
    });
  }

  get underWay(): number {
    return this.#slots.taken;
  }

  /** Boots the module if it is not running. @throws PlexiError MODULE_UNAVAILABLE, MODULE_ERROR, MODULE_CRASHED */
  async start(): Promise<void> {
    await this.#settled();
    if (this.#pick() !== undefined) return;
    const { waitMs } = this.#budget;
    if (this.#state === 'crashed' && waitMs > 0) throw unavailable('recovers from a crash', waitMs);
    if (this.#state === 'draining' || this.#state === 'stopped') throw unavailable('is being stopped', 1_000);
    if (this.#state === 'parked') throw unavailable('was parked after too many crashes', AT_REST_MS);
    this.#starting ??= this.#boot().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  /** Epoch milliseconds. */
  get lastUsed(): number {
    return this.#lastUsed;
  }

  /** Puts a module that nobody has used for a while to sleep. Call now and then. */
  async sleepIfIdle(now: number): Promise<void> {
    const idle = now - this.#lastUsed > this.#options.limits.idleMs;
    if (this.#state !== 'running' || !idle || this.#slots.taken > 0 || this.#instances.busy > 0) return;
    await this.#end('sleeping', 0);
  }

  /** Finishes what runs, ends cleanly, and stays down. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true;
    this.#slots.close(unavailable('is being stopped', 1_000));
    await this.#ending;
    if (this.#state === 'running' || this.#state === 'starting') await this.#end('stopped', drainMs);
    else this.#change('stopped', []);
  }

  /**
   * A module that falls asleep, whose threads are just being ended or replaced, is judged when that is over: soon, in any
   * case.
   */
  async #settled(): Promise<void> {
    if (this.#state === 'draining') await this.#ending;
    while (this.#state === 'running' && this.#pick() === undefined && this.instances.size > 0) {
      await this.#instances.change();
    }
  }

  /** For work that no client waits for: it wakes the module, but not one that an operator put to rest. */
  async #runUnasked<Result>(
    signal: AbortSignal,
    what: string,
    run: (instance: Instance) => Promise<Result>,
  ): Promise<Result> {
    if (AT_REST.has(this.#state)) throw unavailable(`is ${this.#state}`, AT_REST_MS);
    if (this.#isStopping) throw unavailable('is being stopped', 1_000);
    const patience = Date.now() + TASK_PATIENCE_MS;
    return this.#inSlot(patience, signal, async () => {
      if (this.#pick() === undefined) await this.#wake(patience);
      if (signal.aborted) throw new PlexiError('CLIENT_CLOSED', `${what} was called off.`);
      const instance = this.#pick();
      if (instance === undefined) throw unavailable('could not be started', 1_000);
      return run(instance);
    });
  }

  async #inSlot<Result>(deadline: number, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (!this.#slots.tryTake()) await this.#slots.wait(deadline, signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#lastUsed = Date.now();
    this.#slots.release();
  }

  #pick(): Instance | undefined {
    return this.#state === 'running' ? this.#instances.pick() : undefined;
  }

  async #run<Result>(deadline: number, run: (instance: Instance) => Promise<Result>): Promise<Result> {
    let instance = this.#pick();
    if (instance === undefined) {
      await this.#wake(deadline);
      // Picked and called in one go: those who waited for the same boot would all find the same instance idle.
      instance = this.#pick();
    }
    if (instance === undefined) throw unavailable('could not be started', 1_000);
    return run(instance);
  }

  #wake(deadline: number): Promise<void> {
    return byDeadline(this.start(), deadline, () => unavailable('is still starting', 1_000));
  }

  async #boot(): Promise<void> {
    const generation = this.#generation;
    const isWanted = (): boolean => generation === this.#generation;
    this.#change('starting', []);
    let lost: readonly InstanceExit[];
    try {
      lost = await this.#instances.boot(this.#options.limits.instances, isWanted);
    } catch (error) {
      if (isWanted() && this.#state === 'starting') this.#failBoot(error);
      // The module's own words are for the operator, under `reasons`.
      throw unavailable('could not be started', Math.max(1_000, this.#budget.waitMs), error);
    }
    if (!isWanted()) throw unavailable('was stopped while it started', 1_000);
    this.#lastUsed = Date.now();
    if (this.#state !== 'starting') return;
    this.#change('running', []);
    this.#replaceLost(lost);
  }

  #end(to: 'sleeping' | 'stopped', drainMs: number): Promise<void> {
    this.#ending = this.#drain(to, drainMs).finally(() => {
      this.#ending = undefined;
    });
    return this.#ending;
  }

  async #drain(to: 'sleeping' | 'stopped', drainMs: number): Promise<void> {
    this.#generation += 1;
    this.#change('draining', []);
    await this.#instances.drain(drainMs);
    this.#change(to, []);
  }

  #onExit(instance: Instance, exit: InstanceExit, isStray: boolean): void {
    if (isStray) {
      // A boot that failed was judged by #boot already; only that it took its cell along shows later.
      if (exit.tookCell) this.#budget.chargeLater(CELL_CRASH_COST);
      return;
    }
    if (!exit.expected && exit.reason !== 'terminated') this.#options.onLoss(exit);
    const isOverdue = exit.reason === 'overdue';
    if (isOverdue) this.#options.onRecycle(exit.detail);
    const verdict = judgeExit(exit, {
      state: this.#state,
      isAlone: () => this.#options.isAlone(instance),
      isCellAlive: instance.cell.alive,
      overdue: isOverdue ? this.#budget.countOverdue() : 0,
    });
    if (verdict.kind === 'known') {
      // The boot that it ended is charged when it fails; that it took its cell along comes on top.
      if (exit.tookCell && this.#state === 'starting') this.#budget.chargeLater(CELL_CRASH_COST);
      return;
    }
    if (verdict.kind === 'crash') this.#crash(verdict.reason, verdict.cost);
    else if (this.instances.size > 0) this.#replaceLater();
    else this.#change(verdict.rest, [verdict.reason]);
  }

  /** A new thread takes over, once it has booted; the old one finishes what it does. */
  #replace(instance: Instance, breach: LimitBreach): void {
    const generation = this.#generation;
    const isWanted = (): boolean => generation === this.#generation && this.#state === 'running';
    const retired = this.instances.size - this.#instances.serving;
    // At most as many at once as the module has threads, and one after the other: what is over a limit soon after its
    // boot would be so again and again.
    if (!isWanted() || !instance.serving || retired >= this.#options.limits.instances) return;
    if (Date.now() < this.#replaceNotBefore) return;
    this.#replaceNotBefore = Date.now() + REPLACE_EVERY_MS;
    this.#options.onReplace(breach);
    this.#instances.replace(instance, isWanted, breach.limit === 'delay').catch((error: unknown) => {
      // The old one goes on; its hard limits hold.
      this.#options.onRecycle(`a thread could not be replaced: ${messageOf(error)}`);
    });
  }

  #failBoot(error: unknown): void {
    if (!(error instanceof CellStartError)) {
      this.#crash(`did not boot: ${messageOf(error)}`, 1);
      return;
    }
    // Not the module's fault, so not charged.
    this.#budget.postpone(NO_ROOM_MS);
    if (this.#state === 'running') this.#replaceLater();
    else this.#change('crashed', [error.message]);
  }

  /** Those that died while the others still booted: charged once, as a boot that fails is. */
  #replaceLost(lost: readonly InstanceExit[]): void {
    // The death of a cell was judged when it came.
    const crash = lost.find(({ reason }) => reason !== 'cell');
    if (crash === undefined) this.#replaceLater(lost.length);
    else this.#crash(`${crash.reason}: ${crash.detail}`, crash.tookCell ? CELL_CRASH_COST : 1, lost.length);
  }

  /** @param lost threads that are to be replaced */
  #crash(reason: string, cost: number, lost = 1): void {
    const parked = this.#budget.charge(cost);
    if (parked !== undefined) {
      this.#generation += 1;
      this.#change('parked', [parked, `last: ${reason}`]);
      this.#instances.terminate('parked');
      return;
    }
    if (this.#instances.pick() !== undefined) this.#replaceLater(lost);
    else this.#change('crashed', [reason]);
  }

  /** Some of the threads are gone: the others go on, and new ones come when the backoff is over. */
  #replaceLater(lost = 1): void {
    const generation = this.#generation;
    const isWanted = (): boolean =>
      generation === this.#generation &&
      this.#state === 'running' &&
      this.#instances.serving < this.#options.limits.instances;
    const replace = (): void => {
      if (!isWanted()) return;
      this.#instances.add(isWanted).catch((error: unknown) => {
        if (isWanted()) this.#failBoot(error);
      });
    };
    for (let one = 0; one < lost; one++) setTimeout(replace, this.#budget.waitMs).unref();
  }

  get #state(): ModuleState {
    return this.standing.own;
  }

  #change(to: ModuleState, reasons: readonly string[]): void {
    const isNew = to !== this.#state;
    if (isNew) this.#comeback.cancel();
    this.standing.change(to, reasons);
    if (isNew && to === 'crashed' && this.manifest.auto_load) this.#comeback.schedule(this.#budget.notBefore);
    if (isNew && (to === 'crashed' || to === 'parked')) this.#options.onCrash?.(this, reasons);
  }
}

function threadGone(): PlexiError {
  return new PlexiError('NOT_FOUND', 'The thread that subscribed is gone.');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
