/** How many invocations run at once, and how many wait for their turn. A bound for both, a deadline for the wait. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

interface Waiting {
  readonly take: () => void;
  readonly refuse: (error: Error) => void;
}

export class Slots {
  readonly #limit: number;
  readonly #queueLimit: number;
  readonly #waiting = new Set<Waiting>();
  #taken = 0;

  constructor(limit: number, queueLimit: number) {
    this.#limit = limit;
    this.#queueLimit = queueLimit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** True: the slot is taken. False: none is free now, `wait` for one. */
  tryTake(): boolean {
    if (this.#taken >= this.#limit) return false;
    this.#taken += 1;
    return true;
  }

  /**
   * @param deadline epoch milliseconds
   * @param signal fires when nobody wants the slot any more
   * @throws PlexiError MODULE_OVERLOADED when too many wait already, or when the deadline comes first; CLIENT_CLOSED
   */
  wait(deadline: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(clientClosed());
    if (this.#waiting.size >= this.#queueLimit) {
      return Promise.reject(overloaded(`${this.#queueLimit} requests wait already`));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiting.refuse(overloaded('no slot was free before the deadline')),
        deadline - Date.now(),
      );
      const onAbort = (): void => waiting.refuse(clientClosed());
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(waiting);
      };
      const waiting: Waiting = {
        take: () => {
          leave();
          this.#taken += 1;
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  release(): void {
    this.#taken -= 1;
    const [next] = this.#waiting;
    next?.take();
  }

  /** Refuses everyone who waits. */
  close(error: Error): void {
    for (const waiting of [...this.#waiting]) waiting.refuse(error);
  }
}

function clientClosed(): PlexiError {
  return new PlexiError('CLIENT_CLOSED', 'The client went away.');
}

function overloaded(reason: string): PlexiError {
  return new PlexiError('MODULE_OVERLOADED', `The module has too much to do: ${reason}.`, {
    headers: { 'retry-after': '1' },
  });
}
