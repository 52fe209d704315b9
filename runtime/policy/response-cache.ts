/**
 * Steps: cache, cache store. Boundary: the key holds everything that the module could see of the request (the headers
 * it is shown are part of the key, others it is not shown), so no caller can put an answer where another one finds it.
 */
import { LRUCache } from 'lru-cache';
import type { CheckedAnswer } from './check-answer.ts';

export interface ResponseCache {
  find(key: string): CheckedAnswer | undefined;
  /** Runs it once for all who ask for the key meanwhile; `shared` says that this one did not run it itself. */
  share(key: string, run: () => Promise<CheckedAnswer>): Promise<{ answer: CheckedAnswer; shared: boolean }>;
  store(key: string, answer: CheckedAnswer, ttlMs: number): void;
  /** Forgets every key that starts so. */
  forget(keyPrefix: string): void;
}

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_ENTRY_LENGTH = 256 * 1024;
const MAX_SHARED = 10_000;

export interface ResponseCacheOptions {
  readonly maxBytes?: number;
  readonly now?: () => number;
}

export function createResponseCache({
  maxBytes = MAX_BYTES,
  now = Date.now,
}: ResponseCacheOptions = {}): ResponseCache {
  const entries = new LRUCache<string, CheckedAnswer>({
    maxSize: maxBytes,
    maxEntrySize: 2 * MAX_ENTRY_LENGTH + 128 * 1024,
    sizeCalculation: sizeOf,
    perf: { now },
    ttlResolution: 0,
  });
  const running = new Map<string, Promise<CheckedAnswer>>();

  return {
    find: (key) => entries.get(key),
    async share(key, run) {
      const other = running.get(key);
      if (other !== undefined) return { answer: await other, shared: true };
      const answer = run();
      if (running.size < MAX_SHARED) running.set(key, answer);
      try {
        return { answer: await answer, shared: false };
      } finally {
        if (running.get(key) === answer) running.delete(key);
      }
    },
    store(key, answer, ttlMs) {
      if (isStorable(answer)) entries.set(key, answer, { ttl: ttlMs });
    },
    forget(keyPrefix) {
      for (const key of entries.keys()) if (key.startsWith(keyPrefix)) entries.delete(key);
      for (const key of running.keys()) if (key.startsWith(keyPrefix)) running.delete(key);
    },
  };
}

const FORBIDS_STORING = /(?:^|[\s,])(?:no-store|no-cache|private)(?=$|[\s,=])/i;

/** Only what can be given to the next one as it is: a finished 200, not marked as personal, not varying by what we hide. */
export function isStorable({ status, headers, body }: CheckedAnswer): boolean {
  if (status !== 200 || typeof body !== 'string' || body.length > MAX_ENTRY_LENGTH) return false;
  const cacheControl = headers['cache-control'];
  if (cacheControl !== undefined && FORBIDS_STORING.test(cacheControl)) return false;
  return headers.vary?.includes('*') !== true;
}

/** JavaScript text takes up to two bytes a character. */
function sizeOf(answer: CheckedAnswer, key: string): number {
  let length = key.length + (typeof answer.body === 'string' ? answer.body.length : 0) + 200;
  for (const name in answer.headers) length += name.length + (answer.headers[name]?.length ?? 0);
  return 2 * length;
}
