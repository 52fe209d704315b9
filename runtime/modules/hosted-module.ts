/**
 * One module of this host and its life: sleeps, boots on first use, answers, drains, comes back after a crash with
 * backoff, is parked when its budget is spent. Its state changes in one place, by one table.
 */
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { EndpointRequest } from '@plexichat/sdk/protocol/invocation';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import { CellStartError } from '../cells/cell.ts';
import { type Instance, type InstanceExit, InstanceGone } from '../cells/instance.ts';
import { invokeGuest } from './invoke-guest.ts';
import { assertTransition } from './lifecycle.ts';
import { afterCrash, CELL_CRASH_COST, NO_CRASHES } from './restart-policy.ts';
import type { InvokeOptions, ModuleAnswer, ModuleState, ServedModule } from './served-module.ts';
import { Slots } from './slots.ts';

export interface HostedModuleOptions {
  readonly manifest: Manifest;
  readonly declaration: Declaration;
  /** The manifest's runtime section, capped by the operator. */
  readonly limits: ModuleLimits;
  readonly readCode: () => Promise<Uint8Array>;
  /** Starts a thread for this module; the instance still has to be initialised. */
  readonly spawn: (code: Uint8Array, onExit: (exit: InstanceExit) => void) => Instance;
  /** Whether the module had that cell to itself: only then is the cell's death its own doing. */
  readonly isAlone: (instance: Instance) => boolean;
  /** For starts that nobody waits for: when a cell has died, its modules do not come back all at once. */
  readonly comebacks: Slots;
  readonly onChange: (module: HostedModule, from: ModuleState) => void;
  readonly onStack: (stack: string) => void;
}

export interface ModuleLimits {
  readonly instances: number;
  readonly concurrency: number;
  readonly idleMs: number;
  readonly bootMs: number;
}

