/** An open transaction of a module: ended by its owner, its deadline, its owner's end, or that of the data cell. */
import type { ModuleLine } from './module-line.ts';

export interface TransactionOptions {
  readonly line: ModuleLine;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  readonly rollback: () => void;
  /** Nobody can use it any more. */
  readonly onGone: () => void;
}

export class Transaction {
  readonly line: ModuleLine;
  readonly #options: TransactionOptions;
  #state: 'beginning' | 'open' | 'over' = 'beginning';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TransactionOptions) {
    this.line = options.line;
    this.#options = options;
    options.signal.addEventListener('abort', this.#abandon);
  }

  begun(): void {
    this.#state = 'open';
    this.#timer = setTimeout(this.#abandon, this.#options.deadlineMs);
    if (this.#options.signal.aborted) this.#abandon();
  }

  /** Its owner ended it, and sends the word itself. */
  end(): void {
    this.#settle();
  }

  failed(): void {
    this.#settle();
  }

  /** With the data cell; there is nothing left to roll back. */
  lost(): void {
    this.#settle();
    this.#options.onGone();
  }

  readonly #abandon = (): void => {
    if (this.#state !== 'open') return;
    this.#settle();
    this.#options.onGone();
    this.#options.rollback();
  };

  #settle(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#abandon);
  }
}
