/** The guest's side of `events`: tells others what happened, and listens at run time. */

import { toJsonText } from '../module/author-json.ts';
import { describeValue } from '../module/describe-value.ts';
import { toAuthorError } from '../module/errors.ts';
import type { EventHandler } from '../module/event-context.ts';
import type { HostBinding } from '../module/host-binding.ts';
import type { EmitRequest, SubscribeRequest } from '../protocol/capabilities/events.ts';
import {
  isEventName,
  isEventPattern,
  isModuleEvent,
  MAX_EVENT_DATA,
  MAX_EVENT_DEPTH,
  MAX_EVENT_NAME,
} from '../protocol/event-names.ts';

export interface Subscription {
  /** Nothing is delivered to the handler any more; what is under way may still end. Never rejects, works once. */
  unsubscribe(): Promise<void>;
}

export interface EventsClient {
  /**
   * Tells all who listen. The name begins with `module.`; the data is any JSON value of at most 64 KB as text. Resolves
   * when the host has taken it: handlers run later, each on its own, at most once.
   * @returns its id, and how many listen on this host
   * @throws TypeError when an argument is not allowed; an Error with code QUOTA_EXCEEDED when the module emits too much,
   *   INVALID_CALL when this event was caused by too long a chain of others
   * @example
   * await this.events.emit('module.notes.created', { id: note.id });
   */
  emit(name: string, data?: unknown): Promise<{ id: string; subscribers: number }>;
  /**
   * Calls the handler for each event whose name fits, in this thread, until it unsubscribes or the thread ends: a module
   * that sleeps hears nothing. `@moduleEvent` wakes the module, and is what handlers that must not miss anything need.
   * Names that do not begin with `module.` need the permission `events:subscribe:PATTERN`.
   * @throws TypeError when an argument is not allowed, PermissionDeniedError, an Error with code QUOTA_EXCEEDED when the
   *   thread listens to 100 patterns already
   * @example
   * const news = await this.events.subscribe('module.settings.changed', () => this.forget());
   * await news.unsubscribe();
   */
  subscribe<Data = unknown>(pattern: string, handler: EventHandler<Data>): Promise<Subscription>;
}

const DATA_BOUNDS = {
  characters: MAX_EVENT_DATA,
  depth: MAX_EVENT_DEPTH,
  advice: 'Store what is large, and say where it is.',
};

/** @param handlers is filled by `subscribe`: number → handler, for the runner */
export function createEventsClient(host: HostBinding, handlers: Map<number, EventHandler>): EventsClient {
  let last = 0;
  const call = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    try {
      return await host.call('events', method, args);
    } catch (error) {
      throw toAuthorError(error);
    }
  };
  return Object.freeze({
    async emit(name: string, data: unknown = null) {
      checkName(name);
      const request: EmitRequest = { name, data: toEventText(`events.emit("${name}")`, data) };
      return (await call('emit', [request])) as { id: string; subscribers: number };
    },
    async subscribe(pattern: string, handler: EventHandler<never>): Promise<Subscription> {
      checkSubscription(pattern, handler);
      const subscription = ++last;
      const request: SubscribeRequest = { subscription, pattern };
      handlers.set(subscription, handler as EventHandler);
      try {
        await call('subscribe', [request]);
      } catch (error) {
        handlers.delete(subscription);
        throw error;
      }
      return Object.freeze({
        async unsubscribe() {
          if (!handlers.delete(subscription)) return;
          // What the host still sends finds no handler, so that it does not know costs nothing.
          await call('unsubscribe', [subscription]).catch(() => {});
        },
      });
    },
  });
}

function checkName(name: unknown): void {
  if (isEventName(name) && isModuleEvent(name)) return;
  const allowed = `a name of at most ${MAX_EVENT_NAME} lower-case letters, digits, "_" and dots that begins with "module.", such as "module.notes.created"`;
  throw new TypeError(`events.emit: allowed is ${allowed}; found ${describeValue(name)}.`);
}

function checkSubscription(pattern: unknown, handler: unknown): void {
  if (!isEventPattern(pattern)) {
    throw new TypeError(
      `events.subscribe: allowed is a name such as "user.login", or a pattern such as "message.*" where * stands for one word and is not the first; found ${describeValue(pattern)}.`,
    );
  }
  if (typeof handler !== 'function') {
    throw new TypeError(
      `events.subscribe("${pattern}"): the handler must be a function (data, event) => …, found ${describeValue(handler)}.`,
    );
  }
}

/** @throws TypeError that says what is wrong with the data */
export function toEventText(caller: string, data: unknown): string {
  return toJsonText(caller, data, DATA_BOUNDS);
}
