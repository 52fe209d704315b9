/** How often each module may do something: so many in a window of time, and as many at once after a pause. */

interface Bucket {
  left: number;
  at: number;
}

export class ModuleRate {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  /** One for each module that ever asked: as many as the operator installed. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param now milliseconds of a clock that is never set */
  constructor(limit: number, windowMs: number, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#now = now;
  }

  /** True: it is counted, and allowed. */
  admit(module: string): boolean {
    const now = this.#now();
    const bucket = this.#buckets.get(module) ?? { left: this.#limit, at: now };
    this.#buckets.set(module, bucket);
    bucket.left = Math.min(this.#limit, bucket.left + ((now - bucket.at) / this.#windowMs) * this.#limit);
    bucket.at = now;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
}
