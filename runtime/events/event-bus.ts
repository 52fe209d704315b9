/** How hosts that serve the same modules tell each other of events, and settle who runs a handler. */
import type { HostEvent } from './host-event.ts';

/** After an event was heard of, nobody asks whose turn it is: what others said of it need not be known for ever. */
export const LATEST_CLAIM_MS = 5 * 60_000;

export interface EventBus {
  /** Tells the other hosts. False: nobody but this host will hear of it. Returns at once. */
  publish(event: HostEvent): boolean;
  /** True for the first host that asks for this key. @throws Error when nobody can say */
  claim(key: string): Promise<boolean>;
  close(): Promise<void>;
}
