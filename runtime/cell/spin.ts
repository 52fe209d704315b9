/** Tells when a thread has not come to rest for seconds. The cell cannot know for whom it works; the host does. */

const BUCKET_MS = 1_000;
/** Of a bucket, above which the thread did not rest in it. */
const RESTLESS = 0.95;
/** Restless buckets in a row that are worth a word; then each further one is. */
const BUCKETS = 5;

export class Spin {
  #since: number | undefined;
  #activeThen = 0;
  #restless = 0;

  /**
   * @param activeMs for how long the thread's event loop has been active since its start
   * @returns seconds without rest, once a second, when they are many
   */
  look(activeMs: number, now: number): number | undefined {
    if (this.#since === undefined) {
      this.#since = now;
      this.#activeThen = activeMs;
      return undefined;
    }
    const elapsed = now - this.#since;
    if (elapsed < BUCKET_MS) return undefined;
    this.#restless = activeMs - this.#activeThen > RESTLESS * elapsed ? this.#restless + 1 : 0;
    this.#since = now;
    this.#activeThen = activeMs;
    return this.#restless >= BUCKETS ? this.#restless : undefined;
  }
}
