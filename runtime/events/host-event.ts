/** An event inside the host: who said what, when, and as which link of a chain. */

/** The source of what the chat host says; no module can have this name, since it has a hyphen. */
export const CHAT_HOST = 'chat-host';

export interface HostEvent {
  readonly id: string;
  readonly name: string;
  /** CHAT_HOST, or the module that emitted it: the host's own word. */
  readonly source: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** When this host heard of it, on its own clock (performance.now): clocks of other hosts may be set otherwise. */
  readonly heardAt: number;
  /** Events that it was caused by, one by the other. */
  readonly hops: number;
  /** JSON text, written by this host. */
  readonly data: string;
  /** Other hosts were told too, or told this one: a declared handler runs on one of them. */
  readonly isShared: boolean;
}
