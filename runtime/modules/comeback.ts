/** A module that boots with the host comes back by itself after a crash; any other on its next use. */
import type { Slots } from './slots.ts';

/** For a place among the modules that come back by themselves. */
const WAIT_MS = 10 * 60_000;

export class Comeback {
  readonly #turns: Slots;
  readonly #start: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param turns when a cell has died, its modules do not come back all at once
   * @param start does nothing when the module is back already
   */
  constructor(turns: Slots, start: () => Promise<void>) {
    this.#turns = turns;
    this.#start = start;
  }

  /** @param at epoch milliseconds */
  schedule(at: number): void {
    this.#timer = setTimeout(() => void this.#comeBack(), Math.max(0, at - Date.now())).unref();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  async #comeBack(): Promise<void> {
    try {
      if (!this.#turns.tryTake()) await this.#turns.wait(Date.now() + WAIT_MS);
    } catch {
      // So many wait that this one comes back on its next use.
      return;
    }
    try {
      await this.#start();
    } catch {
      // The reason is in `reasons`, and the crash that it was has set the next time.
    } finally {
      this.#turns.release();
    }
  }
}
