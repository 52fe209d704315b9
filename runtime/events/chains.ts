/**
 * Which event caused which. A guest cannot be asked: what it says could be a lie. So what a module emits while a handler
 * of an event runs in it counts as caused by that event, unless something else runs in it too, a request or a task, which
 * may be the one that emits; then the rate of the module is what bounds it.
 */
export class Chains {
  /** By module: the hops of the events that are being handled. */
  readonly #handling = new Map<string, number[]>();

  /** @returns to be called when the handler has ended */
  begin(module: string, hops: number): () => void {
    const handling = this.#handling.get(module) ?? [];
    this.#handling.set(module, handling);
    handling.push(hops);
    return () => {
      handling.splice(handling.indexOf(hops), 1);
      if (handling.length === 0) this.#handling.delete(module);
    };
  }

  /** Of an event that the module emits now. @param underWay handlers of any sort that run in it */
  hopsOf(module: string, underWay: number): number {
    const handling = this.#handling.get(module);
    if (handling === undefined || underWay > handling.length) return 0;
    return Math.max(...handling) + 1;
  }
}
