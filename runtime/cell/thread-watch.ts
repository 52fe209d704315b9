/**
 * What one thread uses, and when it is too much of what V8 does not stop by itself. V8 answers statistics by an
 * interrupt, even in an endless loop, so a thread that stays silent is stuck in native code (a huge sort), where only
 * ending it helps; and the answer has what V8's own limit does not count: ArrayBuffers.
 */
import type { ThreadReading } from '../bridge/control.ts';
import type { CellInstance } from './instance.ts';

/** A thread that slept since the last look needs no look more often than this. */
const IDLE_LOOKS = 20;
const SILENCE_MS = 1_000;
/** The young generation, and what a heap grows over its limit while it is collected. */
const HEAP_SLACK_MB = 32;
/** Buffers that wait for the garbage collector count as well, so one look over the limit proves nothing: this many do. */
const LOOKS_OVER = 5;
/** But nobody has garbage of this many times the limit. */
const HARD_FACTOR = 4;
/** Of the time between two looks that the loop was active, above which its delay is worth a question. */
const BUSY_SHARE = 0.5;
const MB = 1024 * 1024;

export class ThreadWatch {
  readonly #channel: number;
  readonly #instance: CellInstance;
  readonly #onReading: (reading: ThreadReading) => void;
  #asked: number | undefined;
  #pinged: number | undefined;
  #lastLook = 0;
  #active = 0;
  #idleLooks = 0;
  /** Looks in a row that found more external memory than allowed. */
  #over = 0;
  #cpuMs = 0;
  #heapBytes = 0;
  #externalBytes = 0;
  #delayMs = 0;

  /** @param onReading what the thread has used is known anew */
  constructor(channel: number, instance: CellInstance, onReading: (reading: ThreadReading) => void) {
    this.#channel = channel;
    this.#instance = instance;
    this.#onReading = onReading;
    instance.onPong = () => {
      if (this.#pinged === undefined) return;
      this.#delayMs = performance.now() - this.#pinged;
      this.#pinged = undefined;
    };
  }

  /**
   * @param late milliseconds for which this process did not get the processor: that is no silence of the thread's
   * @returns for how long its event loop has been active since its start, in milliseconds
   */
  look(now: number, late: number): number {
    const { active } = this.#instance.worker.performance.eventLoopUtilization();
    const elapsed = now - this.#lastLook;
    const worked = active - this.#active;
    this.#lastLook = now;
    this.#active = active;
    if (this.#asked !== undefined) this.#asked += late;
    if (this.#pinged !== undefined) this.#pinged += late;
    this.#lookAtDelay(now, worked > BUSY_SHARE * elapsed);
    this.#lookAtMemory(now, worked === 0 && active > 0);
    return active;
  }

  /** A thread with time to spare is not asked: the question alone would keep it awake. */
  #lookAtDelay(now: number, isBusy: boolean): void {
    if (this.#pinged !== undefined) {
      this.#delayMs = now - this.#pinged;
    } else if (isBusy) {
      this.#pinged = now;
      this.#instance.ping();
    } else {
      this.#delayMs = 0;
    }
  }

  #lookAtMemory(now: number, slept: boolean): void {
    if (this.#asked !== undefined) {
      const silentMs = now - this.#asked;
      if (silentMs > SILENCE_MS) this.#instance.terminate('stuck', `silent for ${Math.round(silentMs)} ms`);
      return;
    }
    this.#idleLooks = slept ? this.#idleLooks + 1 : 0;
    if (slept && this.#idleLooks % IDLE_LOOKS !== 0) return;
    this.#asked = now;
    const { worker } = this.#instance;
    Promise.all([worker.getHeapStatistics(), worker.cpuUsage()]).then(
      ([heap, cpu]) => {
        this.#asked = undefined;
        this.#cpuMs = (cpu.user + cpu.system) / 1000;
        this.#heapBytes = heap.used_heap_size;
        this.#externalBytes = heap.external_memory;
        this.#tell();
        this.#judgeMemory();
      },
      () => {
        // The thread has ended; its exit event says how.
        this.#asked = undefined;
      },
    );
  }

  #tell(): void {
    if (this.#instance.ending) return;
    this.#onReading({
      channel: this.#channel,
      cpuMs: this.#cpuMs,
      heapBytes: this.#heapBytes,
      externalBytes: this.#externalBytes,
      delayMs: Math.max(0, this.#delayMs),
    });
  }

  #judgeMemory(): void {
    const { memoryMb } = this.#instance;
    const external = this.#externalBytes / MB;
    this.#over = external > memoryMb ? this.#over + 1 : 0;
    if (this.#over > LOOKS_OVER || external > HARD_FACTOR * memoryMb) {
      this.#instance.terminate('external', `${Math.round(external)} MB of ${memoryMb} MB`);
    }
    // V8 looks at its own limit when it collects; one huge array is past it long before that.
    const used = this.#heapBytes / MB;
    if (used > memoryMb + HEAP_SLACK_MB) {
      this.#instance.terminate('heap', `${Math.round(used)} MB of ${memoryMb} MB`);
    }
  }
}
