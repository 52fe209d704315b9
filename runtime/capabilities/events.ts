/** What a module may do with events: emit its own, and listen as far as it was granted. */
import { EVENTS_METHODS } from '@plexichat/sdk/protocol/capabilities/events';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { isModuleEvent, MAX_EVENT_DATA } from '@plexichat/sdk/protocol/event-names';
import { Compile } from 'typebox/compile';
import type { Capability } from './capability.ts';
import { rewriteEventData } from './event-data.ts';
import type { PermissionGate } from './permission-gate.ts';

export interface EventPort {
  /**
   * @param data JSON text of ours
   * @throws PlexiError QUOTA_EXCEEDED, INVALID_CALL, MODULE_UNAVAILABLE
   */
  emit(module: string, name: string, data: string): { readonly id: string; readonly subscribers: number };
  /** Until `signal` fires. @throws PlexiError QUOTA_EXCEEDED, INVALID_CALL */
  subscribe(
    module: string,
    subscription: {
      readonly subscription: number;
      readonly pattern: string;
      /** Names the thread that subscribes. */
      readonly thread: object;
      readonly signal: AbortSignal;
    },
  ): void;
  unsubscribe(thread: object, subscription: number): void;
}

const checkEmit = Compile(EVENTS_METHODS.emit.args);
const checkSubscribe = Compile(EVENTS_METHODS.subscribe.args);
const checkUnsubscribe = Compile(EVENTS_METHODS.unsubscribe.args);

export function createEventsCapability(port: EventPort, gate: PermissionGate): Capability {
  return ({ module, session, signal }) => ({
    emit(...args) {
      if (!checkEmit.Check(args)) throw invalid(EMIT_TAKES);
      const [{ name, data }] = args;
      // Boundary: names of the platform are the platform's; no grant lets a module speak in its place.
      if (!isModuleEvent(name)) throw invalid(`events.emit: a module emits names that begin with "module." only.`);
      const { id, subscribers } = port.emit(module, name, rewriteEventData('events.emit', data));
      return { id, subscribers };
    },
    subscribe(...args) {
      if (!checkSubscribe.Check(args)) throw invalid(SUBSCRIBE_TAKES);
      const [{ subscription, pattern }] = args;
      if (!isModuleEvent(pattern)) {
        gate.require(module, { capability: 'events', pattern }, `Listening to ${pattern}`);
      }
      port.subscribe(module, { subscription, pattern, thread: session(), signal });
    },
    unsubscribe(...args) {
      if (!checkUnsubscribe.Check(args)) throw invalid('events.unsubscribe takes the number of a subscription.');
      port.unsubscribe(session(), args[0]);
    },
  });
}

const EMIT_TAKES = `events.emit takes { name, data }: a name such as module.notes.created and JSON text of at most ${MAX_EVENT_DATA} characters.`;
const SUBSCRIBE_TAKES =
  'events.subscribe takes { subscription, pattern }: a whole number from 1 and a pattern such as message.*.';

function invalid(message: string): PlexiError {
  return new PlexiError('INVALID_CALL', message);
}
