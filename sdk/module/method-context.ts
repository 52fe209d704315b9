/** What a method gets beside its arguments when another module calls it. */
import type { Caller } from '../protocol/invocation.ts';
import type { MethodRequest } from '../protocol/methods.ts';
import { openSignal } from './invocation-signal.ts';

/**
 * Who calls a method, and for whom: both are the host's word.
 * @example
 * class Glossary extends BaseModule {
 *   @moduleMethod({ params: Type.Object({ term: Type.String() }) })
 *   lookup({ term }: { term: string }, { caller, user }: MethodContext) {
 *     this.logger.debug('Looked up', { term, by: caller.module, for: user?.id });
 *     return null;
 *   }
 * }
 */
export interface MethodContext {
  readonly caller: {
    /** The name of the module that calls. */
    readonly module: string;
  };
  /** The user whose request the caller works on, when the caller said so with the signal of its context; else null. */
  readonly user: Caller | null;
  /** Aborts when the caller gives up or the deadline passes. */
  readonly signal: AbortSignal;
}

export class RunningMethod implements MethodContext {
  readonly caller: { readonly module: string };
  readonly user: Caller | null;
  readonly #invocation: number;
  #abort: AbortController | undefined;
  #cancelled = false;

  constructor({ caller, user, invocation }: MethodRequest) {
    this.caller = caller;
    this.user = user;
    this.#invocation = invocation;
  }

  get signal(): AbortSignal {
    this.#abort ??= openSignal(this.#invocation, this.#cancelled);
    return this.#abort.signal;
  }

  /** The host wants this invocation to end. */
  cancel(): void {
    this.#cancelled = true;
    this.#abort?.abort();
  }
}
