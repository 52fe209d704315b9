/**
 * The clock of a cell: looks at every thread that does something, tells the host what they use, and at the resident
 * set, which has what V8 does not know of at all (resident.ts).
 */
import type { ThreadReading } from '../bridge/control.ts';
import type { CellInstance } from './instance.ts';
import { Resident, type ResidentThread } from './resident.ts';
import { Spin } from './spin.ts';
import { ThreadWatch } from './thread-watch.ts';

const POLL_MS = 100;
const COLLECT_MS = 10;
/** The resident set is read once in so many polls. */
const RESIDENT_POLLS = 5;
const MB = 1024 * 1024;

interface Watched {
  readonly spin: Spin;
  readonly thread: ThreadWatch;
}

export interface Watchdog {
  /** Call when instances come or go: the clock runs only while there are any. */
  update(): void;
}

export interface WatchOptions {
  readonly instances: ReadonlyMap<number, CellInstance>;
  /** A thread has not come to rest for seconds; said again every second. */
  readonly onSpinning: (channel: number, detail: string) => void;
  /** The process has more memory than its threads account for; said again until that ends. */
  readonly onBloated: (channel: number, detail: string) => void;
  /** Of the threads that did something since the last poll. */
  readonly onReadings: (readings: ThreadReading[]) => void;
}

export function watch({ instances, onSpinning, onBloated, onReadings }: WatchOptions): Watchdog {
  const resident = new Resident();
  const watched = new WeakMap<CellInstance, Watched>();
  let timer: NodeJS.Timeout | undefined;
  const readings: ThreadReading[] = [];
  let lastLook = 0;
  let polls = 0;

  /** Most threads answer within a moment of each other. */
  const tell = (reading: ThreadReading): void => {
    readings.push(reading);
    if (readings.length === 1) setTimeout(() => onReadings(readings.splice(0)), COLLECT_MS);
  };

  const look = (): void => {
    const now = performance.now();
    // When this process did not get the processor, its threads did not either.
    const late = Math.max(0, now - lastLook - 2 * POLL_MS);
    lastLook = now;
    const threads = new Map<number, ResidentThread>();
    let isEnding = false;
    for (const [channel, instance] of instances) {
      let state = watched.get(instance);
      if (state === undefined) {
        state = { spin: new Spin(), thread: new ThreadWatch(channel, instance, tell) };
        watched.set(instance, state);
      }
      const activeMs = state.thread.look(now, late);
      const seconds = state.spin.look(activeMs, now);
      if (seconds !== undefined) onSpinning(channel, `has not come to rest for ${seconds} seconds`);
      threads.set(channel, { memoryMb: instance.memoryMb, activeMs });
      isEnding ||= instance.ending;
    }
    polls += 1;
    // Whoever is on its way out takes its memory along, and the host sees to it that it goes.
    if (isEnding || polls % RESIDENT_POLLS !== 0) return;
    const verdict = resident.look(process.memoryUsage.rss() / MB, threads);
    if (verdict !== undefined) onBloated(verdict.thread, verdict.detail);
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
