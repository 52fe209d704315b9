/**
 * Who waits for an answer of one instance, until when. One slow clock looks at all of them: a timer and a listener per
 * request would cost more than the rest of the call, and nobody can tell a deadline from one 20 ms later.
 */
export interface Waiting {
  /** Epoch milliseconds. */
  readonly deadline: number;
  /** Fires when the caller goes away. */
  readonly signal: AbortSignal | undefined;
  /** Called once, when either comes before the answer. */
  readonly giveUp: (reason: 'deadline' | 'gone') => void;
}

const LOOK_MS = 20;

export class WaitingCallers {
  readonly #waiting = new Set<Waiting>();
  #clock: NodeJS.Timeout | undefined;

  get size(): number {
    return this.#waiting.size;
  }

  add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.#clock ??= setInterval(() => this.#look(), LOOK_MS);
    if (waiting.signal?.aborted) this.#end(waiting, 'gone');
  }

  delete(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  #look(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#clock);
      this.#clock = undefined;
      return;
    }
    const now = Date.now();
    for (const waiting of this.#waiting) {
      if (waiting.signal?.aborted) this.#end(waiting, 'gone');
      else if (now >= waiting.deadline) this.#end(waiting, 'deadline');
    }
  }

  #end(waiting: Waiting, reason: 'deadline' | 'gone'): void {
    if (this.#waiting.delete(waiting)) waiting.giveUp(reason);
  }
}
