/**
 * The threads of libuv are few, and a mount that hangs keeps one in its call for as long as it hangs. So file calls have
 * a few of them at most, one per module, and whoever waits is told at its deadline. What stays behind is that thread and
 * the call in it; with it the module's lane, until the mount answers.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

interface Lane {
  readonly waiting: { readonly run: () => Promise<void>; readonly weight: number }[];
  /** A call of it is under way, or it rests. */
  isBusy: boolean;
  tokens: number;
  refilled: number;
}

export interface LaneCall<T> {
  readonly run: () => Promise<T>;
  /** Until the caller is told that it took too long; absent: nobody waits for it. */
  readonly waitMs?: number;
  /** For what came too late: a handle has to be closed. */
  readonly undo?: (late: T) => Promise<unknown>;
  /** What it costs the host, in calls. */
  readonly weight?: number;
}

/** Of libuv's four; DNS, the queue and the host's own files have the others. */
const SLOTS = 2;
/** Of one module, per second and in a burst: each costs the host's own thread some 20 microseconds. */
const CALLS_PER_SECOND = 10_000;
const BURST = 5_000;

export class FileLanes {
  readonly #lanes = new Map<string, Lane>();
  /** Those with something to do, whose turn came longest ago first. */
  readonly #ready = new Set<Lane>();
  #running = 0;

  /** @throws PlexiError FILES_UNAVAILABLE when it takes too long; whatever the call throws */
  run<T>(module: string, { run, waitMs, undo, weight = 1 }: LaneCall<T>): Promise<T> {
    const lane = this.#laneOf(module);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let isLate = false;
    const giveUp = (): void => {
      isLate = true;
      reject(new PlexiError('FILES_UNAVAILABLE', 'The disk did not answer in time.'));
    };
    const timer = waitMs === undefined ? undefined : setTimeout(giveUp, waitMs).unref();
    const start = async (): Promise<void> => {
      if (isLate) return;
      try {
        const value = await run();
        if (isLate) await undo?.(value);
        else resolve(value);
      } catch (error) {
        reject(error);
      } finally {
        clearTimeout(timer);
      }
    };
    lane.waiting.push({ run: start, weight });
    this.#wake(lane);
    return promise;
  }

  #next(): void {
    for (const lane of this.#ready) {
      if (this.#running >= SLOTS) return;
      this.#ready.delete(lane);
      lane.isBusy = true;
      const pause = this.#pauseOf(lane);
      if (pause > 0) setTimeout(() => this.#free(lane), pause).unref();
      else this.#start(lane);
    }
  }

  #start(lane: Lane): void {
    const job = lane.waiting.shift();
    if (job === undefined) {
      this.#free(lane);
      return;
    }
    lane.tokens -= job.weight;
    this.#running += 1;
    void job.run().finally(() => {
      this.#running -= 1;
      this.#free(lane);
    });
  }

  #free(lane: Lane): void {
    lane.isBusy = false;
    this.#wake(lane);
  }

  #wake(lane: Lane): void {
    if (lane.waiting.length > 0 && !lane.isBusy) this.#ready.add(lane);
    this.#next();
  }

  /** Milliseconds until the lane may go on. */
  #pauseOf(lane: Lane): number {
    const now = performance.now();
    lane.tokens = Math.min(BURST, lane.tokens + ((now - lane.refilled) * CALLS_PER_SECOND) / 1000);
    lane.refilled = now;
    return lane.tokens > 0 ? 0 : Math.ceil((1 - lane.tokens) / (CALLS_PER_SECOND / 1000));
  }

  #laneOf(module: string): Lane {
    let lane = this.#lanes.get(module);
    if (lane === undefined) {
      lane = { waiting: [], isBusy: false, tokens: BURST, refilled: performance.now() };
      this.#lanes.set(module, lane);
    }
    return lane;
  }
}
