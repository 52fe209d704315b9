/**
 * The events that wait for one subscriber: handed on one after the other, in order. Whatever happens to one of them, and
 * however long it takes, the lanes of others know nothing of it.
 */
import type { HostEvent } from './host-event.ts';

export interface LaneLimits {
  readonly events: number;
  /** Of the data that waits. */
  readonly characters: number;
}

/** What waits for one module, in all of its lanes. */
export interface ModuleLoad {
  characters: number;
}

export interface LaneOptions {
  readonly limits: LaneLimits;
  readonly load: ModuleLoad;
  readonly maxLoad: number;
  /** Never rejects. */
  readonly deliver: (event: HostEvent, signal: AbortSignal) => Promise<void>;
  /** That many were given up unseen. */
  readonly onClosed: (dropped: number) => void;
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #waiting: HostEvent[] = [];
  readonly #end = new AbortController();
  #characters = 0;
  #running: Promise<void> | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** False: there is no room for it. */
  push(event: HostEvent): boolean {
    const { limits, load, maxLoad } = this.#options;
    const size = event.data.length;
    if (this.#end.signal.aborted || this.#waiting.length >= limits.events) return false;
    if (this.#characters + size > limits.characters || load.characters + size > maxLoad) return false;
    this.#waiting.push(event);
    this.#count(size);
    this.#running ??= this.#run();
    return true;
  }

  /** Resolves when nothing waits and nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Gives up what waits; what is under way ends by its own deadline. */
  close(): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    const dropped = this.#waiting.splice(0);
    this.#count(-this.#characters);
    if (dropped.length > 0) this.#options.onClosed(dropped.length);
  }

  async #run(): Promise<void> {
    // Not within the call of the one who said it: a thousand subscribers must not hold up the first answer.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      this.#count(-event.data.length);
      await this.#options.deliver(event, this.#end.signal);
    }
    this.#running = undefined;
  }

  #count(characters: number): void {
    this.#characters += characters;
    this.#options.load.characters += characters;
  }
}
