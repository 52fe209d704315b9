/**
 * Step: rate limit. A sliding window per caller and rule, in memory and synchronous.
 * Bounded: least recently used callers go first, and anonymous addresses cannot push out signed-in users.
 */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { LRUCache } from 'lru-cache';
import { addressKey } from './address-key.ts';
import type { KnownCaller } from './caller.ts';

export interface RateRule {
  /** `endpoint` or `module`, as clients see it in the headers. */
  readonly name: string;
  /** Unique among all rules of the host; callers' ids have no line break, so they cannot imitate it. */
  readonly key: string;
  /** Requests per minute. */
  readonly limit: number;
}

/** Takes one request from every rule, or from none. Answers the value of the RateLimit header. */
export type LimitRate = (known: KnownCaller | null, address: string, rules: readonly RateRule[]) => string;

const WINDOW_MS = 60_000;
const MAX_COUNTERS = 100_000;

interface Counter {
  startedAt: number;
  count: number;
  previous: number;
}

export interface RateLimitOptions {
  readonly now?: () => number;
  readonly maxCounters?: number;
}

export function createRateLimit({ now = Date.now, maxCounters = MAX_COUNTERS }: RateLimitOptions = {}): LimitRate {
  // Not `max`, which would take the room for all of them at once: a host has many limits, and most count few callers.
  const bounds = { maxSize: maxCounters, sizeCalculation: () => 1 };
  const users = new LRUCache<string, Counter>(bounds);
  const addresses = new LRUCache<string, Counter>(bounds);

  return (known, address, rules) => {
    const at = now();
    const store = known === null ? addresses : users;
    const who = known === null ? addressKey(address) : known.caller.id;
    const counters = rules.map((rule) => currentCounter(store, `${rule.key}\n${who}`, at));
    refuseOver(rules, counters, at);
    let header = '';
    rules.forEach((rule, index) => {
      const counter = counters[index];
      if (counter === undefined) return;
      counter.count += 1;
      const left = Math.max(0, Math.floor(rule.limit - used(counter, at)));
      header += `${header === '' ? '' : ', '}"${rule.name}";r=${left};t=${secondsLeft(counter, at)}`;
    });
    return header;
  };
}

/** The RateLimit-Policy header, the same for every answer of an endpoint (draft-ietf-httpapi-ratelimit-headers). */
export function ratePolicy(rules: readonly RateRule[]): string {
  return rules.map(({ name, limit }) => `"${name}";q=${limit};w=${WINDOW_MS / 1000}`).join(', ');
}

function currentCounter(store: LRUCache<string, Counter>, key: string, at: number): Counter {
  let counter = store.get(key);
  if (counter === undefined) {
    counter = { startedAt: at, count: 0, previous: 0 };
    store.set(key, counter);
    return counter;
  }
  const windows = Math.floor((at - counter.startedAt) / WINDOW_MS);
  if (windows > 0) {
    counter.previous = windows === 1 ? counter.count : 0;
    counter.count = 0;
    counter.startedAt += windows * WINDOW_MS;
  }
  return counter;
}

/** Nothing was counted yet, so what one rule refuses costs nothing at the others. */
function refuseOver(rules: readonly RateRule[], counters: readonly Counter[], at: number): void {
  let waitMs = 0;
  let refusing: RateRule | undefined;
  rules.forEach((rule, index) => {
    const counter = counters[index];
    if (counter === undefined || used(counter, at) + 1 <= rule.limit) return;
    waitMs = Math.max(waitMs, waitFor(counter, rule.limit, at));
    refusing ??= rule;
  });
  if (refusing === undefined) return;
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  throw new PlexiError(
    'RATE_LIMITED',
    `At most ${refusing.limit} requests per minute are allowed for this ${refusing.name}; try again in ${seconds} s.`,
    {
      headers: {
        'retry-after': String(seconds),
        ratelimit: `"${refusing.name}";r=0;t=${seconds}`,
        'ratelimit-policy': ratePolicy(rules),
      },
    },
  );
}

/** What was used in the last minute: this window, and the part of the one before that still overlaps it. */
function used(counter: Counter, at: number): number {
  if (counter.previous === 0) return counter.count;
  return counter.count + counter.previous * (1 - (at - counter.startedAt) / WINDOW_MS);
}

function waitFor(counter: Counter, limit: number, at: number): number {
  const inWindow = at - counter.startedAt;
  const room = limit - 1 - counter.count;
  if (room >= 0) return WINDOW_MS * (1 - room / counter.previous) - inWindow;
  return WINDOW_MS - inWindow + WINDOW_MS * (1 - (limit - 1) / counter.count);
}

function secondsLeft(counter: Counter, at: number): number {
  return Math.ceil((counter.startedAt + WINDOW_MS - at) / 1000);
}
