/** The caches of all modules in the host's own memory: each has a bound, and all together. */
import { LRUCache } from 'lru-cache';
import type { CachePort } from './cache.ts';

export interface MemoryCacheLimits {
  readonly moduleBytes: number;
  /** Over it, whoever holds most gives up what was unused for longest. */
  readonly totalBytes: number;
  readonly now?: () => number;
}

/** Answers at once. */
export interface MemoryCache extends CachePort {
  get(module: string, key: string): string | undefined;
  set(module: string, key: string, value: string, ttlMs: number): void;
  delete(module: string, key: string): void;
  clear(module: string): void;
}

/** What an entry costs besides its texts; so the bound on bytes is one on entries too. */
const ENTRY_BYTES = 256;

export function createMemoryCache({
  moduleBytes,
  totalBytes,
  now = () => performance.now(),
}: MemoryCacheLimits): MemoryCache {
  const caches = new Map<string, LRUCache<string, string>>();
  let total = 0;

  /** Counts what an operation on a cache did to its size. */
  const on = <Result>(module: string, operate: (cache: LRUCache<string, string>) => Result): Result => {
    const cache =
      caches.get(module) ?? new LRUCache<string, string>({ maxSize: moduleBytes, perf: { now }, ttlResolution: 0 });
    const before = cache.calculatedSize;
    const result = operate(cache);
    total += cache.calculatedSize - before;
    if (cache.size === 0) caches.delete(module);
    else caches.set(module, cache);
    return result;
  };

  const shrink = (): void => {
    while (total > totalBytes) {
      let largest = '';
      let most = 0;
      for (const [module, { calculatedSize }] of caches) {
        if (calculatedSize > most) [largest, most] = [module, calculatedSize];
      }
      on(largest, (cache) => cache.pop());
    }
  };

  return {
    get: (module, key) => on(module, (cache) => cache.get(key)),
    set(module, key, value, ttl) {
      const size = ENTRY_BYTES + 2 * (key.length + value.length);
      // What is too large is not kept, and nothing older under its name either.
      on(module, (cache) => cache.set(key, value, { ttl, size }));
      shrink();
    },
    delete: (module, key) => void on(module, (cache) => cache.delete(key)),
    clear: (module) => on(module, (cache) => cache.clear()),
    async close() {
      caches.clear();
      total = 0;
    },
  };
}
