/** AbortController and AbortSignal, https://dom.spec.whatwg.org/#aborting-ongoing-activities */
import { DOMException } from './dom-exception.ts';
import { Event, EventTarget, type Listener } from './events.ts';
import { platform } from './platform.ts';

const OPEN = Symbol('open');
const ABORT = Symbol('abort');

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  #onabort: ((event: Event) => unknown) | null = null;

  constructor(key?: unknown) {
    if (key !== OPEN) throw new TypeError('Illegal constructor: signals come from an AbortController.');
    super();
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(OPEN);
    signal[ABORT](reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    if (!(ms >= 0)) throw new TypeError(`AbortSignal.timeout: ${ms} is no number of milliseconds.`);
    const signal = new AbortSignal(OPEN);
    platform().setTimeout(() => {
      signal[ABORT](new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    }, ms);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const combined = new AbortSignal(OPEN);
    const sources = [...signals];
    const aborted = sources.find((source) => source.aborted);
    if (aborted !== undefined) {
      combined[ABORT](aborted.reason);
      return combined;
    }
    for (const source of sources) {
      const follow: Listener = () => {
        for (const other of sources) other.removeEventListener('abort', follow);
        combined[ABORT](source.reason);
      };
      source.addEventListener('abort', follow);
    }
    return combined;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  get onabort(): ((event: Event) => unknown) | null {
    return this.#onabort;
  }

  set onabort(listener: ((event: Event) => unknown) | null) {
    if (this.#onabort !== null) this.removeEventListener('abort', this.#onabort);
    this.#onabort = typeof listener === 'function' ? listener : null;
    if (this.#onabort !== null) this.addEventListener('abort', this.#onabort);
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  [ABORT](reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
    this.dispatchEvent(new Event('abort'));
  }

  override get [Symbol.toStringTag](): string {
    return 'AbortSignal';
  }
}

export class AbortController {
  readonly #signal = new AbortSignal(OPEN);

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason?: unknown): void {
    this.#signal[ABORT](reason);
  }

  get [Symbol.toStringTag](): string {
    return 'AbortController';
  }
}
