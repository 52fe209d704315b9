/**
 * The host's calls of one guest, in the words of Comlink's contract. Written by hand: Comlink's own proxy (a new proxy
 * per property, a random text id, a listener per call) was a fifth of what a request costs the host; the guest's end is
 * Comlink. One reply, cancel, deadline, close or exit settles a call, and only once.
 */
import type { GuestApi } from '@plexichat/sdk/protocol/guest-api';

export interface PendingCall {
  readonly id: string;
  readonly answer: Promise<unknown>;
}

interface Pending {
  readonly id: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Whether a reply was waited for, came too late, or answers nothing that was ever asked. */
export type ReplyFate = 'taken' | 'late' | 'unknown';

export class Caller {
  readonly #post: (message: string) => void;
  /**
   * Places for the calls under way, used again and again. Not a Map: one that grows and shrinks with each call leaves
   * tables behind that keep each other, and what they held, alive until the next full collection.
   */
  readonly #places: (Pending | undefined)[] = [];
  readonly #free: number[] = [];
  /** Calls that the host gave up on and that the guest has not answered yet. */
  readonly #abandoned = new Set<string>();
  #last = 0;

  constructor(post: (message: string) => void) {
    this.#post = post;
  }

  /** @throws RangeError when the message is too large to be sent; nothing is pending then */
  call(method: keyof GuestApi, args: readonly unknown[]): PendingCall {
    return this.callText(
      method,
      args.map((value) => JSON.stringify(value)),
    );
  }

  /** The same for arguments that are JSON already. */
  callText(method: keyof GuestApi, args: readonly string[]): PendingCall {
    const place = this.#free.at(-1) ?? this.#places.length;
    this.#last += 1;
    const id = `${place}.${this.#last}`;
    let list = '';
    for (const value of args) list += `${list === '' ? '' : ','}{"type":"RAW","value":${value}}`;
    this.#post(`{"id":"${id}","type":"APPLY","path":["${method}"],"argumentList":[${list}]}`);
    if (this.#free.length > 0) this.#free.pop();
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#places[place] = { id, resolve, reject };
    });
    return { id, answer };
  }

  reply(id: string, value: unknown): ReplyFate {
    const pending = this.#take(id);
    if (pending === undefined) return this.#abandoned.delete(id) ? 'late' : 'unknown';
    pending.resolve(value);
    return 'taken';
  }

  /** Ends a call that the guest has not answered; its answer will be late. */
  settle(id: string, error: Error): void {
    const pending = this.#take(id);
    if (pending === undefined) return;
    this.#abandoned.add(id);
    pending.reject(error);
  }

  settleAll(error: Error): void {
    for (const pending of [...this.#places]) if (pending !== undefined) this.settle(pending.id, error);
  }

  get abandoned(): number {
    return this.#abandoned.size;
  }

  isAbandoned(id: string): boolean {
    return this.#abandoned.has(id);
  }

  /** The id's first part is its place; who answers with an id of his own finds another one there. */
  #take(id: string): Pending | undefined {
    const place = Number.parseInt(id, 10);
    const pending = this.#places[place];
    if (pending?.id !== id) return undefined;
    this.#places[place] = undefined;
    this.#free.push(place);
    return pending;
  }
}
