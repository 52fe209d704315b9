/**
 * What runs in one thread, as the host knows it. A guest may say which of these a call of its own belongs to: it can name
 * one of its own only, and what follows from that (the user, the time that is left, how deep calls have come) is read here.
 */
import type { Caller } from '@plexichat/sdk/protocol/invocation';

export interface InvocationFacts {
  /** Absent or null: nobody has said who they are. */
  readonly user?: Caller | null;
  /** Epoch milliseconds. */
  readonly deadline: number;
  /** Modules that called one another until here. Absent: none, a client or the host asked. */
  readonly depth?: number;
}

export class OpenInvocations {
  readonly #open = new Map<number, InvocationFacts>();
  /** How many there are of each depth. */
  readonly #depths: number[] = [];

  open(invocation: number, facts: InvocationFacts): void {
    this.#open.set(invocation, facts);
    const { depth = 0 } = facts;
    this.#depths[depth] = (this.#depths[depth] ?? 0) + 1;
  }

  close(invocation: number): void {
    const facts = this.#open.get(invocation);
    if (facts === undefined) return;
    this.#open.delete(invocation);
    const { depth = 0 } = facts;
    this.#depths[depth] = (this.#depths[depth] ?? 1) - 1;
  }

  /** Undefined: it is not open, or never was. */
  find(invocation: number | undefined): InvocationFacts | undefined {
    return invocation === undefined ? undefined : this.#open.get(invocation);
  }

  /** Boundary: of a call that names no invocation; it may belong to any that is open, so to the deepest. */
  get deepest(): number {
    for (let depth = this.#depths.length - 1; depth > 0; depth--) if ((this.#depths[depth] ?? 0) > 0) return depth;
    return 0;
  }

  /** Of all that are open the first to end: nothing that names no invocation may outlast it. */
  get firstDeadline(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.#open.values()) first = Math.min(first, deadline);
    return first;
  }
}
