/** Counts per second, and for how many seconds in a row there was more than is allowed. The clock is an argument. */
export class RateMeter {
  readonly #limit: number;
  readonly #now: () => number;
  #second = 0;
  #count = 0;
  #secondsOver = 0;
  #total = 0;

  /** @param now milliseconds, from whenever */
  constructor(limitPerSecond: number, now: () => number) {
    this.#limit = limitPerSecond;
    this.#now = now;
  }

  add(amount = 1): void {
    this.#roll();
    this.#count += amount;
    this.#total += amount;
  }

  /** In the second that runs. */
  get count(): number {
    this.#roll();
    return this.#count;
  }

  /** Whole seconds in a row, up to the last, with more than the limit. */
  get secondsOver(): number {
    this.#roll();
    return this.#secondsOver;
  }

  /** Since the beginning. */
  get total(): number {
    return this.#total;
  }

  #roll(): void {
    const second = Math.floor(this.#now() / 1000);
    if (second === this.#second) return;
    const wasOver = this.#count > this.#limit && second === this.#second + 1;
    this.#secondsOver = wasOver ? this.#secondsOver + 1 : 0;
    this.#second = second;
    this.#count = 0;
  }
}
