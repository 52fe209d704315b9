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
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Whether a reply was waited for, came too late, or answers nothing that was ever asked. */
export type ReplyFate = 'taken' | 'late' | 'unknown';

export class Caller {
  readonly #post: (message: string) => void;
  readonly #pending = new Map<string, Pending>();
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
    this.#last += 1;
    const id = String(this.#last);
    let list = '';
    for (const value of args) list += `${list === '' ? '' : ','}{"type":"RAW","value":${value}}`;
    this.#post(`{"id":"${id}","type":"APPLY","path":["${method}"],"argumentList":[${list}]}`);
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    return { id, answer };
  }

  reply(id: string, value: unknown): ReplyFate {
    const pending = this.#pending.get(id);
    if (pending === undefined) return this.#abandoned.delete(id) ? 'late' : 'unknown';
    this.#pending.delete(id);
    pending.resolve(value);
    return 'taken';
  }

  /** Ends a call that the guest has not answered; its answer will be late. */
  settle(id: string, error: Error): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#abandoned.add(id);
    pending.reject(error);
  }

  settleAll(error: Error): void {
    for (const id of [...this.#pending.keys()]) this.settle(id, error);
  }

  get abandoned(): number {
    return this.#abandoned.size;
  }

  isAbandoned(id: string): boolean {
    return this.#abandoned.has(id);
  }
}
