/** What both sides are asked: to make so many calls, always so many in flight. */

export interface CallQuestion {
  readonly what: 'get' | 'set' | 'cache';
  readonly calls: number;
  readonly inFlight: number;
}

export const KEY = 'user:4711:settings';
export const VALUE = { theme: 'dark', language: 'de', notifications: [1, 2, 3] };
