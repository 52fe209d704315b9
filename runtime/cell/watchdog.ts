/**
 * Watches the threads that do something. V8 answers heap statistics by an interrupt, even in an endless loop, so a
 * thread that stays silent is stuck in native code (a huge sort), where only ending it helps; and the answer has what
 * V8's own limit does not count: ArrayBuffers.
 */
import type { CellInstance } from './instance.ts';

const POLL_MS = 100;
/** A thread that slept since the last look needs no look more often than this. */
const IDLE_POLLS = 20;
const SILENCE_MS = 1_000;
/** The young generation, and what a heap grows over its limit while it is collected. */
const HEAP_SLACK_MB = 32;
/** Buffers that wait for the garbage collector count as well, so one look over the limit proves nothing: this many do. */
const LOOKS_OVER = 5;
/** But nobody has garbage of this many times the limit. */
const HARD_FACTOR = 4;
const MB = 1024 * 1024;

interface Watched {
  asked: number | undefined;
  active: number;
  idlePolls: number;
  /** Looks in a row that found more external memory than allowed. */
  over: number;
}

export interface Watchdog {
  /** Call when instances come or go: the clock runs only while there are any. */
  update(): void;
}

export function watch(instances: ReadonlyMap<number, CellInstance>): Watchdog {
  const watched = new WeakMap<CellInstance, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let lastLook = 0;

  const look = (): void => {
    const now = performance.now();
    // When this process did not get the processor, its threads did not either: that is no silence of theirs.
    const late = Math.max(0, now - lastLook - 2 * POLL_MS);
    lastLook = now;
    for (const instance of instances.values()) {
      let state = watched.get(instance);
      if (state === undefined) {
        state = { asked: undefined, active: 0, idlePolls: 0, over: 0 };
        watched.set(instance, state);
      }
      if (state.asked !== undefined) state.asked += late;
      lookAt(instance, state, now);
    }
  };

  return {
    update() {
      if (instances.size > 0) {
        if (timer === undefined) lastLook = performance.now();
        timer ??= setInterval(look, POLL_MS);
      } else {
        clearInterval(timer);
        timer = undefined;
      }
    },
  };
}

function lookAt(instance: CellInstance, state: Watched, now: number): void {
  if (state.asked !== undefined) {
    if (now - state.asked > SILENCE_MS) instance.terminate('stuck', `silent for ${Math.round(now - state.asked)} ms`);
    return;
  }
  const { active } = instance.worker.performance.eventLoopUtilization();
  const slept = active === state.active && active > 0;
  state.active = active;
  state.idlePolls = slept ? state.idlePolls + 1 : 0;
  if (slept && state.idlePolls % IDLE_POLLS !== 0) return;
  state.asked = now;
  instance.worker.getHeapStatistics().then(
    (heap) => {
      state.asked = undefined;
      const external = heap.external_memory / MB;
      state.over = external > instance.memoryMb ? state.over + 1 : 0;
      if (state.over > LOOKS_OVER || external > HARD_FACTOR * instance.memoryMb) {
        instance.terminate('external', `${Math.round(external)} MB of ${instance.memoryMb} MB`);
      }
      // V8 looks at its own limit when it collects; one huge array is past it long before that.
      const used = heap.used_heap_size / MB;
      if (used > instance.memoryMb + HEAP_SLACK_MB) {
        instance.terminate('heap', `${Math.round(used)} MB of ${instance.memoryMb} MB`);
      }
    },
    () => {
      // The thread has ended; its exit event says how.
      state.asked = undefined;
    },
  );
}
