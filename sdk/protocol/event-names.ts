/** How events are named and listened to, and how large they may be; for both sides, so without a schema library. */

/** Characters of a name or a pattern. */
export const MAX_EVENT_NAME = 128;
/** Characters of the JSON text of an event's data. */
export const MAX_EVENT_DATA = 64 * 1024;
/** Levels of lists and objects in it: with its frame it still fits the bridge. */
export const MAX_EVENT_DEPTH = 60;
/** Patterns that one thread of a module may listen to at run time. */
export const MAX_SUBSCRIPTIONS = 100;
/** An event may cause another, which may cause another: so long a chain may be. */
export const MAX_EVENT_HOPS = 8;

export const EVENT_NAME_PATTERN = '^[a-z][a-z0-9_]*(\\.[a-z0-9_]+)*$';
/** `*` is a whole word, and not the first. */
export const EVENT_PATTERN_PATTERN = '^[a-z][a-z0-9_]*(\\.([a-z0-9_]+|\\*))*$';

const NAME = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/;
const PATTERN = /^[a-z][a-z0-9_]*(\.([a-z0-9_]+|\*))*$/;
const OF_MODULES = 'module.';

export function isEventName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_EVENT_NAME && NAME.test(value);
}

export function isEventPattern(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_EVENT_NAME && PATTERN.test(value);
}

/** Names, and patterns, of events that modules emit; all others are the host's. */
export function isModuleEvent(nameOrPattern: string): boolean {
  return nameOrPattern.startsWith(OF_MODULES);
}

/**
 * A star stands for one word: `message.*` is for message.sent, neither for message nor for message.sent.late.
 * @example matchesEvent('message.*', 'message.sent') // true
 */
export function matchesEvent(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  if (!pattern.includes('*')) return false;
  const wanted = pattern.split('.');
  const given = name.split('.');
  return wanted.length === given.length && wanted.every((word, index) => word === '*' || word === given[index]);
}
