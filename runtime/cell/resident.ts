/**
 * What V8 does not account for at all (ICU, compiled patterns, resizable buffers): only the resident set of the whole
 * process has it. Over what its modules may need together, whoever did most since the last look has to go.
 */

/** A cell that relays at full speed, with no module and nothing waiting too long. */
const BASE_MB = 256;
/** V8's own share of a thread and what a collector has not returned yet. */
const FACTOR = 1.5;
const THREAD_MB = 24;
/** Garbage counts as well until it is collected, so so many looks in a row have to be over. */
const LOOKS_OVER = 3;
/** But nobody has garbage of this many times what is allowed. */
const HARD_FACTOR = 2;

export interface ResidentThread {
  readonly memoryMb: number;
  /** For how long its event loop has been active since its start. */
  readonly activeMs: number;
}

export class Resident {
  /** Activity up to the last look that was not over. */
  readonly #before = new WeakMap<object, number>();
  #over = 0;

  /** @returns the key of the thread that has to go, and why */
  look<Key extends object>(
    residentMb: number,
    threads: ReadonlyMap<Key, ResidentThread>,
  ): { readonly thread: Key; readonly detail: string } | undefined {
    let allowed = BASE_MB;
    for (const { memoryMb } of threads.values()) allowed += memoryMb * FACTOR + THREAD_MB;
    const busiest = this.#busiest(threads);
    // While it is over, all that was done since it began counts: the last moment may be somebody else's.
    if (residentMb <= allowed) for (const [thread, { activeMs }] of threads) this.#before.set(thread, activeMs);
    this.#over = residentMb > allowed ? this.#over + 1 : 0;
    const isOver = this.#over >= LOOKS_OVER || residentMb > HARD_FACTOR * allowed;
    if (!isOver || busiest === undefined) return undefined;
    this.#over = 0;
    return { thread: busiest, detail: `the cell has ${Math.round(residentMb)} MB, allowed are ${Math.round(allowed)}` };
  }

  #busiest<Key extends object>(threads: ReadonlyMap<Key, ResidentThread>): Key | undefined {
    let busiest: Key | undefined;
    let most = -1;
    for (const [thread, { activeMs }] of threads) {
      const done = activeMs - (this.#before.get(thread) ?? 0);
      if (done <= most) continue;
      most = done;
      busiest = thread;
    }
    return busiest;
  }
}
