/** The events of a test: keeps what the module emitted and what it listens to; hands on only what the test says. */
import type { EmitRequest, SubscribeRequest } from '../protocol/capabilities/events.ts';

export interface EmittedEvent {
  readonly id: string;
  readonly name: string;
  /** As others will get it: what went through JSON. */
  readonly data: unknown;
}

export interface FakeEvents {
  readonly emitted: readonly EmittedEvent[];
  /** Number → pattern: what the module subscribed to at run time. */
  readonly subscriptions: ReadonlyMap<number, string>;
  readonly emit: (request: EmitRequest) => { id: string; subscribers: number };
  readonly subscribe: (request: SubscribeRequest) => void;
  readonly unsubscribe: (subscription: number) => void;
}

export function createFakeEvents(): FakeEvents {
  const emitted: EmittedEvent[] = [];
  const subscriptions = new Map<number, string>();
  return {
    emitted,
    subscriptions,
    emit({ name, data }) {
      const id = `test-event-${emitted.length + 1}`;
      emitted.push({ id, name, data: JSON.parse(data) });
      return { id, subscribers: 0 };
    },
    subscribe: ({ subscription, pattern }) => void subscriptions.set(subscription, pattern),
    unsubscribe: (subscription) => void subscriptions.delete(subscription),
  };
}