/** Callers that wait for a slot, per slot. */
const QUEUE_PER_SLOT = 16;
const SHUTDOWN_MS = 5_000;
/** After the machine had no room for a cell. */
const NO_ROOM_MS = 2_000;
/** For a place among the modules that come back by themselves. */
const COMEBACK_WAIT_MS = 10 * 60_000;
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export class HostedModule implements ServedModule {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  readonly prefix: string;
  readonly declaration: Declaration;
  readonly #options: HostedModuleOptions;
  readonly #slots: Slots;
  readonly #instances = new Set<Instance>();
  #state: ModuleState = 'sleeping';
  #reasons: readonly string[] = [];
  #starting: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #crashes = NO_CRASHES;
  #notBefore = 0;
  #comeback: NodeJS.Timeout | undefined;
  #lastUsed = Date.now();
  /** Grows when everything that runs is to end: a boot that was under way then comes too late. */
  #generation = 0;

  constructor(options: HostedModuleOptions) {
    this.#options = options;
    this.manifest = options.manifest;
    this.declaration = options.declaration;
    this.name = options.manifest.module_name;
    this.version = options.manifest.module_version;
    this.prefix = options.manifest.api.prefix;
    const slots = options.limits.concurrency * options.limits.instances;
    this.#slots = new Slots(slots, slots * QUEUE_PER_SLOT);
  }

  get state(): ModuleState {
    return this.#state;
  }

  get reasons(): readonly string[] {
    return this.#reasons;
  }

  get instances(): ReadonlySet<Instance> {
    return this.#instances;
  }

  async invoke(request: Omit<EndpointRequest, 'invocation'>, options: InvokeOptions): Promise<ModuleAnswer> {
    if (!this.#slots.tryTake()) await this.#slots.wait(request.deadline, options.signal);
    try {
      return await this.#run(request, options);
    } catch (error) {
      if (!this.#mayRetry(error, request, options)) throw error;
      return await this.#run(request, options);
    } finally {
      this.#lastUsed = Date.now();
      this.#slots.release();
    }
  }

  /** Boots the module if it is not running. @throws PlexiError MODULE_UNAVAILABLE, MODULE_ERROR, MODULE_CRASHED */
  async start(): Promise<void> {
    await this.#settled();
    if (this.#pick() !== undefined) return;
    const now = Date.now();
    if (this.#state === 'crashed' && now < this.#notBefore)
      throw unavailable('recovers from a crash', this.#notBefore - now);
    if (this.#state === 'draining' || this.#state === 'stopped') throw unavailable('is being stopped', 1_000);
    if (this.#state === 'parked') throw unavailable('was parked after too many crashes', 60_000);
    this.#starting ??= this.#boot().finally(() => {
      this.#starting = undefined;
    });
    await this.#starting;
  }

  /** Puts a module that nobody has used for a while to sleep. Call now and then. */
  async sleepIfIdle(now: number): Promise<void> {
    const idle = now - this.#lastUsed > this.#options.limits.idleMs;
    if (this.#state !== 'running' || !idle || this.#slots.taken > 0 || this.#busy() > 0) return;
    await this.#end('sleeping', 0);
  }

  /** Finishes what runs, ends cleanly, and stays down. */
  async stop(drainMs: number): Promise<void> {
    this.#slots.close(unavailable('is being stopped', 1_000));
    await this.#ending;
    if (this.#state === 'running' || this.#state === 'starting') await this.#end('stopped', drainMs);
    else this.#change('stopped', []);
  }

  /** A module that falls asleep, or whose threads are just being ended, is judged when that is over: soon, in any case. */
  async #settled(): Promise<void> {
    if (this.#state === 'draining') await this.#ending;
    if (this.#state === 'running' && this.#pick() === undefined) {
      await Promise.all([...this.#instances].map(({ ended }) => ended));
    }
  }

  #pick(): Instance | undefined {
    if (this.#state !== 'running') return undefined;
    let best: Instance | undefined;
    for (const instance of this.#instances) {
      if (instance.alive && (best === undefined || instance.busy < best.busy)) best = instance;
    }
    return best;
  }

  async #run(request: Omit<EndpointRequest, 'invocation'>, options: InvokeOptions): Promise<ModuleAnswer> {
    let instance = this.#pick();
    if (instance === undefined) {
      await this.#wake(request.deadline);
      // Picked and called in one go: those who waited for the same boot would all find the same instance idle.
      instance = this.#pick();
    }
    if (instance === undefined) throw unavailable('could not be started', 1_000);
    return invokeGuest(instance, request, options, this.#options.onStack);
  }

  async #wake(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(unavailable('is still starting', 1_000)), deadline - Date.now());
    });
    try {
      await Promise.race([this.start(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #boot(): Promise<void> {
    const generation = this.#generation;
    this.#change('starting', []);
    const booting: Instance[] = [];
    try {
      const code = await this.#options.readCode();
      if (generation !== this.#generation) throw unavailable('was stopped while it started', 1_000);
      for (let count = 0; count < this.#options.limits.instances; count++) {
        const instance: Instance = this.#options.spawn(code, (exit) => this.#onExit(instance, exit));
        booting.push(instance);
        this.#instances.add(instance);
      }
      await Promise.all(booting.map((instance) => instance.initialize(this.#options.limits.bootMs)));
    } catch (error) {
      for (const instance of booting) {
        this.#instances.delete(instance);
        instance.terminate('terminated', 'did not boot');
      }
      if (generation === this.#generation && this.#state === 'starting') this.#failBoot(error);
      // The module's own words are for the operator, under `reasons`.
      throw unavailable('could not be started', Math.max(1_000, this.#notBefore - Date.now()), error);
    }
    if (generation !== this.#generation) throw unavailable('was stopped while it started', 1_000);
    this.#lastUsed = Date.now();
    if (this.#state === 'starting') this.#change('running', []);
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
    const ending = [...this.#instances];
    await Promise.all(
      ending.map(async (instance) => {
        await instance.drain(drainMs);
        await instance.stop(SHUTDOWN_MS);
        await instance.ended;
      }),
    );
    this.#change(to, []);
  }

  #onExit(instance: Instance, exit: InstanceExit): void {
    if (!this.#instances.delete(instance)) {
      // A boot that failed was judged by #boot already; only that it took its cell along shows later.
      if (exit.tookCell) this.#crashes = afterCrash(this.#crashes, Date.now(), CELL_CRASH_COST).record;
      return;
    }
    if (exit.expected || this.#state === 'draining' || this.#state === 'stopped' || this.#state === 'parked') return;
    // One that fails while the module boots makes the boot fail: judged there, once.
    if (this.#state === 'starting' && exit.reason !== 'cell') return;
    if (exit.reason === 'cell' && !this.#options.isAlone(instance)) {
      // Boundary: in company the budget stays untouched; the pool decides who is on probation for it.
      if (this.#instances.size === 0) this.#change('crashed', [`its cell died with it (${exit.detail})`]);
      else this.#replaceLater();
      return;
    }
    this.#crash(`${exit.reason}: ${exit.detail}`, instance.cell.alive ? 1 : CELL_CRASH_COST);
  }

  #failBoot(error: unknown): void {
    if (!(error instanceof CellStartError)) {
      this.#crash(`did not boot: ${messageOf(error)}`, 1);
      return;
    }
    // Not the module's fault, so not charged.
    this.#notBefore = Date.now() + NO_ROOM_MS;
    if (this.#state === 'running') this.#replaceLater();
    else this.#change('crashed', [error.message]);
  }

  #crash(reason: string, cost: number): void {
    const verdict = afterCrash(this.#crashes, Date.now(), cost);
    this.#crashes = verdict.record;
    if (verdict.kind === 'park') {
      this.#generation += 1;
      this.#change('parked', [verdict.reason, `last: ${reason}`]);
      for (const instance of this.#instances) instance.terminate('terminated', 'parked');
      return;
    }
    this.#notBefore = verdict.notBefore;
    if ([...this.#instances].some((instance) => instance.alive)) this.#replaceLater();
    else this.#change('crashed', [reason]);
  }

  /** One of several threads is gone: the others go on, and a new one comes when the backoff is over. */
  #replaceLater(): void {
    const generation = this.#generation;
    const isWanted = (): boolean =>
      generation === this.#generation &&
      this.#state === 'running' &&
      this.#instances.size < this.#options.limits.instances;
    setTimeout(
      () => {
        if (!isWanted()) return;
        this.#replace(isWanted).catch((error: unknown) => {
          if (isWanted()) this.#failBoot(error);
        });
      },
      Math.max(0, this.#notBefore - Date.now()),
    ).unref();
  }

  async #replace(isWanted: () => boolean): Promise<void> {
    const code = await this.#options.readCode();
    if (!isWanted()) return;
    const instance: Instance = this.#options.spawn(code, (exit) => this.#onExit(instance, exit));
    try {
      await instance.initialize(this.#options.limits.bootMs);
      if (isWanted()) this.#instances.add(instance);
    } finally {
      if (!this.#instances.has(instance)) instance.terminate('terminated', 'not wanted');
    }
  }

  /** A module that boots with the host comes back by itself; any other on its next use. */
  async #comeBack(): Promise<void> {
    const { comebacks } = this.#options;
    try {
      if (!comebacks.tryTake()) await comebacks.wait(Date.now() + COMEBACK_WAIT_MS);
    } catch {
      // So many wait that this one comes back on its next use.
      return;
    }
    try {
      if (this.#state === 'crashed') await this.start();
    } catch {
      // The reason is in `reasons`, and the crash that it was has set the next time.
    } finally {
      comebacks.release();
    }
  }

  #mayRetry(error: unknown, request: Omit<EndpointRequest, 'invocation'>, { body, signal }: InvokeOptions): boolean {
    return (
      error instanceof InstanceGone &&
      !error.likelyCause &&
      IDEMPOTENT.has(request.method) &&
      body.kind !== 'stream' &&
      signal?.aborted !== true &&
      this.#state !== 'parked' &&
      Date.now() >= this.#notBefore &&
      Date.now() < request.deadline
    );
  }

  #busy(): number {
    let busy = 0;
    for (const instance of this.#instances) busy += instance.busy;
    return busy;
  }

  #change(to: ModuleState, reasons: readonly string[]): void {
    const from = this.#state;
    if (from === to) {
      this.#reasons = reasons;
      return;
    }
    assertTransition(this.name, from, to);
    this.#state = to;
    this.#reasons = reasons;
    clearTimeout(this.#comeback);
    if (to === 'crashed' && this.manifest.auto_load) {
      this.#comeback = setTimeout(() => void this.#comeBack(), Math.max(0, this.#notBefore - Date.now())).unref();
    }
    this.#options.onChange(this, from);
  }
}

function unavailable(what: string, retryAfterMs: number, cause?: unknown): PlexiError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new PlexiError('MODULE_UNAVAILABLE', `The module ${what}.`, {
    headers: { 'retry-after': String(seconds) },
    cause,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
