/**
 * Processor time that a thread uses while nobody waits for it. Some is fair (timers, caches, what is left to do after an
 * answer); what works on for nobody takes it from those who are waited for. Pure: readings and the clock come in.
 */

/** Of one processor, on the average. */
export const IDLE_SHARE = 0.25;
/** And so much at a stretch, in milliseconds of processor time. */
export const IDLE_BURST_MS = 5_000;

export class IdleWork {
  #cpuMs = 0;
  #at: number | undefined;
  /** Used above the share and not yet made up for by rest. */
  #owedMs = 0;

  /**
   * @param cpuMs of the thread since its start
   * @param isInUse somebody waits for it, or did since the last reading: that time is theirs
   * @returns what is wrong
   */
  read(cpuMs: number, now: number, isInUse: boolean): string | undefined {
    const used = isInUse ? 0 : cpuMs - this.#cpuMs;
    const rested = IDLE_SHARE * (now - (this.#at ?? now));
    this.#cpuMs = cpuMs;
    this.#at = now;
    this.#owedMs = Math.max(0, this.#owedMs + used - rested);
    if (this.#owedMs <= IDLE_BURST_MS) return undefined;
    return `worked for nobody: ${Math.round(this.#owedMs)} ms of processor time above a quarter of one processor`;
  }
}
