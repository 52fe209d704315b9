/** The running threads of one module: booted and ended together, replaced one by one. Knows nothing of its states. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Instance, InstanceExit, InstanceUsage } from '../cells/instance.ts';
import type { LimitBreach } from '../cells/soft-limits.ts';
import { unavailable } from './unavailable.ts';

export interface InstanceEvents {
  readonly onExit: (exit: InstanceExit) => void;
  readonly onSoftLimit: (breach: LimitBreach) => void;
}

export interface InstancesOptions {
  readonly readCode: () => Promise<Uint8Array>;
  /** Starts a thread; the instance still has to be initialised. */
  readonly spawn: (code: Uint8Array, events: InstanceEvents) => Instance;
  readonly bootMs: number;
  /** One of these threads is gone; `isStray`: one that had not booted, or that was given up before. */
  readonly onExit: (instance: Instance, exit: InstanceExit, isStray: boolean) => void;
  readonly onSoftLimit: (instance: Instance, breach: LimitBreach) => void;
}

const SHUTDOWN_MS = 5_000;
const COUNTED = ['cpuMs', 'calls', 'bytes', 'lines'] as const;
/** For requests and streams that still run in a thread that is replaced; its tasks have until their deadline. */
const RETIRE_MS = 300_000;
/** The longest that an operator lets a task tidy up. */
const TASK_GRACE_MS = 300_000;

export class Instances {
  readonly #options: InstancesOptions;
  readonly #all = new Set<Instance>();
  readonly #waiting: (() => void)[] = [];
  readonly #past = { cpuMs: 0, heapBytes: 0, externalBytes: 0, delayMs: 0, calls: 0, bytes: 0, lines: 0 };
  /** How each ended: a thread may have booted and be gone before whoever booted it goes on. */
  readonly #exits = new WeakMap<Instance, InstanceExit>();

  constructor(options: InstancesOptions) {
    this.#options = options;
  }

  get all(): ReadonlySet<Instance> {
    return this.#all;
  }

  /** Invocations and streamed bodies that are not over. */
  get busy(): number {
    let busy = 0;
    for (const instance of this.#all) busy += instance.busy;
    return busy;
  }

  /** Those that take new work. */
  get serving(): number {
    let serving = 0;
    for (const instance of this.#all) if (instance.serving) serving += 1;
    return serving;
  }

  /** Of all threads; what is counted includes those that have ended. */
  get usage(): InstanceUsage {
    const sum = { ...this.#past };
    for (const { usage } of this.#all) {
      for (const what of COUNTED) sum[what] += usage[what];
      for (const what of ['heapBytes', 'externalBytes'] as const) sum[what] += usage[what];
      sum.delayMs = Math.max(sum.delayMs, usage.delayMs);
    }
    return sum;
  }

  /** The one with the least to do. */
  pick(): Instance | undefined {
    let best: Instance | undefined;
    for (const instance of this.#all) {
      if (instance.serving && (best === undefined || instance.busy < best.busy)) best = instance;
    }
    return best;
  }

  /**
   * @returns how those ended that died while the others still booted; these go on
   * @throws what kept one of them from booting, or ended them all: none is left then
   */
  async boot(count: number, isWanted: () => boolean): Promise<readonly InstanceExit[]> {
    const booting: Instance[] = [];
    try {
      const code = await this.#options.readCode();
      if (!isWanted()) throw unavailable('was stopped while it started', 1_000);
      for (let started = 0; started < count; started++) {
        const instance = this.#spawn(code);
        booting.push(instance);
        this.#all.add(instance);
      }
      await Promise.all(booting.map((instance) => instance.initialize(this.#options.bootMs)));
      const exits = booting.map((instance) => this.#exits.get(instance)).filter((exit) => exit !== undefined);
      if (exits.length === count) throw endedAtOnce(exits[0]);
      return exits;
    } catch (error) {
      for (const instance of booting) {
        this.#all.delete(instance);
        instance.terminate('terminated', 'did not boot');
      }
      throw error;
    }
  }

  /** Adds one, if it is still wanted when it has booted. @throws what kept it from booting */
  async add(isWanted: () => boolean): Promise<void> {
    try {
      const code = await this.#options.readCode();
      if (isWanted()) await this.#addBooted(this.#spawn(code), isWanted);
    } finally {
      this.#changed();
    }
  }

  /** Lets what runs finish, then the module's `shutdown`, then ends the threads. */
  async drain(drainMs: number): Promise<void> {
    await Promise.all(
      [...this.#all].map(async (instance) => {
        await instance.drain(drainMs);
        await instance.stop(SHUTDOWN_MS);
        await instance.ended;
      }),
    );
  }

  /**
   * Boots another thread in the place of one; only then the old one gets no new work, finishes what runs in it, and ends.
   * @throws what kept the new one from booting; the old one goes on then
   */
  async replace(instance: Instance, isWanted: () => boolean, isBlocked: boolean): Promise<void> {
    // Who comes meanwhile waits for the new one, if the old one could not even begin with it.
    if (isBlocked) instance.retire();
    try {
      await this.add(isWanted);
    } catch (error) {
      instance.recall();
      throw error;
    }
    if (!isWanted() || !instance.alive) return;
    instance.retire();
    const tasksLeftMs = instance.tasksUntil - Date.now() + TASK_GRACE_MS;
    void instance.drain(Math.max(RETIRE_MS, tasksLeftMs)).then(() => instance.stop(SHUTDOWN_MS));
  }

  /** The next time that a thread was added, or has ended. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  terminate(detail: string): void {
    for (const instance of this.#all) instance.terminate('terminated', detail);
  }

  async #addBooted(instance: Instance, isWanted: () => boolean): Promise<void> {
    try {
      await instance.initialize(this.#options.bootMs);
      // Its end may have been handled by now, and nobody would hear of it again.
      if (!instance.alive) throw endedAtOnce(this.#exits.get(instance));
      if (isWanted()) this.#all.add(instance);
    } finally {
      if (!this.#all.has(instance)) instance.terminate('terminated', 'not wanted');
    }
  }

  #spawn(code: Uint8Array): Instance {
    const instance: Instance = this.#options.spawn(code, {
      onExit: (exit) => {
        this.#exits.set(instance, exit);
        for (const what of COUNTED) this.#past[what] += instance.usage[what];
        this.#options.onExit(instance, exit, !this.#all.delete(instance));
        this.#changed();
      },
      onSoftLimit: (breach) => {
        if (this.#all.has(instance)) this.#options.onSoftLimit(instance, breach);
      },
    });
    return instance;
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function endedAtOnce(exit: InstanceExit | undefined): PlexiError {
  const how = exit === undefined ? '' : ` (${exit.reason}: ${exit.detail})`;
  return new PlexiError('MODULE_CRASHED', `It ended as soon as it had booted${how}.`);
}
