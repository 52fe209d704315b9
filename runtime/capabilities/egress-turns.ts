/** So many at once; who comes later waits in line, until a deadline of its own. */
export class Turns {
  readonly #atOnce: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Whoever takes one gives it back, once. Undefined: it took too long. */
  async take(waitMs: number): Promise<(() => void) | undefined> {
    if (this.#taken < this.#atOnce) this.#taken += 1;
    else if (!(await this.#wait(waitMs))) return undefined;
    return () => this.#giveBack();
  }

  #wait(waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(go);
        resolve(false);
      }, waitMs).unref();
      this.#waiting.add(go);
    });
  }

  /** Handed on as it is, so that nobody who comes meanwhile gets ahead. */
  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
