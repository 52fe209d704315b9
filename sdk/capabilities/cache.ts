/** The guest's side of `cache`: values that are quick to get again and may be gone at any time. */

import { toAuthorError } from '../module/errors.ts';
import type { HostBinding } from '../module/host-binding.ts';
import type { CacheSet } from '../protocol/capabilities/cache.ts';
import { MAX_CACHED_TTL, MAX_CACHED_VALUE } from '../protocol/storage-limits.ts';
import { checkKey, readTtl, writeValue } from './entries.ts';

export interface CacheOptions {
  /** Seconds that it is kept, at most 2,592,000 (30 days). Default: 300. */
  readonly ttl?: number;
}

/**
 * A cache of this module alone, shared by its instances: bounded, so what was unused for longest goes first, and empty
 * after a restart of the host unless it runs with Redis. Keys are texts of 1 to 512 characters, values are JSON of at most
 * 256 KB. A cache that cannot be reached is an empty one: no method rejects for that, and all throw a TypeError for an
 * argument that is not allowed.
 */
export interface CacheClient {
  /** The value, or undefined when it is not there. */
  get<Value = unknown>(key: string): Promise<Value | undefined>;
  /**
   * @example
   * await this.cache.set(`forecast:${city}`, forecast, { ttl: 3600 });
   */
  set(key: string, value: unknown, options?: CacheOptions): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * The value, made and kept when it is not there. Who asks at the same time in one instance shares one run of `make`;
   * what it throws is thrown to all of them, and nothing is kept then, nor when it gives undefined.
   * @example
   * const rates = await this.cache.getOrSet('rates', () => this.#fetchRates(), { ttl: 60 });
   */
  getOrSet<Value>(key: string, make: () => Value | Promise<Value>, options?: CacheOptions): Promise<Value>;
}

const { parse } = JSON;
const DEFAULT_TTL_MS = 300_000;

export function createCacheClient(host: HostBinding): CacheClient {
  const making = new Map<string, Promise<unknown>>();
  const call = async (method: string, argument: unknown): Promise<unknown> => {
    try {
      return await host.call('cache', method, [argument]);
    } catch (error) {
      throw toAuthorError(error);
    }
  };
  const get = async (key: string): Promise<unknown> => {
    const text = (await call('get', key)) as string | null;
    return text === null ? undefined : parse(text);
  };
  const set = async (name: string, key: string, value: unknown, ttlMs: number): Promise<void> => {
    const text = writeValue(name, key, value, MAX_CACHED_VALUE);
    await call('set', { key, value: text, ttlMs } satisfies CacheSet);
  };
  const getOrMake = async (key: string, make: () => unknown, ttlMs: number): Promise<unknown> => {
    const known = await get(key);
    if (known !== undefined) return known;
    const made = await make();
    if (made !== undefined) await set('cache.getOrSet', key, made, ttlMs);
    return made;
  };
  return Object.freeze({
    async get<Value>(key: string): Promise<Value | undefined> {
      checkKey('cache.get', key);
      return (await get(key)) as Value | undefined;
    },
    async set(key: string, value: unknown, options: CacheOptions = {}): Promise<void> {
      checkKey('cache.set', key);
      await set('cache.set', key, value, ttlOf('cache.set', options));
    },
    async delete(key: string): Promise<void> {
      checkKey('cache.delete', key);
      await call('delete', key);
    },
    async getOrSet<Value>(key: string, make: () => Value | Promise<Value>, options: CacheOptions = {}): Promise<Value> {
      checkKey('cache.getOrSet', key);
      if (typeof make !== 'function') throw new TypeError('cache.getOrSet: what makes the value must be a function.');
      const ttlMs = ttlOf('cache.getOrSet', options);
      const underWay = making.get(key);
      if (underWay !== undefined) return underWay as Promise<Value>;
      const run = getOrMake(key, make, ttlMs).finally(() => making.delete(key));
      making.set(key, run);
      return run as Promise<Value>;
    },
  });
}

function ttlOf(name: string, options: unknown): number {
  return readTtl(name, options, MAX_CACHED_TTL) ?? DEFAULT_TTL_MS;
}
