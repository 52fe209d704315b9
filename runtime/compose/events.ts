/** The rooms of events and notifications, out of the operator's settings. */
import type { ModulePort } from '../capabilities/modules.ts';
import type { PermissionGate } from '../capabilities/permission-gate.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import { type EventMeter, EventRoom } from '../events/event-room.ts';
import type { HostEvent } from '../events/host-event.ts';
import { openRedisBus } from '../events/redis-bus.ts';
import type { Registry } from '../modules/registry.ts';
import { NotificationRoom } from '../notifications/notification-room.ts';
import type { Logger } from '../observability/log.ts';
import type { State } from '../state/state.ts';

export interface EventParts {
  readonly registry: Registry;
  /** Asked at every delivery; made later than this room. */
  readonly gate: () => PermissionGate;
  readonly meter: EventMeter;
  readonly log: Logger;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function createEventRoom(settings: HostSettings, { registry, gate, meter, log }: EventParts): EventRoom {
  const { events, limits, redis, redis_options, redis_cluster, tasks } = settings;
  const isShared = redis !== undefined || redis_cluster.length > 0 || Object.keys(redis_options).length > 0;
  const openBus = (receive: (event: HostEvent) => void) =>
    openRedisBus({
      redis: { url: redis, options: redis_options, cluster: redis_cluster },
      prefix: tasks.prefix,
      receive,
      onTrouble: (reason) => log.warn({ reason }, 'events do not reach other hosts just now'),
    });
  return new EventRoom({
    limits: {
      emitsPerSecond: events.emits_per_second,
      maxWaiting: events.max_waiting,
      maxTimeoutMs: limits.max_timeout_seconds * 1000,
    },
    modules: registry,
    mayHear: (module, name) => mayHear(gate(), module, name),
    ...(isShared ? { openBus } : {}),
    meter,
    log,
  });
}

export function createNotificationRoom({ notifications }: HostSettings, state: State): NotificationRoom {
  return new NotificationRoom(state, {
    perMinute: notifications.per_minute,
    keepPerUser: notifications.keep,
    keepMs: notifications.keep_days * DAY_MS,
    streamsPerUser: notifications.streams_per_user,
  });
}

/** Calls between modules that pass on what caused them, so that a circle of events through them ends too. */
export function followChains(calls: ModulePort, events: EventRoom): ModulePort {
  return {
    ...calls,
    async call(call) {
      const leave = events.enterCall(call.from, call.to);
      try {
        return await calls.call(call);
      } finally {
        leave();
      }
    },
  };
}

/** `require` and not `holds`: what is heard counts as a use of the grant, and what is not as a denial. */
function mayHear(gate: PermissionGate, module: string, name: string): boolean {
  try {
    gate.require(module, { capability: 'events', pattern: name }, `Hearing of ${name}`);
    return true;
  } catch {
    return false;
  }
}
