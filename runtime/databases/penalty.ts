/** How long a module has to do without its database after its statements had to be killed again and again. */

/** So many within the window cost nothing: everybody forgets an index once. */
const FREE = 2;
const WINDOW_MS = 10 * 60_000;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

export class Penalty {
  readonly #now: () => number;
  #kills: number[] = [];
  #notBefore = 0;

  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  get waitMs(): number {
    return Math.max(0, this.#notBefore - this.#now());
  }

  /** Within the window. */
  get kills(): number {
    return this.#kills.length;
  }

  kill(): void {
    const now = this.#now();
    this.#kills = [...this.#kills.filter((at) => now - at < WINDOW_MS), now];
    const beyond = this.#kills.length - FREE;
    if (beyond > 0) this.#notBefore = now + Math.min(LONGEST_MS, FIRST_MS * 2 ** (beyond - 1));
  }
}
