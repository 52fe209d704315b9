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
  /** Where it stands in the list; -1 when it does not. Kept by WaitingCallers. */
  place: number;
}

const LOOK_MS = 20;

export class WaitingCallers {
  /** A list whose gaps are filled by the last; a Set would leave its old tables to the next full collection. */
  readonly #waiting: Waiting[] = [];
  #clock: NodeJS.Timeout | undefined;

  get size(): number {
    return this.#waiting.length;
  }

  /** When the time of the last of them is over; epoch milliseconds, 0 when nobody waits. */
  get until(): number {
    let until = 0;
    for (const { deadline } of this.#waiting) until = Math.max(until, deadline);
    return until;
  }

  add(waiting: Waiting): void {
    waiting.place = this.#waiting.length;
    this.#waiting.push(waiting);
    this.#clock ??= setInterval(() => this.#look(), LOOK_MS);
    if (waiting.signal?.aborted) this.#end(waiting, 'gone');
  }

  delete(waiting: Waiting): void {
    const last = this.#waiting.at(-1);
    if (waiting.place === -1 || last === undefined) return;
    this.#waiting.pop();
    if (last !== waiting) {
      this.#waiting[waiting.place] = last;
      last.place = waiting.place;
    }
    waiting.place = -1;
  }

  #look(): void {
    if (this.#waiting.length === 0) {
      clearInterval(this.#clock);
      this.#clock = undefined;
      return;
    }
    const now = Date.now();
    for (const waiting of [...this.#waiting]) {
      if (waiting.signal?.aborted) this.#end(waiting, 'gone');
      else if (now >= waiting.deadline) this.#end(waiting, 'deadline');
    }
  }

  #end(waiting: Waiting, reason: 'deadline' | 'gone'): void {
    if (waiting.place === -1) return;
    this.delete(waiting);
    waiting.giveUp(reason);
  }
}
