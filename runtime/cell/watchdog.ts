/**
 * Watches the threads that do something. V8 answers heap statistics by an interrupt, even in an endless loop, so a
 * thread that stays silent is stuck in native code (a huge sort), where only ending it helps; and the answer has what
 * V8's own limit does not count: ArrayBuffers. What V8 does not know of at all shows in the process (resident.ts).
 */
import type { CellInstance } from './instance.ts';
import { Resident, type ResidentThread } from './resident.ts';
import { Spin } from './spin.ts';

const POLL_MS = 100;
/** The resident set is read once in so many polls. */
const RESIDENT_POLLS = 5;
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
  readonly spin: Spin;
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

export interface WatchOptions {
  readonly instances: ReadonlyMap<number, CellInstance>;
  /** A thread has not come to rest for seconds; said again every second. */
  readonly onSpinning: (channel: number, detail: string) => void;
}

export function watch({ instances, onSpinning }: WatchOptions): Watchdog {
  const resident = new Resident();
  const watched = new WeakMap<CellInstance, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let lastLook = 0;
  let polls = 0;

  const look = (): void => {
    const now = performance.now();
    // When this process did not get the processor, its threads did not either: that is no silence of theirs.
    const late = Math.max(0, now - lastLook - 2 * POLL_MS);
    lastLook = now;
    const threads = new Map<CellInstance, ResidentThread>();
    let isEnding = false;
    for (const [channel, instance] of instances) {
      let state = watched.get(instance);
      if (state === undefined) {
        state = { spin: new Spin(), asked: undefined, active: 0, idlePolls: 0, over: 0 };
        watched.set(instance, state);
      }
      if (state.asked !== undefined) state.asked += late;
      const { active } = instance.worker.performance.eventLoopUtilization();
      const seconds = state.spin.look(active, now);
      if (seconds !== undefined) onSpinning(channel, `has not come to rest for ${seconds} seconds`);
      lookAt(instance, state, active, now);
      threads.set(instance, { memoryMb: instance.memoryMb, activeMs: active });
      isEnding ||= instance.ending;
    }
    polls += 1;
    // Whoever is on its way out takes its memory along, and the host sees to it that it goes.
    if (isEnding || polls % RESIDENT_POLLS !== 0) return;
    const verdict = resident.look(process.memoryUsage.rss() / MB, threads);
    verdict?.thread.terminate('memory', verdict.detail);
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

function lookAt(instance: CellInstance, state: Watched, active: number, now: number): void {
  if (state.asked !== undefined) {
    if (now - state.asked > SILENCE_MS) instance.terminate('stuck', `silent for ${Math.round(now - state.asked)} ms`);
    return;
  }
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
