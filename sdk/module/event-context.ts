/** What the handler of an event gets. */
import type { EventRequest } from '../protocol/events.ts';
import { openSignal } from './invocation-signal.ts';

/**
 * An event as its handler sees it, beside its data. Name, source, time and id are the host's word; the data is whatever
 * the source said, and nobody has checked it.
 * @example
 * class Greeter extends BaseModule {
 *   @moduleEvent('user.login')
 *   async onLogin(data: { user_id: string }, event: ModuleEvent) {
 *     if (event.source !== 'chat-host') return;
 *     this.logger.info('Hello again', { user: data.user_id, at: event.at });
 *   }
 * }
 */
export interface ModuleEvent<Data = unknown> {
  readonly name: string;
  readonly data: Data;
  /** `chat-host` when the platform said it, else the name of the module that emitted it. */
  readonly source: string;
  /** ISO 8601 in UTC: when it was said. */
  readonly at: string;
  readonly id: string;
  /** Aborts at the deadline (`runtime.timeout`). */
  readonly signal: AbortSignal;
}

export type EventHandler<Data = unknown> = (data: Data, event: ModuleEvent<Data>) => unknown;

export class RunningEvent implements ModuleEvent {
  readonly name: string;
  readonly data: unknown;
  readonly source: string;
  readonly at: string;
  readonly id: string;
  readonly #invocation: number;
  #abort: AbortController | undefined;
  #cancelled = false;

  constructor({ invocation, name, source, at, id }: EventRequest, data: unknown) {
    this.#invocation = invocation;
    this.name = name;
    this.data = data;
    this.source = source;
    this.at = new Date(at).toISOString();
    this.id = id;
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
