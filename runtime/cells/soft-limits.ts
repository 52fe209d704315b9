/**
 * When an instance is better replaced while that still costs nobody an answer. Pure: readings and the clock come in.
 * The hard limits are the cell's (thread-watch.ts, resident.ts) and the quota's.
 */
import type { ThreadReading } from '../bridge/control.ts';

export interface LimitBreach {
  readonly limit: 'heap' | 'external' | 'delay' | 'calls' | 'bytes' | 'lines';
  readonly kind: 'soft' | 'hard';
  /** What was found, and what is allowed. */
  readonly detail: string;
}

/** Of the memory that the module may have. */
export const SOFT_MEMORY = 0.9;
/** Garbage counts until it is collected: only who stays above for so long without a break is full of what lives. */
export const SOFT_MEMORY_MS = 10_000;
/** An event loop that does not turn for so long serves nobody else; a second thread can. */
export const SOFT_DELAY_MS = 5_000;
/** And nobody gets away with this. */
export const HARD_DELAY_MS = 300_000;
/** What is over a soft limit as soon as it has booted would be so again and again. */
export const YOUNG_MS = 30_000;
const MB = 1024 * 1024;

export class SoftLimits {
  readonly #memoryMb: number;
  readonly #bornAt: number;
  readonly #over: Record<'heap' | 'external', number | undefined> = { heap: undefined, external: undefined };

  constructor(memoryMb: number, now: number) {
    this.#memoryMb = memoryMb;
    this.#bornAt = now;
  }

  look({ heapBytes, externalBytes, delayMs }: ThreadReading, now: number): LimitBreach | undefined {
    const heap = this.#memory('heap', heapBytes, now);
    const external = this.#memory('external', externalBytes, now);
    if (delayMs > SOFT_DELAY_MS) {
      const kind = delayMs > HARD_DELAY_MS ? 'hard' : 'soft';
      return { limit: 'delay', kind, detail: `its event loop has not turned for ${Math.round(delayMs / 1000)} s` };
    }
    return heap ?? external;
  }

  #memory(limit: 'heap' | 'external', bytes: number, now: number): LimitBreach | undefined {
    const used = bytes / MB;
    this.#over[limit] = used > SOFT_MEMORY * this.#memoryMb ? (this.#over[limit] ?? now) : undefined;
    const since = this.#over[limit] ?? now;
    if (now - since < SOFT_MEMORY_MS || now - this.#bornAt < YOUNG_MS) return undefined;
    const seconds = Math.round((now - since) / 1000);
    return { limit, kind: 'soft', detail: `${Math.round(used)} MB of ${this.#memoryMb} MB for ${seconds} s` };
  }
}
