/**
 * What V8 does not account for at all (ICU, compiled patterns, resizable buffers): only the resident set of the whole
 * process has it. Over what its modules may need together somebody has to go: who did most since the last look is named,
 * which proves little, so the host ends the whole cell when others live in it.
 */
import { allowedMb } from '../bridge/memory-allowance.ts';

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
  #before = new Map<number, number>();
  #over = 0;

  /** @returns the channel of the thread that did most, and what is wrong */
  look(
    residentMb: number,
    threads: ReadonlyMap<number, ResidentThread>,
  ): { readonly thread: number; readonly detail: string } | undefined {
    const allowed = allowedMb([...threads.values()].map(({ memoryMb }) => memoryMb));
    const busiest = this.#busiest(threads);
    // While it is over, all that was done since it began counts: the last moment may be somebody else's.
    if (residentMb <= allowed) this.#before = new Map([...threads].map(([thread, { activeMs }]) => [thread, activeMs]));
    this.#over = residentMb > allowed ? this.#over + 1 : 0;
    const isOver = this.#over >= LOOKS_OVER || residentMb > HARD_FACTOR * allowed;
    if (!isOver || busiest === undefined) return undefined;
    this.#over = 0;
    return { thread: busiest, detail: `the cell has ${Math.round(residentMb)} MB, allowed are ${Math.round(allowed)}` };
  }

  #busiest(threads: ReadonlyMap<number, ResidentThread>): number | undefined {
    let busiest: number | undefined;
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
