/** One piece of work after the other, in the order in which they came, whatever becomes of each. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  take<Outcome>(work: () => Promise<Outcome>): Promise<Outcome> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** All that was taken so far has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

/** The same for each key by itself. A key for which nothing is under way takes no room. */
export class InTurnByKey {
  readonly #last = new Map<string, Promise<unknown>>();

  isBusy(key: string): boolean {
    return this.#last.has(key);
  }

  take<Outcome>(key: string, work: () => Promise<Outcome>): Promise<Outcome> {
    const done = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled = done
      .catch(() => {})
      .then(() => {
        if (this.#last.get(key) === settled) this.#last.delete(key);
      });
    this.#last.set(key, settled);
    return done;
  }

  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
